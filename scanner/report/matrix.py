"""Requirement x system: the result of each test in each system, so that one that failed is not lost in a sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scanner.errors import StoreError
from scanner.frameworks import ControlOutcome, ControlResult, fold
from scanner.model import ApplicationFact, RuleOutcome, RuleResult
from scanner.report import flow
from scanner.report.controls import anchor
from scanner.report.disclosure import shorten
from scanner.report.inputs import Inputs

PER_TABLE = 5
MOST_SYSTEMS = 15
"""Systems printed, those with exceptions first; matrix.csv inside the PDF has all."""
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Column:
    """One system."""

    app: str | None
    """None for the organisation as a whole."""
    name: str
    note: str
    results: tuple[ControlResult, ...]
    """Of every requirement in it."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """The result of one requirement in one system."""

    outcome: ControlOutcome
    word: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One requirement over several systems."""

    anchor: str
    id: str
    title: str
    flag: str
    """Required or addressable, principle or article; empty where a framework knows no such thing."""
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class MatrixTable:
    """As many systems as fit side by side."""

    systems: tuple[tuple[str, str], ...]
    """Name and what is noted below it."""
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True)
class MatrixPart:
    """Requirement x system."""

    intro: str
    period: str
    """The instant or the period that the results stand for."""
    tables: tuple[MatrixTable, ...]
    flag: str
    """Head of the column of flags; empty where a framework knows none."""
    left_out: str


def matrix(inputs: Inputs, every: Sequence[Column]) -> MatrixPart:
    """Return the matrix in tables that fit a page."""
    words = inputs.words
    ranked = sorted(every, key=_worst_first) if len(every) > MOST_SYSTEMS else every
    shown = ranked[:MOST_SYSTEMS]
    kept = [column for column in every if column in shown]
    tables = [_table(inputs, kept[start : start + PER_TABLE]) for start in range(0, len(kept), PER_TABLE)]
    return MatrixPart(
        intro=inputs.text("matrix"),
        period=_period(inputs),
        tables=tuple(tables),
        flag=words(f"matrix.flag_{inputs.framework.structure.flag}") if inputs.framework.structure.flag else "",
        left_out=words("matrix.left_out", shown=len(shown), total=len(every)) if len(shown) < len(every) else "",
    )


def columns(inputs: Inputs) -> list[Column]:
    """Return one column per system of the scope, and one for what is tested of the organisation as a whole.

    StoreError if the exceptions of a requirement over its systems do not add up to those of its list.
    """
    found: list[Column] = []
    for fact in inputs.in_scope:
        results = [of_system(result, fact.app, silent=fact.type == "none") for result in inputs.record.results]
        note = ", ".join(inputs.words.optional(f"data.{kind}", kind) for kind in fact.data)
        name = shorten(inputs.disclosure.text(fact.name), LONGEST_NAME)
        note = note if inputs.framework.structure.shows_data else ""
        found.append(Column(fact.app, name, note, _folded(inputs, results, [fact])))
    whole = _folded(inputs, [of_system(one, None, silent=True) for one in inputs.record.results], [])
    if any(share.decides and (share.population or share.findings) for control in whole for share in control.rules):
        found.append(Column(None, inputs.words("matrix.organization"), "", whole))
    check_sums(inputs, found)
    return found


def _period(inputs: Inputs) -> str:
    """Return the instant or the period that the matrix speaks about."""
    as_of, period = f"{inputs.record.scan.as_of:%Y-%m-%d %H:%M} UTC", inputs.background.period
    if period is None:
        return inputs.text("matrix_as_of", as_of=as_of)
    return inputs.words("period.matrix", first=period.first.isoformat(), last=period.last.isoformat(), as_of=as_of)


def _cell(
    inputs: Inputs, result: ControlResult, app: str | None, past: Mapping[tuple[str, str | None], int]
) -> MatrixCell:
    """Return one cell; an exception that stood at any time of a period counts, also where it is gone by its end."""
    deciding = {share.rule for share in result.rules if share.decides}
    stood = sum(past.get((rule, app), 0) for rule in deciding)
    if not stood:
        return MatrixCell(result.result, word(inputs, result))
    told = inputs.words("period.cell", at_end=result.exceptions, stood=max(stood, result.exceptions))
    return MatrixCell(ControlOutcome.EXCEPTIONS, told)


def word(inputs: Inputs, result: ControlResult) -> str:
    """Return the result of a requirement in one system, in words."""
    if result.result is not ControlOutcome.EXCEPTIONS:
        return inputs.words(f"matrix.{result.result.name.lower()}")
    if not result.exceptions:
        return inputs.words("matrix.loosened")
    return inputs.words.count("count.exceptions", result.exceptions)


def of_system(result: RuleResult, app: str | None, *, silent: bool) -> RuleResult:
    """Return what a rule said of one system alone; of a `silent` one of which it said nothing, nothing was tested."""
    findings = tuple(finding for finding in result.findings if finding.app == app)
    apps = tuple(part for part in result.apps if part.app == app)
    outcome = RuleOutcome.CLEAN if silent and not apps and not findings else result.result
    return replace(result, findings=findings, apps=apps, result=outcome)


def _folded(
    inputs: Inputs, results: Sequence[RuleResult], facts: Sequence[ApplicationFact]
) -> tuple[ControlResult, ...]:
    return fold(inputs.framework, results, facts, inputs.record.rules)


def check_sums(inputs: Inputs, every: Sequence[Column]) -> None:
    """Raise StoreError unless the systems hold every exception of each requirement once."""
    for position, control in enumerate(inputs.controls):
        found = sum(column.results[position].exceptions for column in every)
        if found != control.exceptions:
            raise StoreError(
                f"the matrix does not add up for {control.control.id}: {found} exceptions in its systems,"
                f" {control.exceptions} in all; run check on this scan again"
            )


def _worst_first(column: Column) -> tuple[int, int]:
    unable = sum(result.result is ControlOutcome.UNABLE for result in column.results)
    return -sum(result.exceptions for result in column.results), -unable


def _table(inputs: Inputs, shown: Sequence[Column]) -> MatrixTable:
    rows = []
    period = inputs.background.period
    past = flow.stood(inputs, period) if period else {}
    for position, control in enumerate(inputs.controls):
        rows.append(
            MatrixRow(
                anchor=anchor("control", control.control.id),
                id=control.control.id,
                title=control.control.title,
                flag=_flag(inputs, control),
                cells=tuple(_cell(inputs, column.results[position], column.app, past) for column in shown),
            )
        )
    return MatrixTable(tuple((column.name, column.note) for column in shown), tuple(rows))


def _flag(inputs: Inputs, result: ControlResult) -> str:
    """Return what marks a requirement in this framework: required or addressable, principle or article."""
    name = inputs.framework.structure.flag
    if not name:
        return ""
    value = result.control.force if name == "force" else result.control.kind
    return inputs.words.optional(f"{name}.{value}", value)
