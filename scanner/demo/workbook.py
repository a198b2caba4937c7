"""An Excel file whose bytes depend on its cells alone."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime

_WRITTEN = datetime(2026, 11, 19, 17, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def workbook(sheet: str, rows: Iterable[Sequence[object]]) -> bytes:
    """Return a workbook of one sheet; dates become date cells."""
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "Brindlewick Health AG (invented)"
    book.properties.created = _WRITTEN
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    page.freeze_panes = "A2"
    raw = io.BytesIO()
    book.save(raw)
    return _without_clock(raw)


def _without_clock(raw: io.BytesIO) -> bytes:
    """Pack the parts again, uncompressed and without the time of writing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + _WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
            target.writestr(zipfile.ZipInfo(name, (2026, 11, 19, 17, 0, 0)), content)
    return packed.getvalue()
