"""The list of all findings, in a browser."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_samples as samples
from conftest import content_of
from test_html import CHROMIUM

from scanner.model_record import Record
from scanner.report import RENDERERS
from scanner.report.content import Content
from scanner.report.plain import list_csv

pytestmark = pytest.mark.browser

LONG = "n" * 10_000
MEAN = ("\u202e=HYPERLINK(1)", "<img src=x onerror=document.title='owned'>", "</script><script>x", "{0}\x00\x1f", LONG)
Read = Callable[[str], Any]


def mean_record() -> Record:
    """Return a record with more findings than are drawn at once, and names that attack."""
    record = samples.record(400)
    odd = [
        samples.finding("orphaned-account", 100 + n, "crm", account_id=name, username=name, worker_id=None)
        for n, name in enumerate(MEAN)
    ]
    results = [
        replace(result, findings=(*result.findings, *odd)) if result.rule == "orphaned-account" else result
        for result in record.results
    ]
    return replace(record, results=tuple(results))


@pytest.fixture(scope="module")
def content() -> Content:
    """Return the identified report, whose names are all shown."""
    return content_of(mean_record(), privacy="L2")


@pytest.fixture(scope="module")
def address(content: Content, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the page once."""
    path = tmp_path_factory.mktemp("list") / "report.html"
    path.write_bytes(RENDERERS["html"](content))
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def opened(browser: Any, address: str) -> Iterator[tuple[Any, list[str]]]:
    """Open the page once, and collect what it complains about or asks for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page, told = context.new_page(), []
    page.add_init_script("addEventListener('securitypolicyviolation', e => console.log('CSP ' + e.blockedURI))")
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url) if request.url != address else None)
    page.goto(address)
    page.wait_for_selector("#list-grid[data-ready]")
    yield page, told
    context.close()


@pytest.fixture
def page(opened: tuple[Any, list[str]]) -> Any:
    """Return the page as it is when it opens; after the test it has asked for nothing and complained of nothing."""
    page, told = opened
    page.evaluate("document.querySelector('#list-sheet').close()")
    page.click("#list-form [type=reset]")
    page.wait_for_function("!document.querySelector('#list-search').value")
    page.wait_for_timeout(20)
    if page.locator("#list-all").is_checked() or page.locator("#list-export").is_enabled():
        page.locator("#list-all").check()
        page.locator("#list-all").uncheck()
    yield page
    assert [one for one in told if not one.startswith(("data:", "blob:"))] == []


def status(page: Any) -> str:
    """Return what is told of the list; a search waits for the end of typing."""
    page.wait_for_timeout(150)
    return page.inner_text("#list-status")


def column(page: Any, kind: str) -> list[str]:
    """Return the cells of a column that are drawn, from top to bottom."""
    return page.locator(f"#list-rows .l-{kind}").all_inner_texts()


def test_list_draws_what_is_in_sight_and_tells_how_much_there_is(page: Any, content: Content) -> None:
    """A screen reader hears the number of all rows and the place of each, whatever is drawn."""
    total = len(content.listed)

    assert total > 400
    assert page.locator("#list-rows tr").count() < 40
    assert page.get_attribute("#list-grid", "aria-rowcount") == str(total + 1)
    assert page.get_attribute("#list-rows tr", "aria-rowindex") == "2"
    assert status(page) == f"{total} of {total} findings."
    assert not page.is_visible("#list-plain")
    assert page.locator("#list-rows tr").first.get_by_role("gridcell").count() == 5


def test_search_finds_words_in_any_column_and_order(page: Any, content: Content) -> None:
    """All words must be there; case makes no difference, and no hit is said in a sentence."""
    wanted = [
        row
        for row in content.listed
        if "gia holt" in f"{row.person} {row.sentence}".lower() and row.application == "Wiki"
    ]
    page.fill("#list-search", "WIKI gia holt")

    assert len(wanted) > 3
    assert status(page).startswith(f"{len(wanted)} of ")
    page.fill("#list-search", "no such words anywhere")
    assert status(page).startswith("0 of ")
    assert page.is_visible("#list-none")
    assert page.locator("#list-rows tr").count() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rule", "orphaned-account"),
        ("severity", "critical"),
        ("application", "Wiki"),
        ("application", ""),
        ("state", "waived"),
        ("verdict", "unknown"),
    ],
)
def test_filters_show_what_they_name(page: Any, content: Content, name: str, value: str) -> None:
    """Each filter leaves exactly the findings with that value, those without an application among them."""
    page.select_option(f"#list-{name}", f"={value}")
    wanted = sum(getattr(row, name) == value for row in content.listed)

    assert wanted
    assert status(page).startswith(f"{wanted} of ")


def test_heads_sort_and_say_so(page: Any) -> None:
    """A second press turns the order, which is told to screen readers too."""
    page.click("#list-grid [data-sort=reference]")
    up = column(page, "reference")[1:]
    page.click("#list-grid [data-sort=reference]")
    down = column(page, "reference")[1:]

    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert up[0] < down[-1]
    assert page.get_attribute("th.l-reference[aria-sort]", "aria-sort") == "descending"


def test_groups_hold_everything_and_fold(page: Any, content: Content) -> None:
    """Heads name value and number; left and right fold and unfold, and the tree says what is open."""
    page.select_option("#list-group", "rule")
    rules = len({row.rule for row in content.listed})
    assert page.get_attribute("#list-grid", "role") == "treegrid"
    assert page.get_attribute("#list-grid", "aria-rowcount") == str(len(content.listed) + rules + 1)

    page.focus("#list-grid")
    page.keyboard.press("ArrowLeft")
    head = page.locator("#list-rows .l-head").first
    number = int(head.inner_text().rsplit("(", 1)[1].rstrip(")"))
    assert head.get_attribute("aria-expanded") == "false"
    assert page.get_attribute("#list-grid", "aria-rowcount") == str(len(content.listed) + rules + 1 - number)
    page.keyboard.press("Space")
    assert status(page).endswith(f" {number} selected.")


def test_everything_works_by_keyboard(page: Any, content: Content) -> None:
    """To the last finding, open it, leaf back, close it, and be where one was; the list is named as the active row."""
    page.focus("#list-grid")
    page.keyboard.press("End")
    last = page.get_attribute("#list-grid", "aria-activedescendant")
    assert page.get_attribute(f"#{last}", "aria-rowindex") == str(len(content.listed) + 1)
    box, row = page.locator("#list-scroll").bounding_box(), page.locator(f"#{last}").bounding_box()
    assert row["y"] + row["height"] <= box["y"] + box["height"] + 1

    page.keyboard.press("Enter")
    assert page.is_visible("#list-sheet")
    shown = page.inner_text("#list-sheet-facts")
    page.get_by_role("button", name="Previous").press("Enter")
    assert page.inner_text("#list-sheet-facts") != shown
    page.keyboard.press("Escape")
    assert not page.is_visible("#list-sheet")
    assert page.evaluate("document.activeElement.id") == "list-grid"
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    assert page.get_attribute("#list-grid", "aria-activedescendant") != "list-line-0"


def test_selection_outlives_the_filter_and_is_saved_as_the_same_csv(
    page: Any, content: Content, tmp_path: Path
) -> None:
    """What the page saves is what findings.csv of the profile holds, apostrophes before formulas included."""
    page.locator("#list-all").check()
    page.fill("#list-search", "gia")
    page.wait_for_timeout(150)
    with page.expect_download() as download:
        page.click("#list-export")
    download.value.save_as(tmp_path / "saved.csv")

    origin = {"scan": content.scan.id, "privacy": content.privacy}
    saved, listed = (tmp_path / "saved.csv").read_bytes(), list_csv(origin, content.listed)
    rows = [list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) for data in (saved, listed)]
    assert download.value.suggested_filename == f"{content.cover.id}-selected.csv"
    assert saved[:3] == b"\xef\xbb\xbf"
    assert rows[0][0] == rows[1][0]
    assert sorted(rows[0]) == sorted(rows[1])
    assert any(cell.startswith("'=") for row in rows[0] for cell in row)


def test_hostile_names_stay_text(page: Any) -> None:
    """Markup is shown as written, long names are cut, and no element but ours comes into being."""
    page.fill("#list-search", "onerror")
    page.wait_for_timeout(150)
    page.locator("#list-rows tr").first.click()

    assert "<img src=x onerror=document.title='owned'>" in page.inner_text("#list-sheet-facts")
    assert page.locator("#list img, #list iframe, #list script:not([type])").count() == 0
    assert page.title().startswith("Security of processing")
    text = page.evaluate("document.body.textContent")
    assert not set(text) & set(map(chr, [*range(9), *range(11, 32), 127, 0x202E]))
    assert LONG not in text


def test_rule_of_the_report_leads_to_its_list(page: Any, content: Content) -> None:
    """Where the printed findings end, a link goes on with all of that rule."""
    page.click("a[data-list-rule=leaver-still-active]")
    wanted = sum(row.rule == "leaver-still-active" for row in content.listed)

    assert status(page).startswith(f"{wanted} of ")


@pytest.mark.parametrize("way", ["no script", "no stream"])
def test_page_without_the_list_says_where_it_is(browser: Any, address: str, way: str) -> None:
    """Without script, or in an old browser, a sentence leads to the full list, and the printed findings are there."""
    context = browser.new_context(java_script_enabled=way != "no script")
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(address)

    assert "findings.csv" in page.inner_text("#list-plain")
    assert not page.is_visible("#list-tool")
    assert page.locator("#rule-leaver-still-active tbody tr").count() == 20
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_is_used_on_a_phone(browser: Any, address: str, scheme: str) -> None:
    """Nothing scrolls sideways, targets are large enough for a thumb, and a tap opens a finding."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#list-grid[data-ready]")
    page.locator("#list-rows tr").nth(1).tap()

    assert page.is_visible("#list-sheet")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = page.locator("#list-sheet button, #list-form button, #list-form select").all()
    assert min(box.bounding_box()["height"] for box in boxes if box.is_visible()) >= 44
    context.close()
