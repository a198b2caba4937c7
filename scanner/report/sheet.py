"""Papers beside the full report, in the same type: plans of remediation, and reports of counts only."""

from collections.abc import Mapping

from markupsafe import Markup

from scanner.report.attachments import Attachment
from scanner.report.cover import Cover
from scanner.report.html import faces, policy
from scanner.report.pdf import Drawing
from scanner.report.templates import environment, stylesheet
from scanner.report.words import load


def sheet_html(template: str, cover: Cover, values: Mapping[str, object]) -> bytes:
    """Return a self-contained page without script; equal values give equal bytes."""
    css = Markup("\n").join((faces(), stylesheet("common", "screen")))
    return _markup(template, css, policy(css), cover, values).encode("utf-8")


def sheet_drawing(
    template: str, cover: Cover, values: Mapping[str, object], attachments: tuple[Attachment, ...] = ()
) -> Drawing:
    """Return what it takes to draw the PDF."""
    css = stylesheet("common", "print")
    return Drawing(_markup(template, css, "", cover, values), cover.id, cover.created_at, attachments)


def _markup(template: str, css: Markup, csp: str, cover: Cover, values: Mapping[str, object]) -> str:
    return environment().get_template(template).render(css=css, csp=csp, t=load(), cover=cover, **values)
