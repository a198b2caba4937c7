"""What of a state folder is sealed at rest, and the one opener through which everything reads it.

<state>/store.duckdb.age         in place of store.duckdb
<state>/scans/<scan-id>/**.age   each file sealed; `manifest.*` stay readable: they hold hashes, and prove the chain
<state>/notices/*.json.age       what waits to be told; through `beside`, as are reviews
<state>/reviews/**.age           what was asked of whom, and workbooks that lie there
<state>/pending/<scan-id>/       the sealed files of a commit under way; `scanner.store.state` has its steps in order
<state>/sealed.json              written once nothing is left in plain text: to whom all is sealed
<staging>/open-*/                what a process has opened; `held` is locked while it lives, so that nobody sweeps it

Without [encryption] the same functions return the files themselves. Plans, journals, the access log and the key of the
pseudonyms are never sealed: a journal line must be on disk before a request is sent.
"""

import atexit
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scanner.errors import ConfigError, StoreError
from scanner.sealing import SUFFIX, Keys, keys, replaced, sync
from scanner.settings import EncryptionSettings

_log = logging.getLogger(__name__)
STORE = "store.duckdb"
_MARK = "sealed.json"
_PROGRESS = "rotate.progress"
_PLAIN = "manifest."
_HELD = "held"
_BESIDE = ("notices", "reviews")
_LOCK = "lock"
_MAKING_SECONDS = 60
"""A folder without a lock is being made, unless it is older."""

# A secret of this process, as its environment is: named by the configuration, which only the command line has read.
_settings: dict[Path, EncryptionSettings] = {}
_keys: dict[Path, Keys] = {}
_sessions: dict[Path, Path] = {}
_opening = threading.RLock()


def use(state: Path, settings: EncryptionSettings | None) -> None:
    """Say with which keys this process opens and seals a state folder."""
    _keys.pop(state, None)
    _settings.pop(state, None)
    if settings is not None:
        _settings[state] = settings


def keys_of(state: Path) -> Keys | None:
    """Return the keys of a state folder, proven; None where nothing is to be sealed. ConfigError if they do not fit."""
    if state not in _settings:
        if is_sealed(state):
            raise ConfigError(
                f"{state} is sealed, and no [encryption] says with which key it opens; name the configuration with -c."
                " To end the sealing, run `orphanscan key unseal` while [encryption] is there, then remove it"
            )
        return None
    if state not in _keys:
        _keys[state] = keys(_settings[state])
    return _keys[state]


def is_sealed(state: Path) -> bool:
    """Whether something in a state folder needs a key."""
    if (state / _MARK).exists() or (state / (STORE + SUFFIX)).exists():
        return True
    return any(path.suffix == SUFFIX for path in _beside(state))


def staging(state: Path) -> Path:
    """Return the folder of everything that is being worked on in plain text."""
    chosen = _settings[state].staging if state in _settings else None
    if chosen is None:
        return state / "staging"
    return chosen / hashlib.sha256(os.fsencode(state)).hexdigest()[:16]


def has_store(state: Path) -> bool:
    """Whether there is a store, sealed or not."""
    return (state / STORE).exists() or (state / (STORE + SUFFIX)).exists()


def stored_bytes(state: Path) -> int:
    """Return the size of the store as it lies there; 0 if there is none."""
    return sum(path.stat().st_size for path in (state / STORE, state / (STORE + SUFFIX)) if path.exists())


def store_file(state: Path) -> Path:
    """Return where the store can be read, opened if it is sealed; the path need not exist."""
    sealed, found = state / (STORE + SUFFIX), keys_of(state)
    if found is None or not sealed.exists():
        return state / STORE
    with _opening:
        facts = sealed.stat()
        target = session(state) / f"store-{facts.st_ino}-{facts.st_mtime_ns}" / STORE
        if not target.exists():
            found.open(sealed, target)
    return target


def scan_folder(state: Path, scan_id: str, *places: Path) -> Path:
    """Return where the folder of a scan can be read, opened if it is sealed.

    Of several places, as while a commit moves files from one to the other, the later ones count.
    """
    found = keys_of(state)
    if found is None or not any(path for place in places for path in place.rglob(f"*{SUFFIX}")):
        return places[0]
    target = session(state) / "scans" / scan_id
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _opening:
        for place in places:
            _open_folder(found, place, target)
    return target


