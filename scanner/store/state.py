"""The state folder: who may write, what a killed scan leaves, and the one atomic step that makes a scan real.

<state>/lock               held by the one writer
<state>/store.duckdb       replaced as a whole, never written in place: readers are never blocked
<state>/staging/<scan-id>/ work of a scan under way; swept, or completed, by the next writer
<state>/scans/<scan-id>/   one folder per committed scan

A commit, each step on disk before the next, in plain text:

1. the files of the scan, and the store, in staging
2. staging/<id>/store.duckdb takes the place of the store          <- the scan is real
3. the scan's files move to scans/<id>; staging goes

and sealed, where staging may be lost with the power and must be the only place of plain text:

1. each file of the scan is sealed into pending/<id>/scan
2. the store is sealed into pending/<id>/store.duckdb.age
3. pending/<id>/complete is written
4. pending/<id>/store.duckdb.age takes the place of the store      <- the scan is real
5. staging goes
6. the sealed files move to scans/<id>; pending/<id> goes

After a kill the next writer sweeps staging. A pending folder without `complete`, or whose store still lies in it, came
to nothing and is swept as well; from one whose store is gone, step 6 is done again. No key is needed for that.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner.errors import LockedError, StoreError
from scanner.sealing import SUFFIX, Keys
from scanner.sealing import sync as _fsync
from scanner.store import vault

_log = logging.getLogger(__name__)
STORE = vault.STORE
TOKEN = "commit-token"  # noqa: S105 - names a scan, opens nothing
PENDING = "pending"
_COMPLETE = "complete"


@contextlib.contextmanager
def writing(state: Path, command: str) -> Iterator[None]:
    """Hold the state folder's lock, after completing or sweeping what a killed writer left.

    Raises LockedError that says who holds it, StoreError if the folder cannot be used, ConfigError if it is to be
    sealed and cannot be.
    """
    found = vault.keys_of(state)
    try:
        vault.private(state)
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
        is_whole = vault.sealed_to(state) is not None and not vault.plain_beside(state)
        if found is not None and not is_whole and (count := vault.seal_all(state, found)):
            _log.warning("%d files that lay in plain text in %s are sealed now", count, state)
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
    staging = vault.staging(state) / scan_id
    found = vault.keys_of(state)
    try:
        vault.private_staging(state)
        staging.mkdir(parents=True, mode=0o700)
        (staging / "scan").mkdir(mode=0o700)
        (staging / TOKEN).write_text(os.urandom(16).hex())
        if found is not None and (state / (STORE + SUFFIX)).exists():
            found.open(state / (STORE + SUFFIX), staging / STORE)
        elif (state / STORE).exists():
            shutil.copyfile(state / STORE, staging / STORE)
            (staging / STORE).chmod(0o600)
    except FileExistsError as exc:
        raise StoreError(f"{staging} is there already; try again") from exc
    except OSError as exc:
        discard(staging)  # half a copy fills a full disk for nothing
        raise StoreError(f"cannot write to {staging}: {exc.strerror}") from exc
    except StoreError:
        discard(staging)
        raise
    return staging


def commit(state: Path, staging: Path) -> Path:
    """Make a finished scan real: replace the store, then move the scan's folder into place; returns that folder.

    The replacement is the one atomic step. A kill before it leaves the store as it was; after it, the next writer
    moves what is still in staging, and readers look there too.
    """
    found = vault.keys_of(state)
    if found is not None:
        return _commit_sealed(state, staging, found)
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


def _commit_sealed(state: Path, staging: Path, found: Keys) -> Path:
    pending = state / PENDING / staging.name
    folder = staging / "scan"
    try:
        shutil.rmtree(pending, ignore_errors=True)
        pending.mkdir(parents=True, mode=0o700)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            target = pending / "scan" / path.relative_to(folder)
            if vault.is_sealed_kind(found, folder, path):
                found.seal(path, target.with_name(target.name + SUFFIX))
            else:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copyfile(path, target)
                target.chmod(0o600)
                _fsync(target)
                _fsync(target.parent)
        found.seal(staging / STORE, pending / (STORE + SUFFIX))
        (pending / _COMPLETE).touch(mode=0o600)
        for made in (pending, pending.parent, state):
            _fsync(made)
        (pending / (STORE + SUFFIX)).replace(state / (STORE + SUFFIX))
        _fsync(state)
    except OSError as exc:
        raise StoreError(f"cannot commit the scan to {state}: {exc.strerror}; nothing was changed") from exc
    discard(staging)
    return _settle(state, pending)


def replace_store(state: Path, staging: Path) -> None:
    """Put the store of a staging folder in the place of the one that stands, in one atomic step."""
    found = vault.keys_of(state)
    if found is not None:
        found.seal(staging / STORE, state / (STORE + SUFFIX))
        return
    try:
        (staging / STORE).chmod(0o600)
        _fsync(staging / STORE)
        (staging / STORE).replace(state / STORE)
        _fsync(state)
    except OSError as exc:
        raise StoreError(f"cannot replace the store in {state}: {exc.strerror}; nothing was changed") from exc


def _settle(state: Path, pending: Path) -> Path:
    """Move what a sealed commit left to its place."""
    target = state / "scans" / pending.name
    _move(state, pending / "scan", target)
    shutil.rmtree(pending, ignore_errors=True)
    return target


def is_real(pending: Path) -> bool:
    """Whether the commit that this pending folder is of has taken place."""
    return (pending / _COMPLETE).exists() and not (pending / (STORE + SUFFIX)).exists()


def discard(staging: Path) -> None:
    """Remove the work folder of a scan that came to nothing."""
    shutil.rmtree(staging, ignore_errors=True)


def _promote(state: Path, staging: Path) -> Path:
    target = state / "scans" / staging.name
    _move(state, staging / "scan", target)
    discard(staging)
    return target


def _move(state: Path, folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state / "scans").chmod(0o700)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(place)
    for made in (target, target.parent, state):
        _fsync(made)


def _recover(state: Path) -> None:
    """Complete the scans that are in the store; sweep what else is in staging, except what living readers opened."""
    for pending in sorted((state / PENDING).glob("*")):
        if is_real(pending):
            _settle(state, pending)
        shutil.rmtree(pending, ignore_errors=True)
    for base in {state / "staging", vault.staging(state)}:
        for staging in sorted(base.glob("*")):
            if is_committed(state, staging):
                _promote(state, staging)
            elif not vault.is_held(staging):
                discard(staging)


def is_committed(state: Path, staging: Path) -> bool:
    """Whether the store already holds the scan of this staging folder, and its files are still needed from there."""
    if (state / (STORE + SUFFIX)).exists():
        return False  # a sealed commit needs nothing of staging any more
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
    """Open a store file for reading; raises StoreError when it is damaged or of another version.

    The store of a state folder is opened first where it is sealed.
    """
    if path.name == STORE and path.with_name(STORE + SUFFIX).exists():
        path = vault.store_file(path.parent)
    try:
        con = duckdb.connect(str(path), read_only=True)
        row = con.execute("select value from meta where key = 'schema_version'").fetchone()
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the store {path}: {str(exc).splitlines()[0]}") from exc
    if row != ("3",):
        raise StoreError(f"the store {path} was written by another version of orphanscan; use that version to read it")
    return con


def scan_no(con: duckdb.DuckDBPyConnection, scan_id: str) -> int:
    """Return the number of a stored scan; 0 if the store, the main database of `con`, does not hold it."""
    row = con.execute("select scan_no from scans where scan_id = $id", {"id": scan_id}).fetchone()
    return int(row[0]) if row else 0
