"""Whatever a source, a file or a person writes is text on every page and in every cell, and nothing else."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import hostile
import openpyxl
import pytest
import report_samples as samples
from conftest import content_of
from test_html import CHROMIUM

from scanner.report import RENDERERS, WHOLE_RENDERERS
from scanner.report.whole import Whole, build_whole

OFFSETS = range(len(hostile.TEXTS))
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ELEMENTS = """() => {
  const count = {};
  for (const one of document.querySelectorAll("body *:not(#list-grid *)"))
    count[one.localName] = (count[one.localName] || 0) + 1;
  return count;
}"""
ATTRIBUTES = (
    """() => [...new Set([...document.querySelectorAll("*")].flatMap(one => one.getAttributeNames()))].sort()"""
)
ROWS = """() => [...new Set([...document.querySelectorAll("#list-grid *")].map(one => one.localName))].sort()"""


def page(offset: int | None) -> bytes:
    """Return the identified page, which shows every name."""
    return RENDERERS["html"](content_of(hostile.record(offset), privacy="L2", prepared_by="Night", recipient="Audit"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def seen(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int | None], dict[str, Any]]:
    """Open the page in Chromium and tell what came of it."""

    def look(offset: int | None) -> dict[str, Any]:
        path = tmp_path_factory.mktemp("hostile") / "report.html"
        path.write_bytes(page(offset))
        told: list[str] = []
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        opened = context.new_page()
        opened.add_init_script("addEventListener('securitypolicyviolation', e => console.log('CSP ' + e.blockedURI))")
        opened.on("console", lambda message: told.append(message.text))
        opened.on("pageerror", lambda error: told.append(str(error)))
        opened.on("dialog", lambda dialog: told.append(dialog.message))
        opened.on("request", lambda asked: told.append(asked.url) if asked.url != path.as_uri() else None)
        opened.goto(path.as_uri())
        opened.wait_for_selector("#list-grid[data-ready]")
        found = {
            "told": [one for one in told if not one.startswith(("data:", "blob:"))],
            "title": opened.title(),
            "elements": opened.evaluate(ELEMENTS),
            "attributes": opened.evaluate(ATTRIBUTES),
            "rows": opened.evaluate(ROWS),
            "text": opened.evaluate("document.documentElement.textContent"),
            "overflow": opened.evaluate("document.documentElement.scrollWidth - innerWidth"),
        }
        context.close()
        return found

    return look


@pytest.fixture(scope="module")
def harmless(seen: Callable[[int | None], dict[str, Any]]) -> dict[str, Any]:
    """Return what came of the page whose texts are harmless."""
    return seen(None)


@pytest.mark.browser
@pytest.mark.parametrize("offset", OFFSETS)
def test_no_text_becomes_an_element_an_attribute_or_a_request(
    seen: Callable[[int | None], dict[str, Any]], harmless: dict[str, Any], offset: int
) -> None:
    """The page has the elements and attributes that it has with harmless texts, runs nothing and asks for nothing."""
    found = seen(offset)

    assert found["told"] == []
    assert found["title"] != "owned"
    assert found["elements"] == harmless["elements"]
    assert found["attributes"] == harmless["attributes"]
    assert set(found["rows"]) <= set(harmless["rows"])
    assert not set(found["text"]) & hostile.HIDDEN
    assert "<img src=x onerror=" in found["text"]
    assert "{{ 7*7 }}" in found["text"]
    assert found["overflow"] <= 0


@pytest.fixture(scope="module", params=OFFSETS)
def whole(request: pytest.FixtureRequest) -> Whole:
    """Compute the identified scan."""
    return build_whole(
        hostile.record(request.param), [samples.framework()], privacy="L2", key=samples.KEY, recipient="Audit"
    )


def test_no_cell_of_a_workbook_is_a_formula_or_holds_what_cannot_be_seen(whole: Whole) -> None:
    """Read back cell by cell: text is text, marked as quoted where a spreadsheet could calculate it."""
    book = openpyxl.load_workbook(io.BytesIO(WHOLE_RENDERERS["xlsx"](whole)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    texts = "".join(cell.value for cell in cells)

    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert [cell.value for cell in cells if cell.value.lstrip().startswith(FORMULA) and not cell.quotePrefix] == []
    assert not set(texts) & hostile.HIDDEN
    assert not [sheet for sheet in book if sheet._hyperlinks]
    assert '=HYPERLINK("http://x.example","a")' in texts
    assert "<img src=x onerror=" in texts
    assert "x" * 10_000 in texts


def test_no_cell_of_a_list_is_a_formula_or_holds_what_cannot_be_seen(whole: Whole) -> None:
    """CSV has no marks: an apostrophe stands before what could be calculated. JSON holds the same rows."""
    rows = list(csv.reader(io.StringIO(WHOLE_RENDERERS["csv"](whole).decode("utf-8-sig"))))
    told = json.loads(WHOLE_RENDERERS["json"](whole))["findings"]

    assert len({len(row) for row in rows}) == 1
    assert len(rows) == len(told) + 1
    assert [cell for row in rows for cell in row if cell.lstrip().startswith(FORMULA)] == []
    assert not set("".join(cell for row in rows for cell in row)) & hostile.HIDDEN
    assert not set(json.dumps(told, ensure_ascii=False)) & hostile.HIDDEN


def test_a_ticket_has_no_markup_of_others(whole: Whole) -> None:
    """Neither HTML nor Markdown of a name survives in the summary."""
    text = WHOLE_RENDERERS["md"](whole).decode()

    assert not set(text) & hostile.HIDDEN
    assert not re.search(r"<(?!!--)[a-z/]", text)
    assert not re.search(r"(?<!\\)\]\(", text)
