"""Everyone who left in a period, in each application: when work ended, who knew when, and when access was closed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.errors import StoreError
from scanner.ledger import LEAVER_OUTCOMES
from scanner.report.background import Closure, Period
from scanner.report.inputs import Inputs
from scanner.report.ledger import LedgerLine
from scanner.report.plain import table_csv

MOST_LEAVERS = 300
"""Lines printed, what was not closed in time first; leavers.csv inside the PDF has all."""
LATE = ("open", "closed_late")
WORST_FIRST = (*LATE, "cannot_tell", "not_due", "closed_in_time", "no_account")
COLUMNS = (
    *("person", "application", "account", "outcome", "work_ended", "recorded", "hr_lag_hours", "due"),
    *("closed_after", "closed_by", "basis", "it_lag_hours"),
)


@dataclass(frozen=True, slots=True)
class LeaverRow:
    """One leaver of a period in one application."""

    person: str
    application: str
    account: str
    ended: str
    recorded: str
    hr_lag: str
    """Hours from the end of work until HR had recorded it."""
    closed: str
    it_lag: str
    """Hours from when IT could know until the account was closed, at the latest."""
    outcome: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class LeaversPart:
    """The leavers of a period."""

    sums: str
    outcomes: tuple[str, ...]
    lines: tuple[LedgerLine, ...]
    """One per application, and their sum."""
    rows: tuple[LeaverRow, ...]
    left_out: str


def leavers_part(inputs: Inputs, period: Period) -> LeaversPart:
    """Return the leavers of the period; StoreError if their outcomes do not add up."""
    words, own = inputs.words, closures(inputs, period)
    told = sorted(
        (closure for closure in own if closure.outcome != "no_account"),
        key=lambda one: WORST_FIRST.index(one.outcome),
    )
    shown = told[:MOST_LEAVERS]
    return LeaversPart(
        sums=words(
            "period.sums",
            leavers=words.count("period.leavers", period.leavers),
            applications=words.count("count.applications", len(inputs.in_scope)),
            total=words.count("period.outcomes", len(own)),
        ),
        outcomes=tuple(words(f"ledger.leavers.{name}.short") for name in LEAVER_OUTCOMES),
        lines=_lines(inputs, own),
        rows=tuple(_row(inputs, period, closure) for closure in shown),
        left_out=words("period.leavers_left_out", shown=len(shown), total=len(told)) if len(shown) < len(told) else "",
    )


def closures(inputs: Inputs, period: Period) -> list[Closure]:
    """Return leavers x applications of the scope; StoreError unless there is one for each pair."""
    apps = {fact.app for fact in inputs.in_scope}
    own = [closure for closure in period.closures if closure.app in apps]
    if len(own) != period.leavers * len(apps):
        raise StoreError(
            f"the leavers of the period do not add up: {len(own)} outcomes for {period.leavers} leavers and"
            f" {len(apps)} applications; run verify on the scan"
        )
    return own


def leavers_csv(inputs: Inputs, period: Period) -> bytes:
    """Return every leaver of the period in every application of the scope, times in UTC."""
    return table_csv(COLUMNS, _cells(inputs, period))


def _cells(inputs: Inputs, period: Period) -> Iterator[Sequence[str]]:
    for one in closures(inputs, period):
        yield (
            _person(inputs, period, one),
            inputs.application(one.app),
            _account(inputs, one),
            one.outcome,
            _iso(one.terminated_at),
            _iso(one.recorded_at),
            _number(hr_lag(one)),
            _iso(one.due_at),
            _iso(one.closed_after),
            _iso(one.closed_by),
            one.basis or "",
            _number(it_lag(one)),
        )


def _lines(inputs: Inputs, own: list[Closure]) -> tuple[LedgerLine, ...]:
    def line(name: str, found: Counter[str], *, is_sum: bool = False) -> LedgerLine:
        row = tuple(found[outcome] for outcome in LEAVER_OUTCOMES)
        return LedgerLine(name, "", row, sum(row), is_sum)

    lines = [
        line(inputs.application(fact.app), Counter(one.outcome for one in own if one.app == fact.app))
        for fact in inputs.in_scope
    ]
    return (*lines, line(inputs.words("ledger.in_scope"), Counter(one.outcome for one in own), is_sum=True))


def _row(inputs: Inputs, period: Period, closure: Closure) -> LeaverRow:
    return LeaverRow(
        person=_person(inputs, period, closure),
        application=inputs.application(closure.app),
        account=_account(inputs, closure),
        ended=_minute(closure.terminated_at),
        recorded=_minute(closure.recorded_at) or inputs.words("period.before_first"),
        hr_lag=_hours(inputs, hr_lag(closure)),
        closed=_closed(inputs, closure),
        it_lag=_hours(inputs, it_lag(closure)),
        outcome=inputs.words(f"ledger.leavers.{closure.outcome}.name"),
        is_late=closure.outcome in LATE,
    )


def _person(inputs: Inputs, period: Period, closure: Closure) -> str:
    seen, name = inputs.disclosure, period.people.get(closure.worker_id)
    if seen.is_identified and name:
        return seen.words("person.named", name=seen.text(name), id=seen.text(closure.worker_id))
    return seen.worker(closure.worker_id)


def _account(inputs: Inputs, closure: Closure) -> str:
    if closure.account_id is None:
        return ""
    return inputs.disclosure.account(closure.app, closure.account_id, closure.username)


def hr_lag(closure: Closure) -> int | None:
    """Return the hours from the end of work until HR had recorded it; negative if it was known before."""
    if closure.terminated_at is None or closure.recorded_at is None:
        return None
    return round((closure.recorded_at - closure.terminated_at).total_seconds() / 3600)


def it_lag(closure: Closure) -> int | None:
    """Return the hours from when IT could know of the end until the account was closed, at the latest."""
    if closure.terminated_at is None or closure.closed_by is None:
        return None
    known = max(closure.terminated_at, closure.recorded_at or closure.terminated_at)
    return round((closure.closed_by - known).total_seconds() / 3600)


def _closed(inputs: Inputs, closure: Closure) -> str:
    if closure.closed_by is None:
        return inputs.words("value.not_applicable")
    if closure.basis == "exact":
        return inputs.words("period.exact", at=_minute(closure.closed_by))
    if closure.closed_after is None:
        return inputs.words("period.at_latest", at=_minute(closure.closed_by))
    return inputs.words("period.between", after=_minute(closure.closed_after), by=_minute(closure.closed_by))


def _hours(inputs: Inputs, hours: int | None) -> str:
    return inputs.words("value.not_applicable") if hours is None else inputs.words.number(hours).replace("-", "\u2212")


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _iso(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _number(hours: int | None) -> str:
    return "" if hours is None else str(hours)
