"""Forms that only people can fill in: what is known is printed, the rest has room for their answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.frameworks import ControlOutcome
from scanner.report.exceptions import exceptions_of
from scanner.report.inputs import Inputs
from scanner.report.scope import owner


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A form: columns that are given, and columns that people fill in."""

    title: str
    intro: str
    empty: str
    given: tuple[str, ...]
    blanks: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shown_sentence: str


def worksheet(inputs: Inputs) -> Worksheet:
    """Return the form of this framework; without rows where nothing has to be answered."""
    kind = inputs.framework.structure.worksheet
    rows = {"failed_controls": _failed, "addressable": _addressable, "applications": _applications}
    return _form(inputs, "worksheet", list(rows[kind](inputs)) if kind else [])


def incidents(inputs: Inputs) -> Worksheet:
    """Return a line for each exception that may be an incident."""
    names = inputs.framework.structure.incidents
    found = [one for rule in names if rule in inputs.shares for one in exceptions_of(inputs.shares[rule])]
    found.sort(key=lambda finding: (finding.severity.rank, finding.first_seen, finding.fingerprint))
    rows = [
        (inputs.disclosure.reference(one), inputs.application(one.app), f"{inputs.record.scan.as_of:%Y-%m-%d %H:%M}")
        for one in found
    ]
    return _form(inputs, "incidents", rows)


def _form(inputs: Inputs, name: str, rows: Sequence[tuple[str, ...]]) -> Worksheet:
    shown = rows[: inputs.rows_per_rule]
    return Worksheet(
        title=inputs.text(f"heading.{name}"),
        intro=inputs.text(f"{name}.intro"),
        empty=inputs.text(f"{name}.empty"),
        given=inputs.texts(f"{name}_given"),
        blanks=inputs.texts(f"{name}_blanks"),
        rows=tuple(shown),
        shown_sentence=inputs.words("worksheet.shown", shown=len(shown), total=len(rows))
        if len(shown) < len(rows)
        else "",
    )


def _failed(inputs: Inputs) -> Iterator[tuple[str, ...]]:
    for result in inputs.controls:
        if result.result is ControlOutcome.EXCEPTIONS:
            name = f"{result.control.id} {result.control.title}"
            yield name, inputs.words.count("count.exceptions", result.exceptions)


def _addressable(inputs: Inputs) -> Iterator[tuple[str, ...]]:
    for result in inputs.controls:
        if result.control.force == "addressable":
            yield f"{result.control.id} {result.control.title}", result.result.value


def _applications(inputs: Inputs) -> Iterator[tuple[str, ...]]:
    for fact in inputs.in_scope:
        data = ", ".join(inputs.words.optional(f"data.{kind}", kind) for kind in fact.data)
        yield inputs.disclosure.text(fact.name), data, owner(inputs, fact)
