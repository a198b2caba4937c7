"""A working paper that is no report, in the same type and paper: plans of remediation."""

import base64
import hashlib
from collections.abc import Mapping

from markupsafe import Markup

from scanner.report.html import faces
from scanner.report.pdf import Drawing, draw
from scanner.report.templates import environment, stylesheet
from scanner.report.words import load


def sheet_html(template: str, values: Mapping[str, object]) -> bytes:
    """Return a self-contained page without script; equal values give equal bytes."""
    css = Markup("\n").join((faces(), stylesheet("common", "screen")))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    return _markup(template, css, policy, values).encode("utf-8")


def sheet_pdf(template: str, values: Mapping[str, object], identifier: str) -> bytes:
    """Return the same as PDF/A-3a."""
    return draw(Drawing(_markup(template, stylesheet("common", "print"), "", values), identifier))


def _markup(template: str, css: Markup, csp: str, values: Mapping[str, object]) -> str:
    return environment().get_template(template).render(css=css, csp=csp, t=load(), **values)
