"""From a sealed scan to a report: `content.build` computes, the renderers only render."""

from collections.abc import Callable

from scanner.report.content import Content
from scanner.report.html import render_html
from scanner.report.pdf import render_pdf

RENDERERS: dict[str, Callable[[Content], bytes]] = {"html": render_html, "pdf": render_pdf}
"""Format -> renderer. The name is also the extension of the file."""
