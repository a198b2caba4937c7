"""Checks the CSV inputs. They may be large, so that the database reads them, here and when they are loaded."""

import csv
from collections.abc import Collection
from pathlib import Path

import duckdb

from scanner.config_keys import Problems, nearest
from scanner.policy.spec import Field, Input

SOURCE = (
    "read_csv($file, header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '\"',"
    " escape = '\"', strict_mode = true, ignore_errors = false, columns = $columns)"
)
"""A FROM clause: the columns that $columns names of the file that $file names, as text."""

_TOLD = 20
"""Wrong rows that are told at most."""


def columns(path: Path) -> tuple[str, ...]:
    """Return the names in the head line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(next(csv.reader(file, strict=True), ()))


def check(item: Input, path: Path, problems: Problems) -> int:
    """Return the number of rows; what is wrong goes to `problems`, with its line."""
    try:
        names = columns(path)
    except (UnicodeDecodeError, csv.Error):
        problems.add("line 1", "is not a head line in UTF-8")
        return 0
    if not _has_columns(item, names, problems):
        return 0
    wrong = " ".join(
        f"when {test} then '{field.name}: {what}'" for field in item.fields for test, what in _tests(field, names)
    )
    try:
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            arguments = {"file": str(path), "columns": dict.fromkeys(names, "varchar")}
            row = con.execute(f"select count(*) from {SOURCE}", arguments).fetchone()
            found = con.execute(
                f"select line, what from (select row_number() over () + 1 as line, case {wrong} end as what"
                f" from {SOURCE}) where what is not null order by line limit {_TOLD}",
                arguments,
            ).fetchall()
    except duckdb.Error as exc:
        problems.add("", f"not valid CSV: {' '.join(str(exc).split())[:200]}")
        return 0
    for line, what in found:
        problems.add(f"line {line}", what)
    return int(row[0]) if row else 0


def _has_columns(item: Input, names: Collection[str], problems: Problems) -> bool:
    mark = len(problems.lines)
    known = [field.name for field in item.fields]
    for name in names:
        if name not in known:
            problems.add("line 1", f"unknown column {name}{nearest(name, known)}")
    for field in item.fields:
        if field.required and field.name not in names:
            problems.add("line 1", f"column {field.name} is missing")
    if len(set(names)) < len(names):
        problems.add("line 1", "a column is there twice")
    return len(problems.lines) == mark


def _tests(field: Field, names: Collection[str]) -> list[tuple[str, str]]:
    """Return (SQL that is true for a wrong value, what is wrong) of one column."""
    if field.name not in names:
        return []
    value = f'trim("{field.name}")'
    tests = [(f"coalesce({value}, '') = ''", "must not be empty")] if field.required else []
    if field.kind == "word":
        listed = ", ".join(f"'{word}'" for word in field.words)
        tests.append((f"lower({value}) not in ({listed}, '')", f"must be one of {', '.join(field.words)}"))
    elif field.kind == "instant":
        tests.append(
            (
                f"{value} <> '' and try_cast({value} as timestamptz) is null",
                "must be a time such as 2026-03-31T09:00:00Z",
            )
        )
    elif field.kind == "boolean":
        tests.append((f"lower({value}) not in ('true', 'false', '')", "must be true or false"))
    return tests
