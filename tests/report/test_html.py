"""The HTML page, as text and in a browser."""

import base64
import gzip
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import report_samples as samples

from scanner.report import RENDERERS
from scanner.report.content import Content
from scanner.report.templates import script

CHROMIUM = Path("/usr/bin/chromium")
Make = Callable[..., Content]


def without_script(html: str) -> str:
    """Return a page without our own script."""
    own = f"<script>{script('list')}</script>"
    assert html.count(own) == 1
    return html.replace(own, "")


def test_page_is_small_and_asks_for_nothing(html: str) -> None:
    """Style, fonts, script and data are inside, no address is fetched, and no other script exists."""
    assert len(html.encode()) < 1_500_000
    rest = without_script(html)
    assert not re.findall(r"<link|<img|<iframe|<object|javascript:|\bon[a-z]+=", rest)
    assert re.findall(r"<script[^>]*>", rest) == [
        '<script type="application/json" id="list-words">',
        '<script type="application/octet-stream" id="list-data">',
    ]
    assert not re.findall(r"url\((?!data:font/woff2|#)", html)
    assert "default-src 'none'" in unescape(html)


def unpacked(html: str) -> str:
    """Return what the data island of a page holds."""
    packed = re.search(r'id="list-data">([^<]+)<', html)
    assert packed
    return gzip.decompress(base64.b64decode(packed[1])).decode()


def test_script_makes_no_markup_and_no_request() -> None:
    """Text reaches the page as text, nothing is evaluated, and nothing leaves it."""
    unsafe = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|fetch|XMLHttp|WebSocket|import\b|http"
    )

    assert re.findall(unsafe, script("list")) == []


def test_names_are_escaped(named_html: str) -> None:
    """A name that is markup is shown as text."""
    named_html = without_script(named_html)
    assert "<script>" not in named_html
    assert "&lt;script&gt;" in named_html
    assert "=cmd()" in named_html
    assert not set(named_html) & set(map(chr, [*range(10), *range(11, 32), 127, 0x202E]))


def test_identified_page_is_marked(named_html: str, html: str) -> None:
    """Who opens the identified page sees that its distribution is restricted."""
    assert "RESTRICTED DISTRIBUTION" in named_html
    assert "RESTRICTED DISTRIBUTION" not in html


def test_pseudonymised_page_holds_no_name(html: str) -> None:
    """Nothing in the source of the page names a person either."""
    body = re.sub(r"<style>.*?</style>", "", without_script(html), flags=re.DOTALL)
    body += unpacked(html)

    assert "@" not in body
    assert not [name for name in samples.PEOPLE.values() if name in body]
    assert "acc-000" not in body


def test_links_lead_somewhere_and_ids_are_unique(html: str) -> None:
    """Every link inside the page has its target, and no id is given twice."""
    ids = re.findall(r'\bid="([^"]+)"', html)

    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_empty_sections_say_so(content: Make) -> None:
    """A report without findings has every section, each with a sentence."""
    quiet = samples.record(0, hostile=False)
    results = tuple(
        type(one)(**{f: getattr(one, f) for f in one.__slots__} | {"findings": ()}) for one in quiet.results
    )
    record = type(quiet)(**{f: getattr(quiet, f) for f in quiet.__slots__} | {"results": results, "suppressions": ()})
    page = RENDERERS["html"](content(record)).decode()

    for sentence in (
        "No exception was found in what could be tested.",
        "Nothing was left undecided.",
        "There are no leads for review.",
        "No risk has been accepted.",
        "Nothing is configured that could keep a finding from being raised.",
        "There are no exceptions to draw.",
        "There are no exceptions to name.",
    ):
        assert sentence in page


