"""The journal of a run: append-only lines of JSON, each with the SHA-256 of the one before, on disk before a call.

A line counts once its newline is on disk. What a crash left without one was never followed by a call, and is dropped
when the run is continued.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from scanner.errors import StoreError

FILE = "journal.ndjson"
_START = "0" * 64
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """A journal as read, its chain proven."""

    entries: tuple[Entry, ...]
    head: str
    """SHA-256 of the last line."""
    size: int
    """Bytes up to the end of the last whole line."""

    @property
    def is_ended(self) -> bool:
        """Whether the run came to its end."""
        return any(entry["event"] == "end" for entry in self.entries)

    def of(self, event: str) -> Iterator[Entry]:
        """Yield the entries of one kind."""
        return (entry for entry in self.entries if entry["event"] == event)


def read(run_folder: Path) -> Chain:
    """Return a journal; StoreError that names the line if it was changed, cut in the middle or cannot be read."""
    path = run_folder / FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    lines = data.split(b"\n")
    size = len(data) - len(lines.pop())
    entries: list[Entry] = []
    head = _START
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            is_next = entry["prev"] == head and entry["seq"] == number and isinstance(entry["event"], str)
        except (ValueError, KeyError, TypeError):
            is_next = False
        if not is_next:
            raise StoreError(f"{path}, line {number}: the journal was changed; compare it with a backup")
        entries.append(entry)
        head = hashlib.sha256(line).hexdigest()
    return Chain(tuple(entries), head, size)


class Journal:
    """Appends to the journal of one run; on disk when `append` returns."""

    def __init__(self, run_folder: Path) -> None:
        """Open the journal, a new one if there is none, and drop a line that a crash left half written."""
        path = run_folder / FILE
        is_new = not path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            if is_new:
                self._head, self._seq = _START, 0
                _sync_folder(run_folder)
            else:
                chain = read(run_folder)
                os.ftruncate(self._file, chain.size)
                self._head, self._seq = chain.head, len(chain.entries)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from None
        self._path = path

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def append(self, event: str, **fields: object) -> None:
        """Write one entry and wait until it is on disk; StoreError if it could not be written in full."""
        entry = {
            "seq": self._seq + 1,
            "prev": self._head,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            **fields,
        }
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
        try:
            if os.write(self._file, line + b"\n") != len(line) + 1:
                raise StoreError(f"cannot write {self._path}: the disk took a part only")
            os.fsync(self._file)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}; nothing further is sent") from None
        self._head, self._seq = hashlib.sha256(line).hexdigest(), self._seq + 1


def save(run_folder: Path, name: str, content: bytes) -> dict[str, object]:
    """Keep something beside the journal, on disk when this returns; returns what the journal says of it."""
    folder = run_folder / "saved"
    path = folder / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(folder)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; nothing further is sent") from None
    return {"file": f"saved/{name}", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
