"""The jinja environment of the reports, and the page that html and pdf share."""

import base64
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from scanner.paths import bundled
from scanner.report.content import Content
from scanner.report.disclosure import clean, shorten

FOLDER = bundled("templates")
SOFT_HYPHEN = "\u00ad"
LONGEST_WORD = 240
"""Characters without a blank that are laid out: in a table the time for them grows with their square."""
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")


def page(content: Content, **frame: object) -> str:
    """Render the report; `frame` holds what only one of the formats needs."""
    words = content.words
    template = environment().get_template("report.html")
    return template.render(cover=content.cover, report=content, t=words, number=words.number, **frame)


@cache
def environment() -> jinja2.Environment:
    """Return an environment in which every value is escaped and cleaned, and an unknown name is an error.

    One for all pages: to compile the templates takes longer than to fill them.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    made.filters["spaced"] = _spaced
    return made


def _spaced(text: str) -> Markup:
    """Escape a piece of a sentence but keep the blanks at its ends, which `_printable` would strip."""
    lead, tail = text[:1].isspace(), text[-1:].isspace()
    return Markup("{}{}{}").format(" " if lead else "", _legible(text), " " if tail and text.strip() else "")


def _printable(value: Any) -> Any:
    """Strip what cannot be printed, as the last step before escaping; soft hyphens come from the catalogue only."""
    return SOFT_HYPHEN.join(_legible(part) for part in value.split(SOFT_HYPHEN)) if type(value) is str else value


def _legible(text: str) -> str:
    """Return clean text; of a word too long for any line its beginning and end. The lists hold the whole of it."""
    kept = clean(text)
    return kept if len(kept) <= LONGEST_WORD else _LONG_WORD.sub(lambda word: shorten(word[0], LONGEST_WORD), kept)


def stylesheet(*names: str) -> Markup:
    """Return our own style sheets, one after the other."""
    return Markup("\n".join((FOLDER / "css" / f"{name}.css").read_text(encoding="utf-8") for name in names))  # noqa: S704


def script(name: str) -> Markup:
    """Return one of our own scripts."""
    return Markup((FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8"))  # noqa: S704


def font_as_data(name: str) -> str:
    """Return a bundled font as a data URI."""
    data = base64.b64encode((FOLDER / "fonts" / name).read_bytes()).decode("ascii")
    return f"data:font/woff2;base64,{data}"
