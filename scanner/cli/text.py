"""Text for terminals: without control characters, and in columns that fit."""

import difflib
import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Collection, Sequence

import click

# They turn the direction of the text after them, and so can make a name read as another.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSAFE = frozenset(("Cc", "Cs", "Zl", "Zp", "Co", "Cn"))
_GAP = "  "


def printable(value: object) -> str:
    """Return text that cannot move the cursor, colour, reorder or forge lines on a terminal."""
    spaced = str(value).replace("\t", " ").replace("\r\n", " ").replace("\n", " ")
    if spaced.isascii() and spaced.isprintable():
        return spaced
    return "".join(c for c in spaced if unicodedata.category(c) not in _UNSAFE and c not in _BIDI)


def width_of(text: str) -> int:
    """Return how many columns a terminal needs for printable text."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, shortened with an ellipsis if it needs more than `width` columns."""
    if width_of(text) <= width:
        return text
    used, kept = 0, []
    for character in text:
        used += _columns(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def terminal_width() -> int | None:
    """Return the columns of the terminal on stdout; None where a file or a program reads it."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wrapped(text: str, width: int) -> list[str]:
    """Return printable text in lines of at most `width`, with ids and paths whole so that they can be copied."""
    return textwrap.wrap(printable(text), width, break_on_hyphens=False, break_long_words=False) or [""]


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None = None) -> str:
    """Return the rows in aligned columns; on a terminal, every row fits.

    Where a row would not, the last column, which holds sentences, goes below the others; if these alone are still too
    wide, the widest of them are cut.

    Args:
        head: titles of the columns.
        rows: cells; None is shown as a dash.
        width: of a line. Left out: the terminal's, or no limit when the output goes to a file or a program.
    """
    width = width or terminal_width()
    cells = [[printable("-" if cell is None else cell) for cell in row] for row in (head, *rows)]
    if width is None or _needed(_widths(cells)) <= width:
        return "\n".join(_aligned(cells, _widths(cells)))
    firsts = [row[:-1] for row in cells]
    widths = _widths(firsts)
    while _needed(widths) > width and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for line, row in zip(_aligned(firsts, widths), cells, strict=True):
        indent = " " * 4
        lines += [line, *(indent + piece for piece in wrapped(row[-1], max(20, width - len(indent))))]
    return "\n".join(lines)


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(width_of(cell) for cell in column) for column in zip(*cells, strict=True)]


def _needed(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _aligned(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    lines = []
    for row in cells:
        shown = [cut(cell, size) for cell, size in zip(row, widths, strict=True)]
        padded = [cell + " " * (size - width_of(cell)) for cell, size in zip(shown, widths, strict=True)]
        lines.append(_GAP.join(padded).rstrip())
    return lines


def nearest(word: str, known: Collection[str]) -> str:
    """Return "; did you mean ...?", or the names that there are where nothing comes near and they are few."""
    near = difflib.get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(known)}" if 0 < len(known) <= 12 else ""


def size(count: int) -> str:
    """Return a number of bytes in words."""
    for unit, step in (("GB", 1000**3), ("MB", 1000**2), ("kB", 1000)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def age(hours: float) -> str:
    """Return a time span in words."""
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} hours" if hours >= 2 else f"{max(0, hours * 60):.0f} minutes"


def echo_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=not _is_utf8(), default=str))


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
