"""Reads an export of JSON objects: one a line, an array of them, or an array somewhere inside a document."""

import codecs
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from scanner.collectors import records
from scanner.collectors.table_csv import Hashing, finished, open_file
from scanner.errors import SourceError

MAX_DOCUMENT = 512 * 1024**2
"""Bytes of a document that must be held in memory; one object a line may be of any size."""
MAX_LINE = 16 * 1024**2
_WHOLE = "save one object a line, or split the export"
_LENIENT = json.JSONDecoder(strict=False)


class JsonTable:
    """An open file of JSON objects."""

    def __init__(self, path: Path, place: str | None) -> None:
        """Open the file; `place` is the dotted path to the array. Raises SourceError."""
        self.name = path.name
        self.above: list[str] = []
        self._path = path
        self._place = place
        self._file: IO[bytes] = open_file(path)
        self._before = os.fstat(self._file.fileno())
        self._hashing = Hashing(self._file)
        self._lines = io.BufferedReader(self._hashing, 1 << 20)

    @property
    def settings(self) -> str:
        """How the file was read, for the evidence."""
        return "JSON" + (f" records={self._place}" if self._place else "")

    def rows(self) -> Iterator[tuple[int, dict[str, object] | None]]:
        """Yield number and object of each row, None for one that is none; raises SourceError."""
        try:
            first = self._lines.readline(MAX_LINE)
            if not first.strip():
                raise SourceError(f"{self.name} is empty")
            if self._place is None and isinstance(_decoded(first.removeprefix(codecs.BOM_UTF8)), dict):
                yield from self._by_line(first.removeprefix(codecs.BOM_UTF8))
            else:
                yield from self._document(first)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from None

    def finish(self) -> str:
        """Return the hash of the bytes read; raises SourceError if the file changed meanwhile."""
        return finished(self._path, self._file, self._before, self._hashing)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _by_line(self, line: bytes) -> Iterator[tuple[int, dict[str, object] | None]]:
        number = 1
        while line:
            if len(line) >= MAX_LINE:
                raise SourceError(f"{self.name}: line {number:,} is longer than {MAX_LINE:,} bytes")
            if line.strip():
                row = _decoded(line)
                yield number, row if isinstance(row, dict) else None
            line = self._lines.readline(MAX_LINE)
            number += 1

    def _document(self, first: bytes) -> Iterator[tuple[int, dict[str, object] | None]]:
        if self._before.st_size > MAX_DOCUMENT:
            raise SourceError(f"{self.name} is one document of more than {MAX_DOCUMENT:,} bytes; {_WHOLE}")
        document = _decoded(_utf8(first + self._lines.read()))
        if document is None:
            raise SourceError(f"{self.name} is no complete JSON document; was the export finished?")
        found = document if self._place is None else records.at(document, self._place)
        if not isinstance(found, list):
            where = f"at {self._place}" if self._place else "in it"
            raise SourceError(f"{self.name}: there is no array {where}; say with records where the accounts stand")
        for number, row in enumerate(found, 1):
            yield number, row if isinstance(row, dict) else None


def _utf8(raw: bytes) -> bytes:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace").encode()
    return raw.removeprefix(codecs.BOM_UTF8)


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:  # a lone surrogate or a control character spoils nothing else
        return _LENIENT.decode(raw.decode("utf-8", "replace").strip())
    except (ValueError, RecursionError):
        return None
