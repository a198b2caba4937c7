"""Brings staged NDJSON into raw tables: DuckDB parses; a file that it refuses takes a patient path, that file only."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec

from scanner.errors import StoreError

_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DIGITS = 4000
_LEAST_BUFFER = 64 * 1024

_LONG_LINE = 4096
_MEMBERS = 20
_NULL = msgspec.Raw(b"null")


class _Group(msgspec.Struct):
    members: list[msgspec.Raw]
    id: msgspec.Raw = _NULL
    displayName: msgspec.Raw = _NULL  # noqa: N815  # as RFC 7643 spells it


_group = msgspec.json.Decoder(_Group)

Insert = Callable[[Path], None]
"""Reads one file into its raw table, in one statement: all of it or nothing."""


def read(con: duckdb.DuckDBPyConnection, source_id: str, kind: str, file: Path, insert: Insert) -> None:
    """Insert a file; where DuckDB refuses it, drop the lines that are no JSON objects and insert the others.

    Dropped lines are counted in n_rejects. Must run outside of a transaction, which the refusal would abort.
    """
    try:
        insert(file)
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        clean = file.with_name(f"{file.name}.clean")
        try:
            rejects = _mend(file, clean)
            insert(clean)
        except (OSError, duckdb.InvalidInputException, duckdb.ConversionException) as exc:
            raise StoreError(
                f"the staged {kind} of {source_id} cannot be read, not even line by line ({type(exc).__name__}); keep"
                f" {file.name} and report it"
            ) from exc
        finally:
            clean.unlink(missing_ok=True)
        rows = [(source_id, kind, line, reason) for line, reason in rejects]
        if rows:
            con.executemany("insert into n_rejects (source_id, kind, line, reason) values (?, ?, ?, ?)", rows)


def reader(columns: dict[str, str], longest: int) -> str:
    """Return a read_json call for $file with these columns (key -> type).

    The buffers follow the longest line: at the default size they alone would take half of a small memory limit.
    """
    declared = ", ".join(f"{literal(key)}: '{kind}'" for key, kind in columns.items())
    size = max(longest + 2, _LEAST_BUFFER)
    return (
        "read_json($file, format = 'newline_delimited', records = true, auto_detect = false,"
        f" maximum_object_size = {size}, columns = {{{declared}}})"
    )


def shorten(file: Path, short: Path) -> int:
    """Write groups with many members as several lines with a few each; returns the bytes of the longest line.

    DuckDB works on 2,048 lines at once: with whole groups on a line, that may be all memberships of a company.
    """
    longest = 0
    with file.open("rb") as lines, private(short) as out:
        for line in lines:
            for piece in [line] if len(line) < _LONG_LINE else _pieces(line):
                longest = max(longest, len(piece))
                out.write(piece)
    return longest


def literal(text: str) -> str:
    """Return a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


def private(path: Path) -> BinaryIO:
    """Create a file that nobody else may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")


def _pieces(line: bytes) -> list[bytes]:
    try:
        group = _group.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [line]  # of an odd shape: the reader will see to it
    head = b'{"id":' + bytes(group.id) + b',"displayName":' + bytes(group.displayName) + b',"members":['
    members = [bytes(member) for member in group.members]
    return [
        head + b",".join(members[start : start + _MEMBERS]) + b"]}\n" for start in range(0, len(members), _MEMBERS)
    ] or [line]


def _mend(file: Path, clean: Path) -> list[tuple[int, str]]:
    """Write the lines that are JSON objects in a form that every parser takes; return the others with the reason."""
    rejects = []
    with file.open("rb") as lines, private(clean) as out:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = _DECODER.decode(line.decode("utf-8", "replace"))
            except (ValueError, RecursionError):
                rejects.append((number, "the line is not valid JSON"))
                continue
            if not isinstance(row, dict):
                rejects.append((number, "the line is not a JSON object"))
                continue
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            out.write(_SURROGATES.sub("\ufffd", text).encode() + b"\n")
    return rejects


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _MAX_DIGITS else digits


def _number(text: str) -> float | str:
    value = float(text)
    return text if value in (float("inf"), float("-inf")) else value


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_number, parse_constant=lambda _: None)