def _open_folder(found: Keys, place: Path, target: Path) -> None:
    for path in sorted(p for p in place.rglob("*") if p.is_file() and not p.name.endswith(".part")):
        inside = path.relative_to(place)
        if path.suffix == SUFFIX:
            opened = target / inside.with_suffix("")
            if not opened.exists() or opened.stat().st_mtime_ns < path.stat().st_mtime_ns:
                found.open(path, opened)
        elif not path.with_name(path.name + SUFFIX).exists():
            (target / inside).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(path, target / inside)
            (target / inside).chmod(0o600)


@contextlib.contextmanager
def opened(state: Path, readable: Callable[[], Path]) -> Iterator[Path]:
    """Give a readable folder that goes again, if it had to be opened: for who reads many, one after the other."""
    folder = readable()
    try:
        yield folder
    finally:
        if state in _sessions and _sessions[state] in folder.parents:
            shutil.rmtree(folder, ignore_errors=True)


def keep(state: Path, place: Path, readable: Path, written: Path) -> Path:
    """Put a file that was written into a readable scan folder where it belongs; returns where it lies then."""
    found = keys_of(state)
    if found is None or readable == place:
        return written
    target = place / written.relative_to(readable)
    if is_sealed_kind(found, place, target):
        sealed = target.with_name(target.name + SUFFIX)
        found.seal(written, sealed)
        target.unlink(missing_ok=True)
        return sealed
    replaced(target, lambda part: part.write(written.read_bytes()))
    target.with_name(target.name + SUFFIX).unlink(missing_ok=True)
    return target


def is_sealed_kind(found: Keys, folder: Path, path: Path) -> bool:
    """Whether a file of a scan's folder is to be sealed."""
    inside = path.relative_to(folder).parts
    return not path.name.startswith(_PLAIN) and (found.seal_reports or inside[0] != "reports")


@contextlib.contextmanager
def workdir(state: Path) -> Iterator[Path]:
    """Give a private folder in staging that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="work-", dir=session(state)) as folder:
        yield Path(folder)


def session(state: Path) -> Path:
    """Return the private folder in staging of this process; it ends with the process, or is swept after a kill."""
    if state in _sessions and _sessions[state].is_dir():
        return _sessions[state]
    base = staging(state)
    try:
        private_staging(state)
        folder = Path(tempfile.mkdtemp(prefix="open-", dir=base))
        handle = os.open(folder / "taking", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # The name appears only with the lock on it.
        (folder / "taking").rename(folder / _HELD)
    except OSError as error:
        raise StoreError(f"cannot write to {base}: {error.strerror}; check its owner and mode") from None
    _sessions[state] = folder
    atexit.register(shutil.rmtree, folder, True)
    return folder


def is_held(folder: Path) -> bool:
    """Whether a living process works in a folder of staging."""
    try:
        handle = os.open(folder / _HELD, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return folder.name.startswith("open-") and time.time() - folder.stat().st_mtime < _MAKING_SECONDS
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def private(folder: Path) -> None:
    """Make a folder for its owner alone, or close one that others may look into: that closes all below it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        _log.warning("%s was open to others (mode %04o); it is closed now", folder, mode)
        folder.chmod(0o700)


def private_staging(state: Path) -> Path:
    """Make the staging folder; StoreError if somebody else made it first, who could look into it."""
    base = staging(state)
    private(base)
    if base.stat().st_uid not in (os.getuid(), state.stat().st_uid):
        raise StoreError(f"{base} belongs to another user; choose another staging folder in [encryption]")
    return base


def plain_files(state: Path, found: Keys) -> list[Path]:
    """Return what should be sealed and is not, the store last."""
    scans = state / "scans"
    left = [
        path
        for folder in sorted(scans.glob("*"))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != SUFFIX and is_sealed_kind(found, folder, path)
    ]
    left += [path for path in _beside(state) if path.suffix != SUFFIX and path.name != _LOCK]
    return left + ([state / STORE] if (state / STORE).exists() else [])


