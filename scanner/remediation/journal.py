"""The journal of a run: append-only lines of JSON, each with the SHA-256 of the one before, on disk before a call.

A line counts once its newline is on disk. What a crash left without one was never followed by a call, and is dropped
when the run is continued.
"""

import hashlib
import os
from pathlib import Path
from types import TracebackType

from scanner import chain
from scanner.errors import StoreError

FILE = "journal.ndjson"


def read(run_folder: Path) -> chain.Chain:
    """Return a journal; StoreError that names the line if it was changed, cut in the middle or cannot be read."""
    return chain.read(run_folder / FILE, "the journal")


class Journal:
    """Appends to the journal of one run; on disk when `append` returns."""

    def __init__(self, run_folder: Path) -> None:
        """Open the journal, a new one if there is none, and drop a line that a crash left half written."""
        path = run_folder / FILE
        is_new = not path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            if is_new:
                self._head, self._seq = chain.START, 0
                _sync_folder(run_folder)
            else:
                known = read(run_folder)
                os.ftruncate(self._file, known.size)
                self._head, self._seq = known.head, len(known.entries)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from None
        self._path = path

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def append(self, event: str, **fields: object) -> None:
        """Write one entry and wait until it is on disk; StoreError, and nothing may be sent, if that fails."""
        line = chain.line(event, self._seq + 1, self._head, fields)
        chain.put(self._file, self._path, line)
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
