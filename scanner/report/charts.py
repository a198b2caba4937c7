"""The layout of charts: bars in parts that are told apart by pattern and number, not by colour."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner.model import Severity
from scanner.report.disclosure import shorten
from scanner.report.words import Words

MOST_BARS = 8
WIDTH = 640.0
LABEL = 168.0
TOTAL = 44.0
STEP = 18.0
LEGEND = 22.0
LEGEND_STEP = 88.0
NARROW_LEGEND = 5
NARROWEST_LABEL = 7.5
LONGEST_NAME = 26
FULL_BAR = 10
"""A bar of the whole width stands for ten at least: one alone must not look like many."""
SEVERITY_FILLS = {"critical": "solid", "high": "hatch", "medium": "dots", "low": "white", "info": "tint"}
CLOSURE_FILLS = {
    "within_1d": "white",
    "within_7d": "dots",
    "within_30d": "hatch",
    "later": "cross",
    "open": "solid",
    "cannot_tell": "tint",
}
CAUSE_FILLS = {
    "people": "solid",
    "rules": "hatch",
    "coverage": "dots",
    "waivers": "cross",
    "baseline": "white",
    "before": "tint",
}

Row = tuple[str, Mapping[str, int]]
"""Name of a bar, and part -> how many."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar."""

    fill: str
    """solid, hatch, cross, dots, white or tint: told apart in grey too."""
    count: int
    x: float
    width: float
    label: str
    """The count, or empty where it does not fit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart."""

    label: str
    y: float
    segments: tuple[Segment, ...]
    total: int
    end: float
    """Where the last segment ends."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in parts, laid out."""

    name: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str, float], ...]
    """Pattern, word and place of each part that occurs."""
    title: str
    description: str
    """The same facts in words, for readers who do not see the chart."""
    table: tuple[tuple[str, tuple[int, ...]], ...]
    """The same numbers: name of a bar, and one number per entry of the legend."""
    width: float
    height: float


def ranked(counts: Mapping[str, Mapping[str, int]], words: Words) -> list[Row]:
    """Return the largest bars first, those beyond the cap as one."""
    totals = {name: sum(parts.values()) for name, parts in counts.items()}
    names = sorted((name for name in counts if totals[name]), key=lambda name: (-totals[name], name))
    rows: list[Row] = [(name, counts[name]) for name in names[:MOST_BARS]]
    if others := names[MOST_BARS:]:
        rest: Counter[str] = Counter()
        for name in others:
            rest.update(counts[name])
        rows.append((words.count("chart.others", len(others)), rest))
    return rows


def chart(rows: Sequence[Row], fills: Mapping[str, str], words: Words, *, name: str, parts: str) -> Chart | None:
    """Lay out bars; None if there is nothing to show.

    Args:
        rows: in the order of the bars.
        fills: part -> pattern, in the order of the parts.
        words: the catalogue.
        name: of the chart: its key in the catalogue, and its id on the page.
        parts: prefix of the parts' keys in the catalogue.
    """
    if not any(sum(counts.values()) for _, counts in rows):
        return None
    longest = max(FULL_BAR, *(sum(counts.values()) for _, counts in rows))
    scale = (WIDTH - LABEL - TOTAL) / longest
    bars = tuple(_bar(row, fills, index, scale) for index, row in enumerate(rows))
    present = [part for part in fills if any(counts.get(part) for _, counts in rows)]
    return Chart(
        name=name,
        bars=bars,
        legend=_legend([(fills[part], words(f"{parts}.{part}")) for part in present]),
        title=words(f"chart.{name}.title"),
        description=_description(rows, fills, parts, words),
        table=tuple((label, tuple(counts.get(part, 0) for part in present)) for label, counts in rows),
        width=WIDTH,
        height=LEGEND + STEP * len(bars) + 4,
    )


def severity_chart(counts: Mapping[str, Mapping[Severity, int]], words: Words) -> Chart | None:
    """Lay out application name -> severity -> exceptions."""
    plain = {name: {str(severity): n for severity, n in parts.items()} for name, parts in counts.items()}
    return chart(ranked(plain, words), SEVERITY_FILLS, words, name="severity", parts="severity")


def _legend(entries: Sequence[tuple[str, str]]) -> tuple[tuple[str, str, float], ...]:
    """Place the entries above the bars; many of them need the whole width."""
    step, start = (LEGEND_STEP, LABEL) if len(entries) <= NARROW_LEGEND else (WIDTH / len(entries), 0.0)
    return tuple((fill, word, round(start + step * n, 2)) for n, (fill, word) in enumerate(entries))


def _bar(row: Row, fills: Mapping[str, str], index: int, scale: float) -> Bar:
    name, counts = row
    segments, x = [], LABEL
    for part, fill in fills.items():
        count = counts.get(part, 0)
        if count:
            # At least a hair, so that a single critical exception beside thousands of others stays visible.
            width = max(round(count * scale, 2), 1.5)
            fits = width >= NARROWEST_LABEL * len(str(count)) + 6
            segments.append(Segment(fill, count, round(x, 2), width, str(count) if fits else ""))
            x += width
    label = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return Bar(label, LEGEND + STEP * index, tuple(segments), sum(counts.values()), round(x, 2))


def _description(rows: Sequence[Row], fills: Mapping[str, str], parts: str, words: Words) -> str:
    lines = []
    for name, counts in rows:
        told = [
            words("chart.part", n=counts[part], part=words(f"{parts}.{part}").lower())
            for part in fills
            if counts.get(part)
        ]
        if told:
            lines.append(words("chart.line", name=shorten(name), parts=words.join(told)))
    return " ".join(lines)
