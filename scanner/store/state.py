"""The state folder: who may write, what a killed scan leaves, and the one atomic step that makes a scan real.

<state>/lock               held by the one writer
<state>/store.duckdb       replaced as a whole, never written in place: readers are never blocked
<state>/staging/<scan-id>/ work of a scan under way; swept, or completed, by the next writer
<state>/scans/<scan-id>/   one folder per committed scan
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner.errors import LockedError, StoreError

STORE = "store.duckdb"
TOKEN = "commit-token"  # noqa: S105 - names a scan, opens nothing


@contextlib.contextmanager
def writing(state: Path, command: str) -> Iterator[None]:
    """Hold the state folder's lock, after completing or sweeping what a killed writer left.

    Raises LockedError that says who holds it, StoreError if the folder cannot be used.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StoreError(f"cannot use the state folder {state}: {exc.strerror}; check its owner and mode") from exc
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise LockedError(_held_by(state)) from exc
        os.ftruncate(handle, 0)
        holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.pwrite(handle, json.dumps(holder).encode(), 0)
        _recover(state)
        yield
    finally:
        # Closing releases the lock, also when the process is killed: there is no stale lock to clean up.
        os.close(handle)


def _held_by(state: Path) -> str:
    try:
        holder = json.loads((state / "lock").read_text())
        who = f"`orphanscan {holder['command']}` (process {holder['pid']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return f"{who} is writing to {state}; wait until it ends, or stop it, and try again"


def new_staging(state: Path, scan_id: str) -> Path:
    """Make the private work folder of a scan, with a copy of the store in it if there is one."""
    staging = state / "staging" / scan_id
    try:
        staging.mkdir(parents=True, mode=0o700)
        (staging / "scan").mkdir(mode=0o700)
        (staging / TOKEN).write_text(os.urandom(16).hex())
        if (state / STORE).exists():
            shutil.copyfile(state / STORE, staging / STORE)
            (staging / STORE).chmod(0o600)
    except OSError as exc:
        raise StoreError(f"cannot write to {staging}: {exc.strerror}") from exc
    return staging


def commit(state: Path, staging: Path) -> Path:
    """Make a finished scan real: replace the store, then move the scan's folder into place; returns that folder.

    The replacement is the one atomic step. A kill before it leaves the store as it was; after it, the next writer
    moves what is still in staging, and readers look there too.
    """
    try:
        for path in sorted(p for p in (staging / "scan").rglob("*") if p.is_file()):
            path.chmod(0o600)
            _fsync(path)
        (staging / STORE).chmod(0o600)
        _fsync(staging / STORE)
        (staging / STORE).replace(state / STORE)
        _fsync(state)
    except OSError as exc:
        raise StoreError(f"cannot commit the scan to {state}: {exc.strerror}; nothing was changed") from exc
    return _promote(state, staging)


def discard(staging: Path) -> None:
    """Remove the work folder of a scan that came to nothing."""
    shutil.rmtree(staging, ignore_errors=True)


def _promote(state: Path, staging: Path) -> Path:
    target = state / "scans" / staging.name
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state / "scans").chmod(0o700)
    for path in sorted(p for p in (staging / "scan").rglob("*") if p.is_file()):
        place = target / path.relative_to(staging / "scan")
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(place)
    _fsync(target)
    discard(staging)
    return target


def _recover(state: Path) -> None:
    """Complete the staging folders whose scan is in the store; sweep the others."""
    for staging in sorted((state / "staging").glob("*")):
        if is_committed(state, staging):
            _promote(state, staging)
        else:
            discard(staging)


def is_committed(state: Path, staging: Path) -> bool:
    """Whether the store already holds the scan of this staging folder."""
    try:
        token = (staging / TOKEN).read_text()
    except OSError:
        return False
    if not (state / STORE).exists():
        return False
    with open_store(state / STORE) as con:
        row = con.execute("select count(*) from scans where commit_token = $token", {"token": token}).fetchone()
    return row is not None and row[0] > 0


def open_store(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a store file for reading; raises StoreError when it is damaged or of another version."""
    try:
        con = duckdb.connect(str(path), read_only=True)
        row = con.execute("select value from meta where key = 'schema_version'").fetchone()
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the store {path}: {str(exc).splitlines()[0]}") from exc
    if row != ("2",):
        raise StoreError(f"the store {path} was written by another version of orphanscan; use that version to read it")
    return con


def scan_no(con: duckdb.DuckDBPyConnection, scan_id: str) -> int:
    """Return the number of a stored scan; 0 if the store, the main database of `con`, does not hold it."""
    row = con.execute("select scan_no from scans where scan_id = $id", {"id": scan_id}).fetchone()
    return int(row[0]) if row else 0


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
