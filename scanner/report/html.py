"""A report as one HTML file: no request, one script that it can do without, readable on a phone and in the dark."""

import base64
import hashlib

from markupsafe import Markup

from scanner.report.content import Content
from scanner.report.island import island
from scanner.report.templates import font_as_data, page, script, stylesheet

# Arabic and Hebrew are left to the reader's system: every browser's system has them, and the file stays small.
FONTS = (
    ("Report Sans", 400, "IBMPlexSans-Regular.woff2"),
    ("Report Sans", 600, "IBMPlexSans-SemiBold.woff2"),
    ("Report Mono", 400, "IBMPlexMono-Regular.woff2"),
)


def render_html(content: Content) -> bytes:
    """Return the report as a self-contained page; equal contents give equal bytes."""
    css = Markup("\n").join((faces(), stylesheet("common", "screen", "list")))
    js = script("list")
    return page(
        content,
        css=css,
        csp=policy(css, js),
        bar=True,
        script=js,
        island=Markup(island(content.listed)),  # noqa: S704
        list_words=_list_words(content),
    ).encode("utf-8")


def policy(css: str, js: str = "") -> str:
    """Return the Content-Security-Policy (CSP3) of a page that may use this style and this script, and nothing else."""
    runs = f"script-src {_source(js)}; " if js else ""
    return f"default-src 'none'; {runs}style-src {_source(css)}; font-src data:; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _list_words(content: Content) -> dict[str, object]:
    """Return the words that the script puts into the page."""
    words = content.words
    return {
        "report_id": content.cover.id,
        "origin": [("scan", content.scan.id), ("privacy", content.privacy)],
        "thousands": words("format.thousands"),
        **words.group("list_script"),
        "no_application": words("chart.no_application"),
        "severity": dict(words.group("severity")),
        "state": dict(words.group("state")),
        "verdict": dict(words.group("list_verdict")),
        "label": dict(words.group("list_label")),
    }


def faces() -> Markup:
    """Return the bundled fonts as style rules."""
    faces = (
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:swap;'
        f'src:url({font_as_data(name)}) format("woff2")}}'
        for family, weight, name in FONTS
    )
    return Markup("\n".join(faces))  # noqa: S704
