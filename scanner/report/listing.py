"""Every finding as one row, as the privacy profile lets it be seen: what all lists of findings are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from scanner.frameworks import RuleShare
from scanner.model import FindingState
from scanner.report.exceptions import PAST, finding_rows, first_seen_at
from scanner.report.inputs import Inputs


@dataclass(frozen=True, slots=True)
class ListedFinding:
    """One finding. The fields are the columns of every list, in this order; codes are those of findings.json."""

    reference: str
    """The pseudonym of the finding; it stands in the printed report, too."""
    rule: str
    title: str
    severity: str
    verdict: str
    state: str
    lead: bool
    application: str
    subject: str
    """The account, else the person, else what the finding is about as a whole."""
    person: str
    """Whom the account is matched to, where that is not the subject itself."""
    entitlement: str
    reason: tuple[tuple[str, bool], ...]
    """Pieces of the sentence; True marks a person or an account."""
    evidence: tuple[tuple[str, str], ...]
    """Label and value."""
    first_seen: str
    """Scan id."""
    first_seen_at: str
    """The instant as of which that scan judged, ISO 8601 in UTC; empty where that is not known."""

    @property
    def is_exception(self) -> bool:
        """Whether a test failed and that is open; leads, undecided, accepted and past findings are none."""
        return not self.lead and self.verdict == "fail" and self.state not in (*PAST, FindingState.WAIVED)

    @property
    def sentence(self) -> str:
        """The reason as text."""
        return "".join(text for text, _ in self.reason)

    @property
    def evidence_line(self) -> str:
        """The evidence as text."""
        return "; ".join(f"{label}: {told}" for label, told in self.evidence)


COLUMNS = tuple(field.name for field in fields(ListedFinding))


def listed(inputs: Inputs) -> tuple[ListedFinding, ...]:
    """Return every finding of a report, rule after rule: exceptions, open questions, leads and accepted risks."""
    return tuple(row for share in inputs.shares.values() for row in _rows(inputs, share))


def _rows(inputs: Inputs, share: RuleShare) -> Iterator[ListedFinding]:
    for finding, row in zip(share.findings, finding_rows(inputs, share.findings), strict=True):
        seen = first_seen_at(finding)
        yield ListedFinding(
            reference=row.reference,
            rule=share.rule,
            title=share.title,
            severity=finding.severity.value,
            verdict=finding.verdict,
            state=finding.state.value,
            lead=share.lead,
            application=row.application,
            subject=row.subject,
            person=row.person,
            entitlement=row.entitlement,
            reason=row.reason,
            evidence=row.evidence,
            first_seen=finding.first_seen,
            first_seen_at=f"{seen:%Y-%m-%dT%H:%M:%SZ}" if seen else "",
        )


def as_values(rows: Iterable[ListedFinding]) -> Iterator[dict[str, object]]:
    """Yield rows as JSON values."""
    for row in rows:
        plain: dict[str, object] = {name: getattr(row, name) for name in COLUMNS}
        yield plain | {"reason": row.sentence, "evidence": dict(row.evidence)}


def as_cells(rows: Iterable[ListedFinding]) -> Iterator[list[str]]:
    """Yield rows as text, not yet safe for a spreadsheet."""
    for row in rows:
        told = {"reason": row.sentence, "evidence": row.evidence_line, "lead": "true" if row.lead else "false"}
        yield [told[name] if name in told else getattr(row, name) for name in COLUMNS]
