"""Exports as sources of the contract."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
from contract import HOSTILE, Rig

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application
from scanner.connections import FileSettings
from scanner.model import Collected

HEADER = ["account_id", "username", "status", "group"]
ROWS = [["007", "ada", "Active", "Admins"], ["u-2", "bo", "Disabled", ""], ["u-3", "cy", "Active", ""]]
Write = Callable[[Sequence[Sequence[str]]], bytes]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows])
    return out.getvalue().encode()


def _excel(rows: Sequence[Sequence[str]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    for row, cells in enumerate([HEADER, *rows], 1):
        for column, value in enumerate(cells, 1):
            sheet.cell(row, column, value).data_type = "s"  # what begins with = is no formula here
    book.save(out)
    return out.getvalue()


def _json(rows: Sequence[Sequence[str]]) -> bytes:
    return "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows).encode()


def _rig(kind: str, write: Write) -> Rig:
    def application(folder: Path, raw: bytes | None, catalogue: Path | None = None) -> Application:
        path = folder / f"export.{kind}"
        if raw is not None:
            path.write_bytes(raw)
        settings = FileSettings(stable_seconds=0)
        return Application("erp", "ERP", kind, path=path, file=settings, time_zone="UTC", entitlements=catalogue)

    def collect(folder: Path, raw: bytes | None, catalogue: Path | None = None) -> Collected:
        return SOURCES[kind].collect(application(folder, raw, catalogue), folder / "staging", no_progress)

    def look(folder: Path) -> Look:
        return SOURCES[kind].look(application(folder, write(ROWS)))

    names = [[f"h{at}", name, "Active", name] for at, name in enumerate(HOSTILE)]
    return Rig(
        complete=lambda folder: collect(folder, write(ROWS)),
        cut=lambda folder: collect(folder, write(ROWS)[: -len(write(ROWS)) // 9]),
        denied=lambda folder: collect(folder, write(ROWS), folder / "no-such-catalogue.csv"),
        duplicates=lambda folder: collect(folder, write([*ROWS, ["u-3", "di", "Active", ""]])),
        odd_status=lambda folder: collect(folder, write([*ROWS, ["u-4", "di", "Perhaps", ""]])),
        hostile=lambda folder: collect(folder, write(names)),
        unreadable=lambda folder: collect(folder, None),
        look=look,
        module="account_file",
        page="files",
    )


RIGS = {"csv": _rig("csv", _csv), "excel": _rig("excel", _excel), "json": _rig("json", _json)}
