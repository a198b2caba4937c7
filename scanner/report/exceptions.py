"""Findings in plain language, grouped by rule; exceptions, open questions, leads and accepted risks kept apart."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from scanner.frameworks import RuleShare, Strength
from scanner.model import Finding, FindingState, Severity
from scanner.report.controls import anchor
from scanner.report.inputs import Inputs

MOST_TOP = 5
PAST = (FindingState.RESOLVED, FindingState.VERIFIED)


@dataclass(frozen=True, slots=True)
class TopException:
    """One of the results that a reader in a hurry must see."""

    anchor: str
    title: str
    severity: Severity
    severity_word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One finding, as the profile lets it be seen."""

    reference: str
    application: str
    subject: str
    """The account, else the person, else what the finding is about as a whole."""
    person: str
    """Whom the account is matched to, where that is not the subject itself."""
    is_name: bool
    """Whether the subject is an id or a name, not words of the catalogue."""
    entitlement: str
    reason: tuple[tuple[str, bool], ...]
    """Pieces of the sentence; True marks a person or an account."""
    evidence: tuple[tuple[str, str], ...]
    severity: Severity
    severity_word: str
    state: str
    first_seen: str


@dataclass(frozen=True, slots=True)
class RuleSection:
    """The findings of one rule."""

    anchor: str
    rule: str
    title: str
    severity: Severity
    severity_word: str
    why: str
    remedy: str
    rows: tuple[ExceptionRow, ...]
    total: int
    shown_sentence: str
    denominator: str
    note: str


def exceptions_of(share: RuleShare) -> tuple[Finding, ...]:
    """Return the findings of a rule that are exceptions: a test that failed, open, and no lead."""
    return () if share.lead else tuple(finding for finding in share.findings if finding.counts)


PARTS: Mapping[str, tuple[str, Callable[[RuleShare, Finding], bool]]] = {
    "exceptions": ("rule", lambda share, finding: not share.lead and finding.counts),
    # What the data could not decide; never exceptions.
    "unknowns": ("open", lambda share, finding: not share.lead and _is_unknown(finding)),
    # For review only; never exceptions.
    "leads": ("lead", lambda share, finding: share.lead and finding.state not in PAST),
    # What somebody accepted for a time.
    "waived": ("waived", lambda share, finding: finding.state is FindingState.WAIVED and not share.lead),
}
"""Parts of a report that list findings: what their anchors begin with, and what belongs to them. A finding that is not
of the past belongs to exactly one."""


