"""A report as PDF/A-3: tagged, with bookmarks and its findings inside, and equal bytes for equal contents."""

import gc
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scanner.pdf_seal import sealed
from scanner.report.attachments import Attachment
from scanner.report.content import Content
from scanner.report.templates import FOLDER, page, stylesheet

ALLOWED = frozenset({"fonts", "css"})
"""Folders beside the templates from which the renderer may read: fonts and the draft mark, nothing else."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What it takes to draw a PDF: plain enough to be sent to another process."""

    markup: str
    identifier: str
    moment: datetime | None = None
    """Date of the embedded files."""
    attachments: tuple[Attachment, ...] = ()


def render_pdf(content: Content) -> bytes:
    """Return the report as PDF/A-3a, for archives: ISO 19005-3, conformance level A, with embedded files."""
    return draw(drawing(content))


def drawing(content: Content) -> Drawing:
    """Return the page of a report and what belongs into its file."""
    styles = ("common", "print", "draft") if content.cover.is_draft else ("common", "print")
    markup = page(content, css=stylesheet(*styles), csp="", bar=False)
    return Drawing(str(markup), content.cover.id, content.cover.created_at, content.attachments)


def draw(wanted: Drawing) -> bytes:
    """Lay out a page and write the PDF, where time and memory go; equal arguments give equal bytes."""
    # WeasyPrint takes half a second to import; only who draws a PDF pays for it.
    import weasyprint

    with _no_collection(), _characters_without_glyph() as missing:
        data = _written(weasyprint, wanted, wanted.markup)
        if missing:
            data = _written(weasyprint, wanted, wanted.markup.translate(_spelled(missing)))
    return sealed(data)


def _written(weasyprint: Any, wanted: Drawing, markup: str) -> bytes:
    document = weasyprint.HTML(string=markup, base_url=FOLDER.as_uri() + "/", url_fetcher=_fetcher(weasyprint))
    return bytes(
        document.write_pdf(
            pdf_variant="pdf/a-3a",
            pdf_identifier=wanted.identifier.encode(),
            finisher=_finish_tags,
            attachments=[_embedded(weasyprint, file, wanted.moment) for file in wanted.attachments],
        )
    )


@contextmanager
def _characters_without_glyph() -> Iterator[set[int]]:
    """Collect the code points that the renderer draws as an empty box; only once it has drawn is that known."""
    missing: set[int] = set()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if found := re.search(r"^\.notdef glyph .*\(U\+([0-9A-F]+)\)$", record.getMessage(), re.DOTALL):
                missing.add(int(found[1], 16))

    listener, logger = Listener(logging.WARNING), logging.getLogger("weasyprint")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.WARNING)  # whoever wants a quiet log must not lose the characters
    try:
        yield missing
    finally:
        logger.setLevel(level)
        logger.removeHandler(listener)


def _spelled(missing: set[int]) -> dict[int, str]:
    """Return what stands for each character.

    An empty box says nothing, and has no place in an archive (ISO 19005-3, 6.2.11.8); its number names the character.
    """
    return {point: f"[U+{point:04X}]" for point in missing}


def _finish_tags(_: Any, pdf: Any) -> None:
    """Give header cells the scope that the renderer leaves out; a mark beside its word is not read aloud."""
    parent = {id(one): pdf.objects[int(one["P"].split()[0])] for one in pdf.objects if _is_element(one)}
    for element in (one for one in pdf.objects if _is_element(one)):
        if element["S"] == "/TH":
            group = parent[id(parent[id(element)])]
            element["A"]["Scope"] = "/Column" if group["S"] == "/THead" else "/Row"
        elif element["S"] == "/Figure" and "Alt" not in element:
            element["S"] = "/NonStruct"
            del element["A"]


def _is_element(one: Any) -> bool:
    return isinstance(one, dict) and one.get("Type") == "/StructElem"


def _embedded(weasyprint: Any, file: Attachment, moment: datetime | None) -> Any:
    return weasyprint.Attachment(
        file_obj=io.BytesIO(file.data),
        name=file.name,
        description=file.description,
        relationship=file.relationship,
        created=moment,
        modified=moment,
    )


def _fetcher(weasyprint: Any) -> Any:
    """Return a fetcher that opens bundled files only: no network, no other file."""

    class Bundled(weasyprint.urls.URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            return weasyprint.urls.URLFetcherResponse(url, _bytes(bundled_file(url)), {})

    return Bundled()


def bundled_file(url: str) -> Path:
    """Return the shipped file that `url` names, or refuse."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path)).resolve()
    inside = path.relative_to(FOLDER.resolve()) if path.is_relative_to(FOLDER.resolve()) else None
    if parts.scheme != "file" or parts.netloc or inside is None or inside.parts[0] not in ALLOWED:
        raise ValueError(f"the report may not load {url}")
    return path


@cache
def _bytes(path: Path) -> bytes:
    """Read a file, fonts unpacked: WeasyPrint would take a second to unpack them for each report."""
    data = path.read_bytes()
    if path.suffix != ".woff2":
        return data
    from fontTools.ttLib.woff2 import decompress  # type: ignore[import-untyped]

    unpacked = io.BytesIO()
    decompress(io.BytesIO(data), unpacked)
    return unpacked.getvalue()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Stop the cycle collector while millions of layout boxes are made: rendering takes a third less time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
