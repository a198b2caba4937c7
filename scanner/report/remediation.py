"""What was changed because of findings, how long ago, and whether a scan has verified it."""

from dataclasses import dataclass

from scanner.model_history import ActionFact
from scanner.report.inputs import Inputs

_OPEN_FIRST = ("came_undone", "not_yet", "nothing_done", "not_possible", "undone", "verified")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change that remediation made, or tried to make."""

    application: str
    account: str
    change: str
    made: str
    approved: str
    outcome: str
    age: int
    """Days before the scan."""
    status: str
    is_open: bool
    """Whether somebody has to look at it again."""


@dataclass(frozen=True, slots=True)
class RemediationPart:
    """What was changed because of findings."""

    rows: tuple[ChangeRow, ...]
    summary: str
    shown_sentence: str


def remediation(inputs: Inputs) -> RemediationPart:
    """Return the changes in the applications of the framework, those that are not verified first."""
    in_scope = {fact.app for fact in inputs.in_scope}
    facts = sorted(
        (fact for fact in inputs.record.actions if fact.app in in_scope),
        key=lambda fact: (_OPEN_FIRST.index(fact.verification), -fact.at.timestamp(), fact.action),
    )
    rows = tuple(_row(inputs, fact) for fact in facts[: inputs.rows_per_rule])
    shown = "" if len(rows) == len(facts) else inputs.words("remediation.shown", shown=len(rows), total=len(facts))
    return RemediationPart(rows, _summary(inputs, facts), shown)


def _row(inputs: Inputs, fact: ActionFact) -> ChangeRow:
    words = inputs.words
    approved = words("remediation.unattended")
    if fact.kind == "undo":
        approved = words("remediation.undo_run")
    elif fact.approvers:
        approved = words.count("remediation.approved", len(fact.approvers))
    return ChangeRow(
        application=inputs.application(fact.app),
        account=inputs.disclosure.account(fact.app, fact.account_id),
        change=words(f"remediation.kind.{fact.kind}"),
        made=f"{fact.at:%Y-%m-%d}",
        approved=approved,
        outcome=words(f"remediation.result.{fact.outcome}"),
        age=_days(inputs, fact),
        status=words(f"remediation.verification.{fact.verification}"),
        is_open=fact.verification in ("came_undone", "not_yet"),
    )


def _summary(inputs: Inputs, facts: list[ActionFact]) -> str:
    words = inputs.words
    counts = {name: sum(fact.verification == name for fact in facts) for name in _OPEN_FIRST}
    waiting = [_days(inputs, fact) for fact in facts if fact.verification == "not_yet"]
    said = words(
        "remediation.summary",
        total=len(facts),
        verified=counts["verified"],
        waiting=counts["not_yet"],
        undone=counts["came_undone"],
        failed=counts["nothing_done"],
    )
    return f"{said} {words('remediation.oldest', days=max(waiting))}" if waiting else said


def _days(inputs: Inputs, fact: ActionFact) -> int:
    return max(0, (inputs.record.scan.as_of - fact.at).days)
