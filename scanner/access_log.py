"""Who was shown identified data, when and why: chained lines in `<state>/access.ndjson`, on disk before data is shown.

The log itself names no subject of the data: a person whom a command was about stands in it as their pseudonym. It
records what goes through orphanscan; who may read the files of the state folder can read them without it.
"""

import fcntl
import hashlib
import json
import os
import pwd
from dataclasses import asdict, dataclass
from pathlib import Path

from scanner import chain
from scanner.errors import StoreError

FILE = "access.ndjson"
_TAIL = 64 * 1024
"""Longer than any line: reasons are cut."""
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Access:
    """One time that identified data was shown or handed out."""

    command: str
    """Of orphanscan, such as `findings`."""
    scan: str = ""
    """Id of the scan that was read; empty where the command reads all of them, or none."""
    privacy: str = "L2"
    """Level of what was shown."""
    count: int = 0
    """Rows, findings or reports that were shown."""
    subject: str = ""
    """Pseudonym of the one person whom the command is about."""
    recipient: str = ""
    """For whom, as the person at the keyboard said."""
    reason: str = ""
    """Why, as the person at the keyboard said."""


def record(state: Path, access: Access) -> None:
    """Append one access; call it before anything is shown. StoreError if it cannot be written: then show nothing."""
    path = state / FILE
    fields = {key: value[:_LONGEST] if isinstance(value, str) else value for key, value in asdict(access).items()}
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        seq, head = _last(file, path)
        chain.put(file, path, chain.line("read", seq + 1, head, {**who(), **fields}))
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        os.close(file)


def entries(state: Path) -> chain.Chain:
    """Return the whole log, its chain proven; StoreError that names the line if it was changed."""
    path = state / FILE
    return chain.read(path, "the access log") if path.exists() else chain.Chain()


def who() -> dict[str, str]:
    """Return the user of this process by the system's accounts, and by `sudo` who stands behind it."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container, a number without a name
        name = f"uid {uid}"
    return {"user": name, "sudo_user": os.environ.get("SUDO_USER", "")}


def _last(file: int, path: Path) -> tuple[int, str]:
    """Return number and SHA-256 of the last line, after dropping one that a crash left half written."""
    size = os.fstat(file).st_size
    tail = os.pread(file, min(size, _TAIL), max(0, size - _TAIL))
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(file, size - len(tail) + len(whole))
    if not whole and size < _TAIL:
        return 0, chain.START
    line = whole[:-1].rsplit(b"\n", 1)[-1]
    try:
        return int(json.loads(line)["seq"]), hashlib.sha256(line).hexdigest()
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            f"the last line of {path} is damaged, so nothing is shown; keep the file, and move it away to begin anew"
        ) from None


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"who reads identified data is recorded in {path}, which cannot be written ({error.strerror}); nothing is shown"
    )
