"""Exceptions of a period: those at its start, those that came and went in it by cause, and those at its end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from scanner import trend
from scanner.errors import StoreError
from scanner.model_history import TrendPoint
from scanner.report.background import Period
from scanner.report.inputs import Inputs


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One step from the exceptions at the start of a period to those at its end."""

    what: str
    cause: str
    exceptions: int
    """Negative for those that went."""
    is_sum: bool = False


def flow(inputs: Inputs, period: Period) -> tuple[FlowLine, ...]:
    """Return the steps; nothing if the scan keeps no history. StoreError if they do not add up."""
    points = _points(inputs)
    if not points:
        return ()
    words = inputs.words
    before = [point for point in points if point.as_of < period.start]
    inside = [point for point in points if period.start <= point.as_of <= period.end]
    at_start = sum(before[-1].exceptions.values()) if before else 0
    at_end = sum(inside[-1].exceptions.values()) if inside else at_start
    came, went = Counter[str](), Counter[str]()
    for point in inside:
        came.update(point.came)
        went.update(point.went)
    if at_start + came.total() - went.total() != at_end:
        raise StoreError("the exceptions of the period do not add up; run verify on the scan")
    return (
        FlowLine(words("period.at_start"), "", at_start, is_sum=True),
        *(FlowLine(words("period.came"), words(f"cause.{name}"), n) for name, n in sorted(came.items()) if n),
        *(FlowLine(words("period.went"), words(f"cause.{name}"), -n) for name, n in sorted(went.items()) if n),
        FlowLine(words("period.at_end"), "", at_end, is_sum=True),
    )


def stood(inputs: Inputs, period: Period) -> Mapping[tuple[str, str | None], int]:
    """Return (rule, application) -> exceptions that stood at any time of the period, also those that are gone."""
    found: Counter[tuple[str, str | None]] = Counter()
    changed: Counter[tuple[str, str, str | None]] = Counter()
    history = inputs.record.trend
    if history is None:
        return found
    moments = {scan.scan: scan.as_of for scan in history.scans}
    for one in history.changes:
        if one.state != "open" or moments[one.scan] > period.end:
            continue
        if moments[one.scan] < period.start:
            found[one.rule, one.app] += one.change
        elif one.event == "changed":
            # Of another severity or verdict: the one that goes and the one that comes are the same exception.
            changed[one.scan, one.rule, one.app] += one.change
        elif one.change > 0:
            found[one.rule, one.app] += one.change
    for (_, rule, app), net in changed.items():
        found[rule, app] += max(net, 0)
    return found


def _points(inputs: Inputs) -> tuple[TrendPoint, ...]:
    if inputs.record.trend is None:
        return ()
    apps = {fact.app for fact in inputs.in_scope}
    return trend.points(
        inputs.record.trend,
        lambda change: change.rule in inputs.shares and (change.app is None or change.app in apps),
    )
