"""What changed between two sealed scans: rules, parameters, policy inputs, waivers, configuration, program."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner import evidence
from scanner.errors import StoreError
from scanner.model import Scan
from scanner.report.background import CHANGES, Background, Change
from scanner.store import scans

DIGITS = 12
"""Of a hash that stands for a version."""


@dataclass(frozen=True, slots=True)
class _State:
    """What a scan judged by, as its evidence says: kind and name -> value or hash."""

    scan: Scan
    things: Mapping[tuple[str, str], str]
    file: str
    """Which configuration file it was, when it was written, and whose it is; empty if that is not known."""
    unknown: frozenset[str]
    """Kinds of which its evidence says nothing: it is older than this program, or was purged."""


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
    known = [thing for thing in {*earlier.things, *later.things} if thing[0] not in earlier.unknown | later.unknown]
    for kind, name in sorted(known, key=lambda thing: (CHANGES.index(thing[0]), thing[1])):
        before, after = earlier.things.get((kind, name), ""), later.things.get((kind, name), "")
        if before != after:
            if kind == "configuration" and earlier.file and later.file:
                before, after = earlier.file, later.file
            yield Change(scan.id, scan.as_of, kind, name, before, after)


def _read(folder: Path, scan: Scan) -> _State:
    """Read manifest and parameters, which are small; the manifest must be the one that sealed the scan."""
    place = folder / "evidence"
    try:
        data = (place / evidence.MANIFEST).read_bytes()
        if evidence.sha256(place / evidence.MANIFEST) != scan.manifest_sha256:
            raise StoreError(f"{place / evidence.MANIFEST} is not the manifest that sealed this scan: it was changed")
        files: dict[str, str] = {file["path"]: file["sha256"] for file in json.loads(data)["files"]}
        parameters = _sealed(place, files, "parameters.json")
        configuration = _sealed(place, files, evidence.CONFIGURATION, is_needed=False)
        waivers = _sealed(place, files, "waivers.json", is_needed=False)
    except (OSError, ValueError, KeyError) as exc:
        raise StoreError(f"cannot read the evidence in {place}: {exc}") from exc
    things = dict(_things(scan, files, parameters))
    if configuration is not None:
        things |= dict(_settings(configuration))
    unknown = {kind for kind, found in (("setting", configuration), ("waiver", waivers)) if found is None}
    file = _version(scan, configuration) if configuration is not None else ""
    return _State(scan, things | dict(_waivers(waivers or ())), file, frozenset(unknown))


def _sealed(place: Path, files: Mapping[str, str], name: str, *, is_needed: bool = True) -> Any:
    """Return a small JSON file of sealed evidence; None if it may be missing and is."""
    path = place / name
    if not is_needed and (name not in files or not path.exists()):
        return None
    if evidence.sha256(path) != files[name]:
        raise StoreError(f"{path} was changed after the scan was sealed")
    return json.loads(path.read_bytes())


def _version(scan: Scan, configuration: Mapping[str, Any]) -> str:
    """Say which file it was, when it was written and whose it is: who wrote it, the system does not know."""
    at = datetime.fromisoformat(configuration["modified_at"]).astimezone(UTC)
    return f"{scan.config_sha256[:DIGITS]}, written {at:%Y-%m-%d %H:%M} UTC, owned by {configuration['owner']}"


def _settings(configuration: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for name, value in configuration["keys"].items():
        if not name.startswith("rules.params."):  # told as parameters, with the rule that they are of
            yield ("setting", name), value


def _waivers(waivers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in waivers:
        yield (
            ("waiver", f"{one['id']} of {one['rule']}"),
            f"{one['status'].replace('_', ' ')}, until {one['expires_on']}",
        )


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
