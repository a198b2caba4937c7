"""One sheet per grave exception: what is known of it, and room for what people have to answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scanner.model import Finding, FindingState, Severity
from scanner.report.cover import Fact
from scanner.report.exceptions import ExceptionRow, exceptions_of, finding_rows, first_seen_at
from scanner.report.inputs import Inputs
from scanner.report.scope import EMPTY

GRAVE = (Severity.CRITICAL, Severity.HIGH)
LOCAL = "unmanaged-local-account"
BLANKS = ("look_back", "impact", "response", "action", "done", "signature")
"""What only people can say."""


@dataclass(frozen=True, slots=True)
class ExceptionSheet:
    """One exception on its own."""

    row: ExceptionRow
    title: str
    facts: tuple[Fact, ...]
    cause: str
    """Root-cause code where the data prove it; else empty, to be filled in."""
    blanks: tuple[str, ...]
    """Labels of what people fill in."""


@dataclass(frozen=True, slots=True)
class SheetsPart:
    """The sheets of the gravest exceptions."""

    sheets: tuple[ExceptionSheet, ...]
    shown_sentence: str
    codes: tuple[Fact, ...]
    """Root-cause codes and what they mean."""
    repeats: str
    """How many exceptions were gone once and are back."""


def sheets(inputs: Inputs) -> SheetsPart:
    """Return a sheet for each critical or high exception, worst and oldest first, up to the cap."""
    every = {one.fingerprint: one for share in inputs.shares.values() for one in exceptions_of(share)}
    grave = [finding for finding in every.values() if finding.severity in GRAVE]
    grave.sort(key=lambda one: (one.severity.rank, one.first_seen, inputs.application(one.app), one.fingerprint))
    shown = grave[: inputs.sheets]
    return SheetsPart(
        sheets=tuple(_sheet(inputs, finding) for finding in shown),
        shown_sentence=inputs.words("sheet.shown", shown=len(shown), total=len(grave))
        if len(shown) < len(grave)
        else "",
        codes=tuple(Fact(code_word(name), text) for name, text in inputs.words.group("root_cause").items()),
        repeats=_repeats(inputs, list(every.values())),
    )


def code_word(name: str) -> str:
    """Return a root-cause code as it is printed and typed."""
    return name.upper().replace("_", "-")


def root_cause(finding: Finding) -> str:
    """Return the code of the cause where the data prove it; else nothing, for people to fill in."""
    recorded, due = finding.evidence.get("termination_recorded_at"), finding.evidence.get("due_at")
    if recorded and due and str(recorded) > str(due):
        return "hr_late"
    return "local_account" if finding.rule == LOCAL else ""


def _repeats(inputs: Inputs, every: list[Finding]) -> str:
    if inputs.record.scan.is_baseline:
        return inputs.words("sheet.first")
    back = sum(finding.state is FindingState.REOPENED for finding in every)
    return inputs.words.count("sheet.repeats", back, total=len(every))


def _sheet(inputs: Inputs, finding: Finding) -> ExceptionSheet:
    words = inputs.words
    [row] = finding_rows(inputs, [finding])
    cause = root_cause(finding)
    return ExceptionSheet(
        row=row,
        title=inputs.shares[finding.rule].title,
        facts=tuple(_facts(inputs, finding)),
        cause=code_word(cause) if cause else "",
        blanks=tuple(words(f"sheet.{name}") for name in BLANKS),
    )


def _facts(inputs: Inputs, finding: Finding) -> Iterator[Fact]:
    words, rule = inputs.words, inputs.rules.get(finding.rule)
    controls = [one.control.id for one in inputs.controls if finding.rule in {share.rule for share in one.rules}]
    yield Fact(words("sheet.requirements"), ", ".join(controls))
    version = f"{finding.rule}, {rule.sha256[:12]}" if rule else finding.rule
    yield Fact(words("sheet.rule"), version)
    yield Fact(words("sheet.age"), age(inputs, finding))
    if inputs.record.scan.is_baseline:
        repeat = "sheet.repeat_unknown"
    else:
        repeat = "value.yes" if finding.state is FindingState.REOPENED else "value.no"
    yield Fact(words("sheet.repeat"), words(repeat))
    yield Fact(words("sheet.evidence"), evidence_reference(inputs, finding))
    yield Fact(words("sheet.verified"), verified_by(inputs, finding))


def age(inputs: Inputs, finding: Finding) -> str:
    """Return since when an exception is known and how long that is, in words."""
    seen = first_seen_at(finding)
    if seen is None:
        return inputs.words("value.not_stated")
    return inputs.words.count("sheet.days", days_open(seen, inputs.record.scan.as_of), date=f"{seen:%Y-%m-%d}")


def days_open(seen: datetime, as_of: datetime) -> int:
    """Return whole days between two instants, never less than none."""
    return max(0, (as_of - seen).days)


def evidence_reference(inputs: Inputs, finding: Finding) -> str:
    """Return where the data behind an exception lie: table, and hash of the bytes that were read."""
    source = next((one for one in inputs.record.sources if one.id == finding.app and one.kind != "roster"), None)
    if source is None or source.sha256 in ("", EMPTY):
        return inputs.words("sheet.evidence_table", table="sources")
    table = "accounts" if finding.account_id is not None else "applications"
    return inputs.words("sheet.evidence_source", table=table, hash=source.sha256[:16])


def verified_by(inputs: Inputs, finding: Finding) -> str:
    """Return the scan that showed that a change held, or that none has."""
    scans = [a.verified_by for a in inputs.record.actions if finding.fingerprint in a.fingerprints and a.verified_by]
    return scans[-1] if scans else inputs.words("sheet.not_verified")
