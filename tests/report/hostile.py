"""A record in which every text that comes from outside attacks whatever shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import report_samples as samples

from scanner.model import Finding
from scanner.model_history import AppliedWaiver, WaiverStatus
from scanner.model_record import Record

OWNED = "document.title='owned'"
TEXTS = {
    "markup": f"<img src=x onerror={OWNED}><a href=javascript:{OWNED}>a</a>",
    "script": f"</style></script><script>{OWNED}</script><svg onload={OWNED}>",
    "attribute": f'"\'`><b onmouseover={OWNED} x="',
    "formula": '=HYPERLINK("http://x.example","a")',
    "hidden formula": "\x00\u202e+cmd|'/c calc'!A1",
    "directions": "\u202egpj.exe\u2066 مريم \u2069\u200f",
    "control": "a\x00\x07\x08\x1b[31m\x7f\x85\u2028\ufeff\u200bz",
    "template": "{{ 7*7 }}{% raw %}{0}${x}&amp;&#60;",
    "long": "x" * 10_000,
}
HIDDEN = {*map(chr, [*range(9), *range(11, 32), 127, *range(0x80, 0xA0)])} | set(
    "\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters that turn, hide or end text."""


class _Names:
    """Gives out texts in turn; those of a kind share a number, so that ids stay ids."""

    def __init__(self, offset: int | None) -> None:
        self._offset, self._given = offset, 0

    def __call__(self) -> str:
        """Return the next text; without an offset a harmless one."""
        self._given += 1
        texts = ["plain"] if self._offset is None else list(TEXTS.values())
        # All are long enough for the line of its own that long values of parameters get.
        return f"{texts[(self._given + (self._offset or 0)) % len(texts)]} and so on, text {self._given}"


def record(offset: int | None) -> Record:
    """Return a small record with a text in each place where one can come in; `offset` turns who gets which.

    Over as many offsets as there are texts, each place has held each text. None gives harmless texts in every place.
    """
    text = _Names(offset)
    base = samples.record(2, hostile=False)
    results = tuple(replace(r, detail=text(), findings=tuple(_findings(text, r.findings))) for r in base.results)
    found = [finding for result in results for finding in result.findings]
    return replace(
        base,
        organization=text(),
        run_by=text(),
        applications=tuple(
            replace(fact, name=text(), owner=text(), unconnected_reason=text() if fact.unconnected_reason else None)
            for fact in base.applications
        ),
        sources=tuple(replace(one, query=text(), detail=text()) for one in base.sources),
        rules=tuple(
            replace(
                rule,
                params=tuple(
                    replace(p, value=(text(),), default=(text(),)) if p.type == "list" else replace(p, source=text())
                    for p in rule.params
                ),
            )
            for rule in base.rules
        ),
        results=results,
        names={(f.app, f.account_id): text() for f in found if f.app and f.account_id},
        workers={worker_id: text() for worker_id in base.workers},
        entitlements={(f.app, f.entitlement): text() for f in found if f.app and f.entitlement},
        waivers=(
            AppliedWaiver(
                "0" * 12, 1, "orphaned-account", "ledger", text(), text(), text(), text(), text(),
                date(2026, 1, 1), date(2026, 12, 31), WaiverStatus.IN_FORCE, ticket=text(), compensating_control=text(),
            ),
        ),
    )  # fmt: skip


def _findings(text: _Names, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    for finding in findings:
        evidence: Mapping[str, object] = {"email": text(), text(): text(), "list": [text(), {text(): text()}]}
        yield replace(
            finding,
            account_id=text() if finding.account_id else None,
            username=text() if finding.account_id else None,
            entitlement=text() if finding.account_id else None,
            reason=f"{{account}} of {{worker}}: {text()}",
            evidence=evidence,
        )
