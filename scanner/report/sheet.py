"""Papers beside the full report, in the same type: plans of remediation, and reports of counts only."""

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup

from scanner.report.attachments import Attachment
from scanner.report.html import faces, policy
from scanner.report.pdf import Drawing, draw
from scanner.report.templates import environment, stylesheet
from scanner.report.words import load


def sheet_html(template: str, values: Mapping[str, object]) -> bytes:
    """Return a self-contained page without script; equal values give equal bytes."""
    css = Markup("\n").join((faces(), stylesheet("common", "screen")))
    return _markup(template, css, policy(css), values).encode("utf-8")


def sheet_pdf(template: str, values: Mapping[str, object], identifier: str) -> bytes:
    """Return the same as PDF/A-3a."""
    return draw(sheet_drawing(template, values, identifier))


def sheet_drawing(
    template: str,
    values: Mapping[str, object],
    identifier: str,
    *,
    moment: datetime | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Drawing:
    """Return what it takes to draw the PDF; `moment` is the date of the embedded files."""
    return Drawing(_markup(template, stylesheet("common", "print"), "", values), identifier, moment, attachments)


def _markup(template: str, css: Markup, csp: str, values: Mapping[str, object]) -> str:
    return environment().get_template(template).render(css=css, csp=csp, t=load(), **values)
