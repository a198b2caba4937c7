"""Invented findings, the same on every run, and the two pages that show them."""

import base64
import hashlib
from types import SimpleNamespace

from markupsafe import Markup, escape

from scanner.report.html import faces, policy
from scanner.report.island import island
from scanner.report.listing import ListedFinding
from scanner.report.templates import environment, script, stylesheet
from scanner.report.words import Words, load

RULES = (
    ("leaver-still-active", "Leaver whose account still works", "high"),
    ("orphaned-account", "Account that belongs to nobody", "high"),
    ("dormant-account", "Account that nobody used for a long time", "medium"),
    ("too-many-admins", "More administrators than agreed", "medium"),
    ("privileged-without-mfa", "Privileged account without a second factor", "critical"),
    ("hr-attribute-drift", "Account whose data differ from HR", "low"),
)


def rows(count: int) -> tuple[ListedFinding, ...]:
    """Return so many findings; pseudonyms do not compress, as in a real report."""
    return tuple(_row(n) for n in range(count))


def _row(n: int) -> ListedFinding:
    digest = hashlib.sha256(str(n).encode()).digest()
    account, person = (
        f"{kind}-{base64.b32encode(digest[at : at + 10]).decode()}" for kind, at in (("A", 0), ("P", 10))
    )
    rule, title, severity = RULES[digest[30] % len(RULES)]
    day = f"2026-0{digest[29] % 9 + 1}-{digest[28] % 28 + 1:02}"
    return ListedFinding(
        reference=f"F-{base64.b32encode(digest[20:25]).decode()}",
        rule=rule,
        title=title,
        severity=severity,
        verdict="unknown" if digest[27] < 8 else "fail",
        state=("baseline", "new", "open", "reopened")[digest[26] % 4],
        lead=False,
        application=f"Application {digest[31] % 50}",
        subject=account,
        person=person,
        entitlement="",
        reason=((account, True), (" still works although ", False), (person, True), (f" left on {day}.", False)),
        evidence=(("work ended", day), ("days", str(n % 400)), ("last sign-in", f"{day} 08:{n % 60:02} UTC")),
        first_seen="20260901T060000Z-ab12",
        first_seen_at="2026-09-01T06:00:00Z",
    )


def list_page(found: tuple[ListedFinding, ...]) -> bytes:
    """Return the list as it stands in a report, without the rest of the report."""
    words = load()
    css, js = Markup("\n").join((faces(), stylesheet("common", "screen", "list"))), script("list")
    spoken = {
        "report_id": "BENCH",
        "origin": [],
        "thousands": ",",
        "no_application": "",
        **words.group("list_script"),
        **{name: dict(words.group(name)) for name in ("severity", "state")},
        "verdict": dict(words.group("list_verdict")),
        "label": dict(words.group("list_label")),
    }
    shown = (
        environment()
        .get_template("list.html")
        .render(report=SimpleNamespace(listed=found), t=words, island=Markup(island(found)), list_words=spoken)
    )
    return _page(css, policy(css, js), f"{shown}<script>{js}</script>")


def plain_page(found: tuple[ListedFinding, ...]) -> bytes:
    """Return the same findings, columns and styles as one table, with a field that hides the rows that do not fit."""
    words = load()
    css = Markup("\n").join((faces(), stylesheet("common", "screen")))
    body = "".join(_plain_row(words, row) for row in found)
    table = (
        f'<input id="search"><table><thead><tr>{"<th>head</th>" * 5}</tr></thead><tbody>{body}</tbody></table>'
        f"<script>{PLAIN}</script>"
    )
    return _page(css, policy(css, PLAIN), table)


def _plain_row(words: Words, row: ListedFinding) -> str:
    facts = "".join(f"<span>{escape(label)} <bdi>{escape(told)}</bdi></span>" for label, told in row.evidence)
    return (
        f'<tr><th class="code">{row.reference}</th>'
        f"<td><b>{row.application}</b><br><bdi>{row.subject}</bdi><br><small>{row.person}</small></td>"
        f'<td>{row.title}<br>{escape(row.sentence)}<p class="evidence">{facts}</p></td>'
        f'<td><span class="severity severity-{row.severity}">{words(f"severity.{row.severity}")}</span></td>'
        f"<td>2026-09-01<br><small>{row.state}</small></td></tr>\n"
    )


PLAIN = """
document.getElementById("search").addEventListener("input", (event) => {
  const text = event.target.value.toLowerCase();
  for (const row of document.querySelectorAll("tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(text);
  document.body.dataset.filtered = text;
});
"""


def _page(css: str, csp: str, body: str) -> bytes:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>benchmark</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{csp}"><style>{css}</style></head>'
        f"<body><main>{body}</main></body></html>"
    ).encode()
