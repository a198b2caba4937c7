"""A working paper that is no report, in the same type and paper: plans of remediation."""

from collections.abc import Mapping

from markupsafe import Markup

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
    return draw(Drawing(_markup(template, stylesheet("common", "print"), "", values), identifier))


def _markup(template: str, css: Markup, csp: str, values: Mapping[str, object]) -> str:
    return environment().get_template(template).render(css=css, csp=csp, t=load(), **values)
