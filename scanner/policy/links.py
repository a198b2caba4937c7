"""Reads the links file: decisions by people that an account belongs to a worker."""

import csv
import io
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.config_keys import Problems, decode, nearest
from scanner.policy.entries import check_app, midnight, refuse_repeats
from scanner.policy.values import Link

_LINK_COLUMNS = ("app", "account_id", "worker", "decided_by", "decided_at", "reason")


def read_links(content: bytes, path: Path, apps: Collection[str], problems: Problems) -> list[Link]:
    """Return the decisions in a CSV file with a head line."""
    reader = csv.DictReader(io.StringIO(decode(content, path), newline=""), strict=True)
    try:
        if not _has_link_columns(reader.fieldnames or (), problems):
            return []
        rows = [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as error:
        problems.add(f"line {reader.line_num + 1}", f"not valid CSV: {error}")
        return []
    refuse_repeats([(where, (row["app"], row["account_id"])) for where, row in rows], problems)
    return [link for where, row in rows for link in _link(row, where, apps, problems)]


def _has_link_columns(columns: Collection[str], problems: Problems) -> bool:
    mark = len(problems.lines)
    for column in columns:
        if column not in _LINK_COLUMNS:
            problems.add("line 1", f"unknown column {column}{nearest(column, _LINK_COLUMNS)}")
    for column in _LINK_COLUMNS:
        if column not in columns:
            problems.add("line 1", f"column {column} is missing")
    if len(set(columns)) < len(columns):
        problems.add("line 1", "a column is there twice")
    return len(problems.lines) == mark


def _link(row: Mapping[str, Any], where: str, apps: Collection[str], problems: Problems) -> list[Link]:
    if None in row or None in row.values():
        problems.add(where, f"must have {len(_LINK_COLUMNS)} fields")
        return []
    values = {name: value.strip() for name, value in row.items()}
    for name in ("app", "account_id", "worker", "decided_by", "reason"):
        if not values[name]:
            problems.add(f"{where}: {name}", "must not be empty")
    if values["app"]:
        check_app(values["app"], apps, f"{where}: app", problems)
    decided = None
    if values["decided_at"]:
        try:
            decided = midnight(datetime.strptime(values["decided_at"], "%Y-%m-%d").date())
        except ValueError:
            problems.add(f"{where}: decided_at", "must be a date such as 2026-03-31")
    return [
        Link(values["app"], values["account_id"], values["worker"], values["decided_by"], decided, values["reason"])
    ]
