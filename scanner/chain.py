"""Lines of JSON, each with the SHA-256 of the one before: a line that was changed, added or taken out shows.

A line counts once its newline is on disk. Who cuts lines off at the end leaves a chain that is whole: compare its
length and head with what was noted elsewhere.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner.errors import StoreError

Entry = Mapping[str, Any]
START = "0" * 64


@dataclass(frozen=True, slots=True)
class Chain:
    """A file of chained lines as read, its chain proven."""

    entries: tuple[Entry, ...] = ()
    head: str = START
    """SHA-256 of the last line."""
    size: int = 0
    """Bytes up to the end of the last whole line."""

    @property
    def is_ended(self) -> bool:
        """Whether what the lines tell came to its end."""
        return any(entry["event"] == "end" for entry in self.entries)

    def of(self, event: str) -> Iterator[Entry]:
        """Yield the entries of one kind."""
        return (entry for entry in self.entries if entry["event"] == event)


def read(path: Path, what: str) -> Chain:
    """Return the lines of a file; StoreError that names the line if `what` was changed, cut or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    lines = data.split(b"\n")
    size = len(data) - len(lines.pop())
    entries: list[Entry] = []
    head = START
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            is_next = entry["prev"] == head and entry["seq"] == number and isinstance(entry["event"], str)
        except (ValueError, KeyError, TypeError):
            is_next = False
        if not is_next:
            raise StoreError(f"{path}, line {number}: {what} was changed; compare it with a backup")
        entries.append(entry)
        head = hashlib.sha256(line).hexdigest()
    return Chain(tuple(entries), head, size)


def line(event: str, seq: int, prev: str, fields: Mapping[str, object]) -> bytes:
    """Return the line that follows the one whose SHA-256 is `prev`, without its newline."""
    entry = {
        "seq": seq,
        "prev": prev,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": event,
        **fields,
    }
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")


def put(file: int, path: Path, text: bytes) -> None:
    """Append one line to an open file and wait until it is on disk; StoreError if it could not be written in full."""
    try:
        if os.write(file, text + b"\n") != len(text) + 1:
            raise StoreError(f"cannot write {path}: the disk took a part only")
        os.fsync(file)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