@dataclass(frozen=True, slots=True)
class FindingList:
    """The findings of one rule in one part of a report, worst first."""

    part: str
    """One of PARTS."""
    share: RuleShare
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The worst of its findings."""
        return self.findings[0].severity


def finding_lists(inputs: Inputs, part: str) -> tuple[FindingList, ...]:
    """Return the lists of one part, worst rule first."""
    _, belongs = PARTS[part]
    lists = []
    for share in inputs.shares.values():
        found = [finding for finding in share.findings if belongs(share, finding)]
        if found:
            found.sort(key=lambda one: (one.severity.rank, inputs.application(one.app), one.fingerprint))
            lists.append(FindingList(part, share, tuple(found)))
    return tuple(sorted(lists, key=lambda one: (one.severity.rank, -len(one.findings), one.share.rule)))


def sections(inputs: Inputs, part: str) -> tuple[RuleSection, ...]:
    """Return one part as it is printed: of each rule as many findings as the cap allows."""
    return tuple(section(inputs, one, 0, inputs.rows_per_rule) for one in finding_lists(inputs, part))


def _is_unknown(finding: Finding) -> bool:
    return finding.verdict == "unknown" and finding.state not in (*PAST, FindingState.WAIVED)


def past_count(inputs: Inputs) -> int:
    """Return how many findings of earlier scans are gone."""
    return sum(finding.state in PAST for share in inputs.shares.values() for finding in share.findings)


def top_exceptions(inputs: Inputs) -> tuple[TopException, ...]:
    """Return the rules that matter most, by severity and then by number."""
    ranked = []
    for share in inputs.shares.values():
        found = exceptions_of(share)
        if found:
            worst = min((finding.severity for finding in found), key=lambda severity: severity.rank)
            ranked.append((worst.rank, -len(found), share.rule, worst, share, found))
    ranked.sort(key=lambda entry: entry[:3])
    return tuple(_top(inputs, severity, share, found) for *_, severity, share, found in ranked[:MOST_TOP])


def _top(inputs: Inputs, severity: Severity, share: RuleShare, found: tuple[Finding, ...]) -> TopException:
    words = inputs.words
    per_app: dict[str, int] = {}
    for finding in found:
        name = inputs.application(finding.app)
        if name:
            per_app[name] = per_app.get(name, 0) + 1
    sentence = _denominator(inputs, share, found)
    if len(per_app) == 1:
        sentence = f"{sentence} {words('top.all', application=next(iter(per_app)))}"
    elif per_app:
        most, second, *_ = sorted(per_app, key=lambda name: (-per_app[name], name))
        key = "top.most" if per_app[most] > per_app[second] else "top.several"
        sentence = f"{sentence} {words(key, application=most, n=per_app[most], applications=len(per_app))}"
    return TopException(anchor("rule", share.rule), share.title, severity, words(f"severity.{severity}"), sentence)


def _denominator(inputs: Inputs, share: RuleShare, findings: Sequence[Finding]) -> str:
    words, found = inputs.words, len(findings)
    told = {"tested": share.tested, "things": _things(inputs, share)}
    if not share.tested:
        return words("exceptions.found", n=found)
    # What an incomplete list shows is reported, but such a list does not count as tested.
    parts = [app for result in inputs.record.results if result.rule == share.rule for app in result.apps]
    untested = {app.app for app in parts if app.unable and not app.tested}
    beyond = sum(finding.app in untested for finding in findings)
    if found - beyond > share.tested:
        return words("exceptions.more_than_tested", n=found, **told)
    if beyond:
        return words("exceptions.beyond_tested", n=found, inside=found - beyond, beyond=beyond, **told)
    return words("exceptions.of_tested", n=found, **told)


def _things(inputs: Inputs, share: RuleShare) -> str:
    """Return what a rule tests, in words: the things of its population."""
    rule, form = inputs.rules.get(share.rule), "one" if share.tested == 1 else "other"
    name = rule.population if rule else ""
    return inputs.words.optional(f"population.{name}.{form}", name.replace("_", " "))


def _population(inputs: Inputs, share: RuleShare) -> str:
    """Return how the population falls into tested, unable and excluded."""
    sums = {
        "population": share.population,
        "tested": share.tested,
        "unable": share.unable,
        "excluded": share.excluded,
    }
    if share.unseen:
        names = inputs.words.join([inputs.application(app) for app in share.unseen])
        return inputs.words("exceptions.population_seen", apps=names, **sums)
    if share.population == share.tested:
        return inputs.words("exceptions.whole_population")
    return inputs.words("exceptions.population", **sums)


def section(inputs: Inputs, one: FindingList, start: int, stop: int) -> RuleSection:
    """Return a piece of a list with its head; `shown_sentence` says what of the list it is not."""
    words, share, rule = inputs.words, one.share, inputs.rules.get(one.share.rule)
    shown, total = one.findings[start:stop], len(one.findings)
    prefix, _ = PARTS[one.part]
    sums = _population(inputs, share)
    supporting = prefix == "rule" and share.strength is Strength.SUPPORTING
    return RuleSection(
        anchor=anchor(prefix, share.rule),
        rule=share.rule,
        title=share.title,
        severity=one.severity,
        severity_word=words(f"severity.{one.severity}"),
        why=inputs.disclosure.text(rule.why) if rule else "",
        remedy=inputs.disclosure.text(rule.remedy) if rule else "",
        rows=tuple(finding_rows(inputs, shown)),
        total=total,
        shown_sentence=words("exceptions.capped", n=total, shown=len(shown)) if len(shown) < total else "",
        denominator=f"{_denominator(inputs, share, one.findings)} {sums}" if prefix == "rule" else sums,
        note=words("exceptions.supporting") if supporting else "",
    )


def finding_rows(inputs: Inputs, findings: Iterable[Finding]) -> Iterator[ExceptionRow]:
    """Yield findings as the privacy profile lets them be seen, in their order."""
    for finding in findings:
        subject, person, is_name = _subject(inputs, finding)
        yield ExceptionRow(
            reference=inputs.disclosure.reference(finding),
            application=inputs.application(finding.app),
            subject=subject,
            person=person,
            is_name=is_name,
            entitlement=_entitlement(inputs, finding),
            reason=inputs.disclosure.reason(finding),
            evidence=inputs.disclosure.evidence(finding, inputs.rules.get(finding.rule)),
            severity=finding.severity,
            severity_word=inputs.words(f"severity.{finding.severity}"),
            state=inputs.words(f"state.{finding.state}"),
            first_seen=_first_seen(finding),
        )


def _subject(inputs: Inputs, finding: Finding) -> tuple[str, str, bool]:
    seen = inputs.disclosure
    person = seen.worker(finding.worker_id) if finding.worker_id else ""
    if finding.app is not None and finding.account_id is not None:
        return seen.account(finding.app, finding.account_id, finding.username), person, True
    if person:
        return person, "", True
    return inputs.words("exceptions.whole_application" if finding.app else "exceptions.whole_scan"), "", False


def _entitlement(inputs: Inputs, finding: Finding) -> str:
    if finding.entitlement is None:
        return ""
    name = inputs.record.entitlements.get((finding.app or "", finding.entitlement), finding.entitlement)
    return inputs.disclosure.text(name)


def first_seen_at(finding: Finding) -> datetime | None:
    """Return the clock of the scan that first showed a finding; for records of before, when that scan ran."""
    if finding.first_seen_at is not None:
        return finding.first_seen_at
    return _started(finding.first_seen)


@lru_cache(maxsize=4096)
def _started(scan: str) -> datetime | None:
    """Return the time in a scan id. Many findings are from the same scan, and reading a time is slow."""
    found = re.match(r"\d{8}T\d{6}Z", scan)
    return datetime.strptime(found[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None


def _first_seen(finding: Finding) -> str:
    seen = first_seen_at(finding)
    return f"{seen:%Y-%m-%d}" if seen else finding.first_seen
