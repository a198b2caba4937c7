"""All findings inside an HTML page: columns of JSON, compressed, that the page's script unpacks.

A plain table of 100,000 rows keeps a browser busy for tens of seconds; the same rows as compressed columns take a few
hundred milliseconds. The island holds exactly what lists of the same privacy profile hold.
"""

import base64
import gzip
import json
from collections.abc import Callable, Sequence

from scanner.model import Severity
from scanner.report.listing import COLUMNS, ListedFinding

SCHEMA = "orphanscan.island/1"
SUBJECT, PERSON = "\x01", "\x02"
"""Stand in a sentence for the subject and the person of its row, which are then not held twice."""
FILTERED = ("rule", "severity", "application", "state", "verdict")
"""Columns of which the page offers the values to choose from: always held as values and codes."""
LABEL, PAIR = "\x01", "\x02"
"""End the label and the value of each piece of evidence. Neither can occur in a text that may be shown."""


def island(rows: Sequence[ListedFinding]) -> str:
    """Return the rows, worst first, as base64 of gzip of JSON; equal rows give equal text."""
    order = {severity.value: severity.rank for severity in Severity}
    ordered = sorted(
        rows, key=lambda row: (order[row.severity], row.title, row.application.casefold(), row.subject, row.reference)
    )
    columns = {name: _column(name, [_CELLS.get(name, _plain(name))(row) for row in ordered]) for name in COLUMNS}
    document = {"schema": SCHEMA, "rows": len(ordered), "columns": columns}
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    # No time in the head of the stream: the page depends on the scan alone.
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


def _plain(name: str) -> Callable[[ListedFinding], object]:
    return lambda row: getattr(row, name)


def _sentence(row: ListedFinding) -> str:
    pieces = []
    for text, is_name in row.reason:
        if is_name and text == row.subject:
            pieces.append(SUBJECT)
        elif is_name and text == row.person:
            pieces.append(PERSON)
        else:
            pieces.append(text)
    return "".join(pieces)


def _evidence(row: ListedFinding) -> str:
    return PAIR.join(f"{label}{LABEL}{told}" for label, told in row.evidence)


_CELLS: dict[str, Callable[[ListedFinding], object]] = {"reason": _sentence, "evidence": _evidence}


def _column(name: str, cells: list[object]) -> object:
    """Return a column as it is, or as its distinct values and one code a row where values repeat."""
    codes: dict[object, int] = {}
    coded = [codes.setdefault(cell, len(codes)) for cell in cells]
    return {"values": list(codes), "codes": coded} if name in FILTERED or len(codes) * 2 < len(cells) else cells
