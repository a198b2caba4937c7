"""A report as one HTML file: no script, no request, readable on a phone and in the dark."""

import base64
import hashlib

from markupsafe import Markup

from scanner.report.content import Content
from scanner.report.templates import font_as_data, page, stylesheet

# Arabic and Hebrew are left to the reader's system: every browser's system has them, and the file stays small.
FONTS = (
    ("Report Sans", 400, "IBMPlexSans-Regular.woff2"),
    ("Report Sans", 600, "IBMPlexSans-SemiBold.woff2"),
    ("Report Mono", 400, "IBMPlexMono-Regular.woff2"),
)


def render_html(content: Content) -> bytes:
    """Return the report as a self-contained page; equal contents give equal bytes."""
    css = Markup("\n").join((faces(), stylesheet("common", "screen")))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    return page(content, css=css, csp=policy, bar=True).encode("utf-8")


def faces() -> Markup:
    """Return the bundled fonts as style rules."""
    faces = (
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:swap;'
        f'src:url({font_as_data(name)}) format("woff2")}}'
        for family, weight, name in FONTS
    )
    return Markup("\n".join(faces))  # noqa: S704