def _beside(state: Path) -> list[Path]:
    """Return the files beside the store that name people."""
    return [path for name in _BESIDE for path in sorted((state / name).rglob("*")) if path.is_file()]


def plain_beside(state: Path) -> bool:
    """Whether a file beside the store lies in plain text, as earlier versions of orphanscan left them."""
    return any(path.suffix != SUFFIX and path.name != _LOCK for path in _beside(state))


def _is_older(state: Path, path: Path) -> bool:
    """Whether the sealed form of a file counts: `beside` writes it first, and a kill may leave the plain one."""
    return path.relative_to(state).parts[0] in _BESIDE and path.with_name(path.name + SUFFIX).exists()


@contextlib.contextmanager
def _no_sending(state: Path) -> Iterator[None]:
    """Wait until no run sends notices, and keep others from it: what they note must not be lost between two forms."""
    lock = state / _BESIDE[0] / _LOCK
    if not lock.exists():
        yield
        return
    handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sealed_files(state: Path) -> list[Path]:
    """Return every sealed file, the store last."""
    found = sorted(path for path in (state / "scans").rglob(f"*{SUFFIX}") if path.is_file())
    found += [path for path in _beside(state) if path.suffix == SUFFIX]
    store = state / (STORE + SUFFIX)
    return [*found, store] if store.exists() else found


def sealed_to(state: Path) -> tuple[str, ...] | None:
    """Return to whom all of a state folder is sealed; None while something may be in plain text."""
    try:
        return tuple(json.loads((state / _MARK).read_bytes())["recipients"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def seal_all(state: Path, found: Keys, on_file: Callable[[Path], None] = lambda path: None) -> int:
    """Seal what is in plain text; returns how many files. A kill leaves each file in one form or in both.

    Call it while the state folder is locked. The plain file is removed after the sealed one is on disk.
    """
    with _no_sending(state):
        left = plain_files(state, found)
        for path in left:
            if not path.name.endswith(".part") and not _is_older(state, path):
                found.seal(path, path.with_name(path.name + SUFFIX))
                on_file(path)
            path.unlink(missing_ok=True)  # a half written file was replaced by the whole one
    # DuckDB's log of a store that a kill left is of no use beside a sealed one, and holds rows.
    (state / f"{STORE}.wal").unlink(missing_ok=True)
    if sealed_to(state) is None:
        _mark(state, found.recipients)
    return len(left)


def unseal_all(state: Path, found: Keys, on_file: Callable[[Path], None] = lambda path: None) -> int:
    """Put plain files in place of all sealed ones; returns how many. A kill leaves both, or either."""
    (state / _MARK).unlink(missing_ok=True)
    sync(state)
    with _no_sending(state):
        left = sealed_files(state)
        for path in left:
            found.open(path, path.with_suffix(""))
            path.unlink()
            on_file(path)
    return len(left)


def rotate(state: Path, found: Keys, on_file: Callable[[Path], None] = lambda path: None) -> int:
    """Seal everything to the recipients of now; returns how many files. After a kill it goes on where it stopped.

    Every file is at any time sealed to the recipients of before or to those of now, and is replaced in one step.
    """
    seal_all(state, found)
    progress = state / _PROGRESS
    head = json.dumps(found.recipients)
    done = progress.read_text().splitlines() if progress.exists() else []
    if not done or done[0] != head:
        replaced(progress, lambda part: part.write(f"{head}\n".encode()))
    count = 0
    with progress.open("a") as noted, _no_sending(state):
        for path in sealed_files(state):
            name = str(path.relative_to(state))
            if done[:1] == [head] and name in done[1:] and path.suffix == SUFFIX and path.name != STORE + SUFFIX:
                continue
            found.reseal(path)
            count += 1
            noted.write(f"{name}\n")
            noted.flush()
            on_file(path)
    _mark(state, found.recipients)
    progress.unlink()
    return count


def _mark(state: Path, recipients: tuple[str, ...]) -> None:
    document = json.dumps({"schema": "orphanscan.sealed/1", "recipients": recipients}).encode()
    replaced(state / _MARK, lambda part: part.write(document))
