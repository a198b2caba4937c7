"""What a scan changed, in the words that one receiver may read.

It is taken from `findings.json`, so that scans which ended before a notice could be sent are told as well.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scanner.config import Config
from scanner.model import Finding, FindingState, Severity
from scanner.notices.document import Document, FindingEntry, SourceEntry
from scanner.notices.model import Change, ChangeKind
from scanner.report.disclosure import Disclosure, clean, shorten
from scanner.report.pseudonyms import finding_reference
from scanner.report.words import Words
from scanner.settings import Receiver

LONGEST = 400
"""Characters of one sentence."""
CONFIDENTIAL = ("upcoming-leaver",)
"""Rules that speak of terminations to come, whatever the rows of evidence say."""

_DONE = {
    "deactivate": "the account may be deactivated",
    "remove_grant": "a right of the account may be removed",
    "revoke_sessions": "the sessions of the account may be ended",
    "delete": "the account may be deleted",
}
_OF_STATE = {
    FindingState.NEW: ChangeKind.NEW,
    FindingState.REOPENED: ChangeKind.REOPENED,
    FindingState.RESOLVED: ChangeKind.RESOLVED,
    FindingState.VERIFIED: ChangeKind.RESOLVED,
}


@dataclass(frozen=True, slots=True)
class Before:
    """What the receiver knew before this scan."""

    as_of: datetime
    verdicts: Mapping[str, str]
    """Source -> completeness verdict."""
    waived: Collection[str] = ()
    """References of the findings whose risk was accepted."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A change that a plan will make when a grace period ends."""

    action: str
    what: str
    """What is done: deactivate, remove_grant or the like."""
    app: str
    account_id: str
    username: str | None
    fingerprint: str
    """Of the gravest finding that asks for it."""
    rules: tuple[str, ...]
    severity: Severity
    acts_from: datetime

    @property
    def name(self) -> str:
        """What it is remembered by: a mark that begins anew is another."""
        return f"{self.action} {self.acts_from:%Y-%m-%dT%H:%M}"


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts findings and sources into words for one receiver."""

    config: Config
    receiver: Receiver
    key: bytes
    words: Words

    def changes(self, document: Document, before: Before | None) -> Iterator[Change]:
        """Yield what one scan changed; without `before`, what a receiver is told at first."""
        titles = {rule.id: rule.title for rule in document.rules}
        leads = frozenset(rule.id for rule in document.rules if rule.lead)
        told = [entry for entry in document.findings if self._may_hear(entry, document.scan.as_of, leads)]
        if before is None and not self.receiver.include_existing:
            yield from self._begin(told, document.scan.id)
        for entry in told:
            kind = self._kind(entry, document.scan.as_of, before)
            if kind is ChangeKind.OVERDUE and entry.rule in leads:
                continue  # a lead is a reminder, and nobody is late with it
            if kind is not None:
                yield self._finding(entry, kind, titles.get(entry.rule, entry.rule), document.scan.id)
        for source in document.sources:
            change = self._source(source, before, document.scan.id)
            if change is not None:
                yield change

    def waived(self, document: Document) -> tuple[str, ...]:
        """Return the references of the findings whose risk is accepted."""
        accepted = (entry for entry in document.findings if entry.state is FindingState.WAIVED)
        return tuple(finding_reference(self.key, entry.fingerprint) for entry in accepted)

    def marks(self, marks: Iterable[Mark], scan_id: str) -> Iterator[Change]:
        """Yield what owners should know before it is done, whatever its severity."""
        shown = Disclosure(self.receiver.privacy, self.key, self.words, {}, {})
        for mark in marks:
            owner = self.owner(mark.app)
            if not self.may_hear_of(owner) or set(mark.rules) & set(CONFIDENTIAL):
                continue
            account = shown.account(mark.app, mark.account_id, mark.username)
            when = f"{mark.acts_from:%Y-%m-%d %H:%M} UTC"
            yield Change(
                key=finding_reference(self.key, mark.fingerprint),
                kind=ChangeKind.MARKED,
                severity=mark.severity,
                rule=mark.rules[0],
                title=f"Marked by {', '.join(mark.rules)}",
                app=mark.app,
                owner=owner,
                text=f"{account}: {_DONE[mark.what]} from {when} on, unless the finding is resolved before.",
                remedy="",
                scan_id=scan_id,
            )

    def may_hear_of(self, owner: str) -> bool:
        """Tell whether what belongs to an owner goes to the receiver."""
        return not self.receiver.owners or owner.casefold() in (one.casefold() for one in self.receiver.owners)

    def owner(self, app: str | None) -> str:
        """Return who answers for an application; empty for people and sources of no application."""
        return next((one.owner or "" for one in self.config.applications if one.id == app), "")

    def _may_hear(self, entry: FindingEntry, as_of: datetime, leads: Collection[str]) -> bool:
        if is_confidential(entry, as_of):
            # Whoever was named for them wants to hear of all of them.
            return self.receiver.confidential
        is_grave = entry.severity.rank <= Severity(self.receiver.min_severity).rank
        return is_grave and entry.rule not in leads and self.may_hear_of(self.owner(entry.app))

    def _kind(self, entry: FindingEntry, as_of: datetime, before: Before | None) -> ChangeKind | None:
        if before is None:
            return ChangeKind.EXISTING if self.receiver.include_existing and entry.is_open else None
        if entry.state in _OF_STATE:
            return _OF_STATE[entry.state]
        if entry.is_open and finding_reference(self.key, entry.fingerprint) in before.waived:
            return ChangeKind.REOPENED
        days = timedelta(days=self.receiver.overdue_days[entry.severity])
        due = entry.first_seen_at + days if entry.first_seen_at else as_of
        is_overdue = entry.is_open and entry.verdict == "fail" and before.as_of < due <= as_of
        return ChangeKind.OVERDUE if is_overdue else None

    def _finding(self, entry: FindingEntry, kind: ChangeKind, title: str, scan_id: str) -> Change:
        finding = _finding(entry)
        shown = Disclosure(self.receiver.privacy, self.key, self.words, {}, {})
        text = "".join(piece for piece, _ in shown.reason(finding))
        if finding.app is not None and finding.account_id is not None:
            text = f"{shown.account(finding.app, finding.account_id, finding.username)}: {text}"
        elif finding.worker_id:
            text = f"{shown.worker(finding.worker_id)}: {text}"
        if finding.verdict == "unknown":
            text += " The data cannot decide whether this is an exception."
        return Change(
            key=shown.reference(finding),
            kind=kind,
            severity=finding.severity,
            rule=finding.rule,
            title=clean(title),
            app=finding.app or "",
            owner=self.owner(finding.app),
            text=shorten(text, LONGEST),
            remedy=clean(entry.remedy),
            scan_id=scan_id,
            verdict=finding.verdict,
        )

    def _source(self, source: SourceEntry, before: Before | None, scan_id: str) -> Change | None:
        was_complete = before is None or before.verdicts.get(source.id, "complete") == "complete"
        owner = self.owner(source.id)
        if not self.may_hear_of(owner) or source.is_complete == was_complete:
            return None
        said = f"{source.kind} {source.id}: {source.verdict}"
        detail = shorten(clean(source.detail), LONGEST)
        return Change(
            key=f"source {source.id}",
            kind=ChangeKind.SOURCE_COMPLETE if source.is_complete else ChangeKind.SOURCE_INCOMPLETE,
            severity=Severity.INFO if source.is_complete else Severity.HIGH,
            rule="",
            title="Source complete again" if source.is_complete else "What rests on a source was not tested",
            app=source.id,
            owner=owner,
            text=f"{said}; {detail}" if detail else said,
            remedy="",
            scan_id=scan_id,
        )

    def _begin(self, told: list[FindingEntry], scan_id: str) -> Iterator[Change]:
        open_: dict[str, Counter[str]] = {}
        for entry in told:
            if entry.verdict == "fail" and entry.is_open:
                open_.setdefault(self.owner(entry.app), Counter())[entry.severity] += 1
        for owner in sorted(open_):
            counts = ", ".join(f"{open_[owner][one]} {one}" for one in Severity if open_[owner][one])
            yield Change(
                key="begin",
                kind=ChangeKind.BEGIN,
                severity=Severity.INFO,
                rule="",
                title="Notices begin",
                app="",
                owner=owner,
                text=f"From now on changes are told here. Open now: {counts}.",
                remedy="",
                scan_id=scan_id,
            )


def is_confidential(entry: FindingEntry, as_of: datetime) -> bool:
    """Tell whether a finding gives away that somebody's work will end, before it has."""
    if entry.rule in CONFIDENTIAL:
        return True
    ends = entry.evidence.terminated_at
    try:
        return ends is not None and _utc(str(ends)) > as_of
    except ValueError:
        return True  # a date that nobody can read may lie ahead


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _finding(entry: FindingEntry) -> Finding:
    return Finding(
        fingerprint=entry.fingerprint,
        rule=entry.rule,
        severity=entry.severity,
        verdict=entry.verdict,
        app=entry.app,
        account_id=entry.account_id,
        entitlement=entry.entitlement,
        worker_id=entry.worker_id,
        subject=None,
        reason=entry.reason,
        evidence={},
        username=entry.username,
    )