@pytest.fixture
def browser() -> Iterator[Any]:
    """Start the system's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail("Chromium is missing: install it (Debian: apt-get install chromium) and run the tests again")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, address: str, **options: Any) -> tuple[Any, list[str]]:
    """Open a page and collect what it complains about or asks for."""
    page = browser.new_context(**options).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "request", lambda request: told.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    page.goto(address)
    page.evaluate("document.fonts.ready.then(() => true)")
    return page, told


@pytest.mark.browser
def test_page_is_quiet_and_runs_its_own_script_only(
    browser: Any, named_html: str, page_file: Callable[[str], str]
) -> None:
    """The policy blocks nothing of ours, nothing is requested, and a script in a name stays text."""
    page, told = opened(browser, page_file(named_html))

    assert told == []
    assert page.title().startswith("Security of processing")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "600"
    assert page.evaluate("document.fonts.check('16px \"Report Sans\"')")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_page_never_scrolls_sideways(
    browser: Any, named_html: str, page_file: Callable[[str], str], width: int
) -> None:
    """On a phone, too, only tables scroll, each in its own box."""
    page, _ = opened(browser, page_file(named_html), viewport={"width": width, "height": 844})

    assert width == page.evaluate("document.documentElement.scrollWidth")
    outside = """[...document.querySelectorAll('p,h1,h2,h3,dl,ul')].filter(
        one => !one.closest('.scroll') && one.getBoundingClientRect().right > innerWidth + 1).length"""
    assert page.evaluate(outside) == 0


@pytest.mark.browser
def test_findings_are_read_on_a_phone_without_scrolling(
    browser: Any, named_html: str, page_file: Callable[[str], str]
) -> None:
    """Each finding stands below the other, with all of its sentence in sight."""
    page, _ = opened(browser, page_file(named_html), viewport={"width": 390, "height": 844})

    assert page.locator(".findings").count() > 3
    assert (
        page.evaluate("[...document.querySelectorAll('.findings')].filter(x => x.scrollWidth > x.clientWidth).length")
        == 0
    )


@pytest.mark.browser
def test_print_of_the_page_keeps_its_columns_and_the_worst_severity(
    browser: Any, html: str, page_file: Callable[[str], str]
) -> None:
    """A sheet of paper is narrow but no phone, and white words keep their dark ground."""
    page, _ = opened(browser, page_file(html), viewport={"width": 680, "height": 900})
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.querySelector('.facts dt')).float") == "left"
    assert page.evaluate("getComputedStyle(document.querySelector('.severity-critical')).printColorAdjust") == "exact"


@pytest.mark.browser
def test_page_works_without_javascript(browser: Any, html: str, page_file: Callable[[str], str]) -> None:
    """Content and links need no script."""
    page, told = opened_plain(browser, page_file(html))
    page.click(".contents a[href='#exceptions']")

    assert told == []
    assert page.locator("#exceptions h2").is_visible()
    assert page.url.endswith("#exceptions")


def opened_plain(browser: Any, address: str) -> tuple[Any, list[str]]:
    """Open a page with JavaScript switched off."""
    page = browser.new_context(java_script_enabled=False).new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(address)
    return page, told


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser: Any, html: str, page_file: Callable[[str], str], scheme: str) -> None:
    """No text is grey on grey: at least 4.5 to 1, in light and in dark."""
    page, _ = opened(browser, page_file(html), color_scheme=scheme)

    assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const lum = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
                     return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const rgb = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
                        if (c.length === 3 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
  const low = new Set();
  for (const e of document.querySelectorAll('main *:not(svg *)')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = lum(rgb(getComputedStyle(e).color).slice(0, 3)), b = lum(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.add(e.className + ' ' + ratio.toFixed(2));
  }
  return [...low];
}"""


def test_pseudonyms_stay_on_one_line(html: str) -> None:
    """A pseudonym is never broken at its hyphen."""
    pseudonym = r"[PA]-[A-Z2-7]{16}"
    body = html[html.index('id="exceptions"') :]

    assert re.findall(rf'<bdi class="id short">{pseudonym}<', body)
    assert not re.findall(rf'<bdi class="(?!id short)[^"]*">{pseudonym}<', body)
