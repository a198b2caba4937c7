"""From a sealed scan to a report: `content.build` and `whole.build_whole` compute, the renderers only render."""

from collections.abc import Callable

from scanner.report.content import Content
from scanner.report.html import render_html
from scanner.report.markdown import render_markdown
from scanner.report.ocsf import render_ocsf
from scanner.report.oscal import render_oscal
from scanner.report.pdf import render_pdf
from scanner.report.plain import render_csv, render_json
from scanner.report.whole import Whole
from scanner.report.xlsx import render_xlsx

RENDERERS: dict[str, Callable[[Content], bytes]] = {"html": render_html, "pdf": render_pdf, "oscal": render_oscal}
"""Format -> renderer of one framework."""
WHOLE_RENDERERS: dict[str, Callable[[Whole], bytes]] = {
    "xlsx": render_xlsx,
    "csv": render_csv,
    "json": render_json,
    "ocsf": render_ocsf,
    "md": render_markdown,
}
"""Format -> renderer of the scan as a whole."""
FILES = {
    "html": "{framework}.html",
    "pdf": "{framework}.pdf",
    "oscal": "{framework}.oscal.json",
    "xlsx": "findings.xlsx",
    "csv": "findings.csv",
    "json": "findings.json",
    "ocsf": "findings.ocsf.jsonl",
    "md": "summary.md",
}
"""Format -> name of the file."""
