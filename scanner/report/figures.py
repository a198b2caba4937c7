"""The charts of a report: what each of them counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner import trend
from scanner.model import ApplicationFact, Severity, Verdict
from scanner.report.charts import (
    CAUSE_FILLS,
    CLOSURE_FILLS,
    LABEL,
    LEGEND,
    LONGEST_NAME,
    SEVERITY_FILLS,
    STEP,
    WIDTH,
    Chart,
    Row,
    chart,
    ranked,
    severity_chart,
)
from scanner.report.disclosure import shorten
from scanner.report.exceptions import exceptions_of, first_seen_at
from scanner.report.inputs import Inputs
from scanner.report.sheets import days_open

AGES = ((7, "week"), (30, "month"), (90, "quarter"))
"""Up to how many days an age class goes; what is older is `older`."""
MOST_SCANS = 8
MOST_MAPPED = 20
ASPECTS = ("list", "accounts", "sign_ins")


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """How far one application is seen in one respect."""

    fill: str
    """solid: in full, hatch: in part, white: not at all."""
    word: str
    x: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """How far one application is seen."""

    label: str
    y: float
    cells: tuple[CoverageCell, ...]


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """Application x what is seen of it."""

    columns: tuple[tuple[str, float], ...]
    rows: tuple[CoverageRow, ...]
    title: str
    description: str
    width: float
    height: float


def exceptions_chart(inputs: Inputs) -> Chart | None:
    """Return exceptions per application, by severity."""
    counts: dict[str, dict[Severity, int]] = {}
    for share in inputs.shares.values():
        for finding in exceptions_of(share):
            name = inputs.application(finding.app) or inputs.words("chart.no_application")
            row = counts.setdefault(name, {})
            row[finding.severity] = row.get(finding.severity, 0) + 1
    return severity_chart(counts, inputs.words)


def closure_chart(inputs: Inputs) -> Chart | None:
    """Return how long after the end of work accounts of leavers were closed, per application."""
    closures: Mapping[str, Mapping[str, int]] = inputs.record.closures
    counts = {inputs.application(fact.app): closures.get(fact.app, {}) for fact in inputs.in_scope}
    rows = ranked(counts, inputs.words)
    return chart(rows, CLOSURE_FILLS, inputs.words, name="closure", parts="closure")


def ageing_chart(inputs: Inputs) -> Chart | None:
    """Return exceptions by the days since the first scan that showed them, by severity."""
    counts: dict[str, dict[str, int]] = {name: {} for name in (*(name for _, name in AGES), "older")}
    for share in inputs.shares.values():
        for finding in exceptions_of(share):
            seen = first_seen_at(finding)
            days = days_open(seen, inputs.record.scan.as_of) if seen else 0
            row = counts[next((name for most, name in AGES if days <= most), "older")]
            row[str(finding.severity)] = row.get(str(finding.severity), 0) + 1
    rows = [(inputs.words(f"ageing.{name}"), parts) for name, parts in counts.items()]
    return chart(rows, SEVERITY_FILLS, inputs.words, name="ageing", parts="severity")


def trend_chart(inputs: Inputs) -> Chart | None:
    """Return what came with the last scans that changed something, by cause; None without history."""
    if inputs.record.trend is None or len(inputs.record.trend.scans) < 2:
        return None
    apps = {fact.app for fact in inputs.in_scope}
    points = trend.points(
        inputs.record.trend,
        lambda change: change.rule in inputs.shares and (change.app is None or change.app in apps),
        lambda app: app in apps,
    )
    eventful = [point for point in points if point.came or point.went][-MOST_SCANS:]
    rows: list[Row] = [
        (
            inputs.words(
                "trend.scan",
                date=f"{point.as_of:%Y-%m-%d}",
                stand=sum(point.exceptions.values()),
                went=sum(point.went.values()),
            ),
            point.came,
        )
        for point in eventful
    ]
    return chart(rows, CAUSE_FILLS, inputs.words, name="trend", parts="cause")


def coverage_map(inputs: Inputs) -> CoverageMap | None:
    """Return how far each application is seen; the table of the scope says the same in words."""
    facts = sorted(inputs.in_scope, key=lambda fact: fact.type != "none")[:MOST_MAPPED]
    if not facts:
        return None
    words = inputs.words
    step = (WIDTH - LABEL) / len(ASPECTS)
    places = {name: LABEL + step * n for n, name in enumerate(ASPECTS)}
    rows, told = [], []
    for n, fact in enumerate(facts):
        name = inputs.disclosure.text(fact.name)
        cells = tuple(CoverageCell(*_seen(inputs, fact, aspect), places[aspect]) for aspect in ASPECTS)
        rows.append(CoverageRow(shorten(name, LONGEST_NAME), LEGEND + STEP * n, cells))
        told.append(words("chart.line", name=shorten(name), parts=", ".join(cell.word.lower() for cell in cells)))
    return CoverageMap(
        columns=tuple((words(f"coverage_map.{name}.head"), place) for name, place in places.items()),
        rows=tuple(rows),
        title=words("chart.coverage.title"),
        description=" ".join(told),
        width=WIDTH,
        height=LEGEND + STEP * len(rows) + 4,
    )


def _seen(inputs: Inputs, fact: ApplicationFact, aspect: str) -> tuple[str, str]:
    """Return pattern and word of one cell."""
    if fact.type == "none":
        return "white", inputs.words("coverage_map.unconnected")
    degree = {
        "list": "full" if fact.verdict == Verdict.COMPLETE else "none" if fact.verdict == Verdict.FAILED else "part",
        "accounts": "full" if fact.coverage == "all" else "part",
        "sign_ins": "full" if fact.has_sign_ins else "none",
    }[aspect]
    fill = {"full": "solid", "part": "hatch", "none": "white"}[degree]
    return fill, inputs.words(f"coverage_map.{aspect}.{degree}")
