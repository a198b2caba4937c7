"""Reads a sheet of an Excel workbook: values only, ids as text again, dates in the format of the others."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from scanner.collectors.table_columns import Layout
from scanner.errors import SourceError

MAX_BYTES = 512 * 1024**2
_EXACT_DIGITS = 15
"""Excel keeps this many digits of a number; the rest of a longer id is lost."""
_LAST_SERIAL = 2_958_465
"""9999-12-31, counted in days as Excel does."""


class ExcelTable:
    """A sheet in memory: the header, then the rows."""

    def __init__(self, layout: Layout) -> None:
        """Read the workbook; raises SourceError."""
        self.name = layout.path.name
        self._layout = layout
        raw, self._sha256 = _read(layout)
        self._cells, self._epoch, self.sheet = _sheet(raw, layout)
        start = (layout.header_row or 1) - 1
        filled = (at for at, row in enumerate(self._cells) if at >= start and any(_text(cell) for cell in row))
        self._top = next(filled, None)
        if self._top is None:
            raise SourceError(f"sheet '{self.sheet}' of {self.name} is empty")
        self.header = [_text(cell) for cell in self._cells[self._top]]
        self.above = [" ".join(filter(None, map(_text, row))) for row in self._cells[: self._top]]
        self._numeric_ids = 0

    @property
    def settings(self) -> str:
        """How the file was read, for the evidence."""
        return f"sheet={self.sheet!r}"

    @property
    def note(self) -> str:
        """What a reader should know about the ids."""
        if not self._numeric_ids:
            return ""
        return f"{self._numeric_ids:,} ids are stored as numbers: zeros that they began with, if any, are lost"

    def rows(self, columns: Mapping[int, str]) -> Iterator[tuple[int, Sequence[str] | None]]:
        """Yield the rows below the header as text; `columns` says which positions hold ids and dates."""
        first = (self._top or 0) + 1
        for line, row in enumerate(self._cells[first:], first + 1):
            try:
                yield line, [self._value(cell, columns.get(at, "")) for at, cell in enumerate(row)]
            except ValueError:
                yield line, None

    def finish(self) -> str:
        """Return the hash of the file, which was read at once."""
        return self._sha256

    def close(self) -> None:
        """Nothing is open."""

    def _value(self, cell: Any, column: str) -> str:
        if column in self._layout.dates:
            return self._date(cell)
        if (
            column in self._layout.ids
            and isinstance(cell, (int, float))
            and not isinstance(cell, bool)
            and cell == cell
        ):
            if abs(cell) >= 10**_EXACT_DIGITS:
                raise ValueError("Excel has rounded this id")
            self._numeric_ids += 1
        return _text(cell)

    def _date(self, cell: Any) -> str:
        if isinstance(cell, (datetime, date)) and cell == cell:  # NaT is a datetime that differs from itself
            return cell.strftime(self._layout.date_format)
        if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 1 <= cell <= _LAST_SERIAL:
            # A date that lost its cell format is the number of its day: this is how the file stores it, no guess.
            from openpyxl.utils.datetime import from_excel

            found = from_excel(int(cell), self._epoch)
            return found.strftime(self._layout.date_format) if isinstance(found, datetime) else _text(cell)
        return _text(cell)


def _read(layout: Layout) -> tuple[bytes, str]:
    name = layout.path.name
    try:
        before = layout.path.stat()
        if not layout.path.is_file():
            raise SourceError(f"{name} is not a file")
        if before.st_size > MAX_BYTES:
            raise SourceError(f"{name} is larger than {MAX_BYTES:,} bytes; export it as CSV")
        raw = layout.path.read_bytes()
        after = layout.path.stat()
    except FileNotFoundError:
        raise SourceError(f"{name} does not exist in {layout.path.parent.name or '/'}/") from None
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from None
    if not raw:
        raise SourceError(f"{name} is empty")
    same = (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)
    if not same or len(raw) != after.st_size:
        raise SourceError(f"{name} changed while it was read; write it under another name and rename it")
    return raw, hashlib.sha256(raw).hexdigest()


def _sheet(raw: bytes, layout: Layout) -> tuple[list[Sequence[Any]], Any, str]:
    """Return the cells, the day from which dates are counted, and the name of the sheet."""
    import pandas as pd  # 0.3 s: only a scan with a workbook pays for it

    name = layout.path.name
    try:
        with pd.ExcelFile(io.BytesIO(raw), engine="openpyxl") as book:
            sheets = [str(sheet) for sheet in book.sheet_names]
            sheet = layout.sheet or sheets[0]
            if sheet not in sheets:
                listed = ", ".join(f"'{one}'" for one in sheets)
                raise SourceError(f"{name} has no sheet '{sheet}'; it has {listed}")
            frame = pd.read_excel(book, sheet_name=sheet, header=None, dtype=object, na_filter=False)
            epoch = getattr(book.book, "epoch", None)
    except SourceError:
        raise
    except MemoryError:
        raise SourceError(f"{name} does not fit into memory; export it as CSV") from None
    except Exception as error:  # a damaged workbook makes its readers raise nearly anything
        raise SourceError(
            f"{name} is not a readable .xlsx workbook ({type(error).__name__}); it may be damaged, cut off, of the old"
            " .xls kind or protected by a password"
        ) from None
    return list(frame.itertuples(index=False, name=None)), epoch, sheet


def _text(cell: Any) -> str:
    """Return a cell as the text that a person would have typed."""
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode().strip()
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return str(cell)
