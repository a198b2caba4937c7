"""What changed between two sealed scans: rules, parameters, policy inputs, configuration, program."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner import evidence
from scanner.errors import StoreError
from scanner.model import Scan
from scanner.report.background import Background, Change
from scanner.store import scans

DIGITS = 12
"""Of a hash that stands for a version."""


@dataclass(frozen=True, slots=True)
class _State:
    """What a scan judged by, as its evidence says: kind and name -> value or hash."""

    scan: Scan
    things: Mapping[tuple[str, str], str]


def since_last(state: Path, scan: Scan) -> Background:
    """Return what changed since the sealed scan before; StoreError if the evidence of either was changed."""
    before = [one for one in sealed(state) if one.started_at < scan.started_at and one.id != scan.id]
    if not before:
        return Background(is_known=True)
    return Background(previous=before[-1], changes=between(state, [before[-1], scan]), is_known=True)


def sealed(state: Path) -> tuple[Scan, ...]:
    """Return the scans that have been sealed, oldest first."""
    return tuple(scan for scan in scans.stored(state) if scan.manifest_sha256)


def between(state: Path, several: list[Scan]) -> tuple[Change, ...]:
    """Return what changed from each scan to the next."""
    found: list[Change] = []
    earlier: _State | None = None
    for scan in several:
        later = _read(scans.scan_dir(state, scan.id), scan)
        if earlier is not None:
            found += _changes(earlier, later)
        earlier = later
    return tuple(found)


def _changes(earlier: _State, later: _State) -> Iterator[Change]:
    scan = later.scan
    for kind, name in sorted({*earlier.things, *later.things}):
        before, after = earlier.things.get((kind, name), ""), later.things.get((kind, name), "")
        if before != after:
            yield Change(scan.id, scan.as_of, kind, name, before, after)


def _read(folder: Path, scan: Scan) -> _State:
    """Read manifest and parameters, which are small; the manifest must be the one that sealed the scan."""
    place = folder / "evidence"
    try:
        data = (place / evidence.MANIFEST).read_bytes()
        if evidence.sha256(place / evidence.MANIFEST) != scan.manifest_sha256:
            raise StoreError(f"{place / evidence.MANIFEST} is not the manifest that sealed this scan: it was changed")
        files: dict[str, str] = {file["path"]: file["sha256"] for file in json.loads(data)["files"]}
        parameters = json.loads((place / "parameters.json").read_bytes())
        if evidence.sha256(place / "parameters.json") != files["parameters.json"]:
            raise StoreError(f"{place / 'parameters.json'} was changed after the scan was sealed")
    except (OSError, ValueError, KeyError) as exc:
        raise StoreError(f"cannot read the evidence in {place}: {exc}") from exc
    return _State(scan, dict(_things(scan, files, parameters)))


def _things(
    scan: Scan, files: Mapping[str, str], parameters: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[tuple[str, str], str]]:
    yield ("program", "orphanscan"), scan.tool_version
    yield ("configuration", ""), scan.config_sha256[:DIGITS]
    for path, digest in files.items():
        folder, _, rest = path.partition("/")
        if folder == "rules":
            yield ("rule", Path(rest).stem), digest[:DIGITS]
        elif folder == "policy":
            yield ("policy", rest), digest[:DIGITS]
    for rule, own in parameters.items():
        for name, parameter in own.items():
            yield ("parameter", f"{name} of {rule}"), json.dumps(parameter["value"], ensure_ascii=False)
