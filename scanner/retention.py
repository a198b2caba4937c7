"""Retention: what of a state folder is older than it may be kept, and its removal; manifests and counts stay.

A purge is written down before anything is removed, in chained lines in `<state>/purged.ndjson`: a file that is missing
later is either told of there, or was taken away. The latest scan is never touched. A legal hold wins: the bundles hold
the data of everybody, so that one hold keeps them all; of the rows in the store it keeps those of the person.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from scanner import access_log, chain
from scanner.errors import StoreError
from scanner.model import Scan
from scanner.store import purging, scans

FILE = "purged.ndjson"
CLASSES = ("reports", "evidence", "plans", "history")
_STAYS = ("evidence/parameters.json", "evidence/rules/", "evidence/frameworks/")
"""Of the evidence: what names nobody, and by which later scans tell what changed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is older than its class may be kept."""

    kind: str
    """One of CLASSES."""
    name: str
    """Id of the scan, name of the plan, or table of the store."""
    count: int
    """Files or rows."""
    files: tuple[Path, ...] = ()
    manifest_sha256: str = ""
    held: str = ""
    """Why it stays all the same."""


def due(state: Path, days: Mapping[str, int], holds: Sequence[tuple[str, str]], now: datetime) -> tuple[Item, ...]:
    """Return what is due for removal.

    Args:
        state: the state folder.
        days: class -> how many days it may be kept; a class that is missing is kept.
        holds: people under a legal hold, as written (person id, employee number or e-mail), with the reference.
        now: the clock.
    """
    return tuple(_due(state, days, holds, now))


def _due(state: Path, days: Mapping[str, int], holds: Sequence[tuple[str, str]], now: datetime) -> Iterator[Item]:
    known = scans.stored(state)
    held = f"{len(holds)} legal holds" if holds else ""
    for kind in ("reports", "evidence"):
        for scan in known[:-1]:
            if kind in days and scan.as_of < now - timedelta(days=days[kind]):
                files = tuple(_files(scans.place_of(state, scan.id), kind))
                if files:
                    yield Item(kind, scan.id, len(files), files, scan.manifest_sha256, held)
    if "plans" in days:
        limit = (now - timedelta(days=days["plans"])).timestamp()
        for path in sorted((state / "plans").glob("plan-*")):
            if path.stat().st_mtime < limit:
                yield Item("plans", path.name, 1, (path,), held=held)
    if "history" in days:
        before = _scan_before(known, now - timedelta(days=days["history"]))
        if before is not None:
            for table, count in purging.ended(state, before, [who for who, _ in holds]).items():
                if count:
                    yield Item("history", table, count)


def _files(place: Path, kind: str) -> Iterator[Path]:
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place).as_posix()
        stays = path.name.startswith("manifest.") or inside.startswith(_STAYS)
        if path.is_file() and not stays and inside.startswith("reports/") == (kind == "reports"):
            yield path


def _scan_before(known: Sequence[Scan], limit: datetime) -> str | None:
    """Return the last scan of before an instant; never the latest of all."""
    old = [scan.id for scan in known[:-1] if scan.as_of < limit]
    return old[-1] if old else None


def purge(state: Path, items: Sequence[Item], holds: Sequence[tuple[str, str]], before: str | None) -> int:
    """Remove what is due and not held; call it while the state folder is locked. Returns how many files and rows."""
    chosen = [item for item in items if not item.held]
    written = {(entry["kind"], entry["name"], entry["manifest_sha256"]) for entry in purged(state).of("purge")}
    for item in chosen:
        # A kill in the middle leaves some of the files; the second run removes them under the same line.
        if item.kind == "history" or (item.kind, item.name, item.manifest_sha256) not in written:
            _note(state, item)
    count = 0
    for item in chosen:
        for path in item.files:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in item.files}, key=lambda path: -len(path.parts)):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        count += item.count
    if before is not None and any(item.kind == "history" for item in chosen):
        purging.purge(state, before, [who for who, _ in holds])
    return count


def history_before(state: Path, days: Mapping[str, int], now: datetime) -> str | None:
    """Return the scan before which rows of the store that ended are due; None if nothing is."""
    return _scan_before(scans.stored(state), now - timedelta(days=days["history"])) if "history" in days else None


def purged(state: Path) -> chain.Chain:
    """Return what was purged, its chain proven; StoreError that names the line if it was changed."""
    path = state / FILE
    return chain.read(path, "the list of what was purged") if path.exists() else chain.Chain()


def purged_scans(state: Path, kind: str) -> dict[str, str]:
    """Return scan id -> when its evidence, or its reports, were purged."""
    return {str(entry["name"]): str(entry["at"]) for entry in purged(state).of("purge") if entry["kind"] == kind}


def refuse_purged(state: Path, scan_id: str) -> None:
    """Raise StoreError if the evidence of a scan was purged."""
    at = purged_scans(state, "evidence").get(scan_id)
    if at is not None:
        raise StoreError(f"the evidence of scan {scan_id} was purged on {at}; only its manifest and its rules are kept")


def _note(state: Path, item: Item) -> None:
    fields = {"kind": item.kind, "name": item.name, "count": item.count, "manifest_sha256": item.manifest_sha256}
    write_down(state, "purge", fields)


def write_down(state: Path, event: str, fields: Mapping[str, object]) -> None:
    """Append what is about to be removed, and by whom; StoreError, and then remove nothing, if it cannot be written."""
    path = state / FILE
    known = purged(state)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; nothing is removed") from None
    try:
        os.ftruncate(file, known.size)
        chain.put(file, path, chain.line(event, len(known.entries) + 1, known.head, {**access_log.who(), **fields}))
    finally:
        os.close(file)
