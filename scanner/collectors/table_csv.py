"""Reads a CSV file as other systems and spreadsheets write it; nothing is guessed but the delimiter of the header."""

import codecs
import csv
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from scanner.collectors.table_columns import Layout, known
from scanner.errors import SourceError

DELIMITERS = (",", ";", "\t", "|")
MAX_FIELD = 1_000_000
"""A longer field is a quote that was never closed."""
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "pipe": "|"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*')

Row = tuple[int, Sequence[str] | None]
"""Line in the file and cells; None in place of the cells of a row that cannot be read."""


class CsvTable:
    """An open CSV file: the header, then the rows, then the proof that it stood still."""

    def __init__(self, layout: Layout) -> None:
        """Open the file and read its header; raises SourceError."""
        self.name = layout.path.name
        self.note = ""
        self.above: list[str] = []
        self._path = layout.path
        self._file: IO[bytes] = open_file(layout.path)
        try:
            self._before = os.fstat(self._file.fileno())
            self._hashing = Hashing(self._file)
            self.encoding = self._encoding(layout)
            self._text = io.TextIOWrapper(io.BufferedReader(self._hashing, 1 << 20), self.encoding, newline="")
            self._lines = 0
            self.delimiter, self.header = self._head(layout)
        except BaseException:
            self._file.close()
            raise

    @property
    def settings(self) -> str:
        """How the file was read, for the evidence."""
        return f"delimiter={self.delimiter!r} encoding={self.encoding}"

    def rows(self, columns: object = None) -> Iterator[Row]:
        """Yield the rows below the header; raises SourceError where the file cannot be read on."""
        reader = csv.reader(self._text, delimiter=self.delimiter, strict=True)
        above, at = self._lines, 1
        csv.field_size_limit(MAX_FIELD)
        try:
            while True:
                at = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if "unexpected end" in str(error) or "field limit" in str(error):
                        raise SourceError(
                            f"{self.name} is cut off or damaged: the quotation mark opened in line {above + at:,} is"
                            " never closed"
                        ) from None
                    yield above + at, None
                    continue
                yield above + at, cells
        except UnicodeDecodeError:
            raise self._undecodable() from None
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from None

    def finish(self) -> str:
        """Return the hash of the bytes read; raises SourceError if the file changed meanwhile."""
        return finished(self._path, self._file, self._before, self._hashing)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _encoding(self, layout: Layout) -> str:
        start = os.pread(self._file.fileno(), 4, 0)
        if not self._before.st_size:
            raise SourceError(f"{self.name} is empty")
        if start.startswith(b"PK\x03\x04"):
            raise SourceError(f'{self.name} is a workbook, not text; set type = "excel"')
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return encoding  # the mark is in the file itself and outranks what was configured
        encoding = layout.encoding or "utf-8"
        try:
            if not codecs.lookup(encoding)._is_text_encoding:
                raise LookupError
        except LookupError:
            raise SourceError(f"encoding '{encoding}' is not known; use utf-8, utf-16, cp1252 ...") from None
        return encoding

    def _head(self, layout: Layout) -> tuple[str, list[str]]:
        delimiter = _given(layout.delimiter)
        while len(self.above) + 1 < (layout.header_row or 1):
            self.above.append(self._record().strip("\r\n\ufeff"))
        while True:
            first = self._record()
            named = _SEP_LINE.fullmatch(first)
            if named and delimiter is None:
                delimiter = named[1]  # Excel's own hint to itself
            elif first.strip(" \t\r\n\ufeff,;|") and not named:
                break
        if "\0" in first:
            raise SourceError(f"{self.name} is not text in {self.encoding}; set encoding, for instance to utf-16-le")
        first = first.removeprefix("\ufeff")
        if delimiter is None:
            delimiter = max(DELIMITERS, key=lambda one: _fitness(layout, first, one))
        return delimiter, _split(first, delimiter)

    def _record(self) -> str:
        """Return the first lines up to where all quotation marks are closed."""
        record = ""
        try:
            while line := self._text.readline(MAX_FIELD):
                self._lines += 1
                record += line
                if record.count('"') % 2 == 0:
                    return record
                if len(record) >= MAX_FIELD:
                    break
        except UnicodeDecodeError:
            raise self._undecodable() from None
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from None
        if record:
            raise SourceError(f"{self.name} is cut off: a quotation mark in the header is never closed")
        raise SourceError(f"{self.name} holds no header")

    def _undecodable(self) -> SourceError:
        line = _bad_line(self._path, self.encoding)
        return SourceError(
            f"{self.name} is not {self.encoding}: line {line:,} holds bytes that it does not allow; set encoding"
            " to what the export uses, for instance cp1252"
        )


class Hashing(io.RawIOBase):
    """Passes the bytes of a file on and hashes them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._source = file
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self.digest.update(data)
        self.size += len(data)
        return len(data)


def finished(path: Path, file: IO[bytes], before: os.stat_result, hashing: Hashing) -> str:
    """Return the hash of a file read to its end; raises SourceError if it changed meanwhile."""
    opened = os.fstat(file.fileno())
    try:
        named = path.stat()
    except OSError:
        named = None
    same = named is not None and identity(before) == identity(opened) == identity(named)
    if not same or hashing.size != before.st_size:
        raise SourceError(f"{path.name} changed while it was read; write it under another name and rename it")
    return hashing.digest.hexdigest()


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file for reading; raises SourceError."""
    try:
        # Opened without waiting: a named pipe without a writer would hold up the scan for ever.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
    except FileNotFoundError:
        raise SourceError(f"{path.name} does not exist in {path.parent.name or '/'}/") from None
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise SourceError(f"{path.name} is not a file")
    return file


def _given(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    delimiter = _NAMED_DELIMITERS.get(delimiter.lower(), delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise SourceError(f"delimiter {delimiter!r} is not one character")
    return delimiter


def _fitness(layout: Layout, line: str, delimiter: str) -> tuple[int, int]:
    try:
        cells = _split(line, delimiter)
    except SourceError:
        return (0, 0)
    return (known(layout, cells), len(cells))


def _split(line: str, delimiter: str) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise SourceError("the header cannot be read") from None
    return rows[0] if rows else []


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to or replaced."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _bad_line(path: Path, encoding: str) -> int:
    line = 1
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_file(path) as file:
        while True:
            chunk = file.read(1 << 20)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].decode(encoding, "ignore").count("\n")
            if not chunk:
                return line
