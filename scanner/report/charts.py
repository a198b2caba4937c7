"""The layout of the chart: bars of exceptions per application, told apart by pattern and number, not by colour."""

from collections import Counter
from collections.abc import Mapping, Sequence

from scanner.model import Severity
from scanner.report.parts import Bar, Chart, Segment
from scanner.report.words import Words

MOST_BARS = 8
WIDTH = 640.0
LABEL = 168.0
TOTAL = 44.0
STEP = 18.0
LEGEND = 22.0
NARROWEST_LABEL = 7.5
LONGEST_NAME = 26
FULL_BAR = 10
"""A bar of the whole width stands for ten exceptions at least: one alone must not look like many."""


def severity_chart(counts: Mapping[str, Mapping[Severity, int]], words: Words) -> Chart | None:
    """Lay out application name -> severity -> exceptions; None if there is nothing to show."""
    totals = {name: sum(parts.values()) for name, parts in counts.items()}
    ranked = sorted((name for name in counts if totals[name]), key=lambda name: (-totals[name], name))
    if not ranked:
        return None
    rows: list[tuple[str, Mapping[Severity, int]]] = [(name, counts[name]) for name in ranked[:MOST_BARS]]
    others = ranked[MOST_BARS:]
    if others:
        rest: Counter[Severity] = Counter()
        for name in others:
            rest.update(counts[name])
        rows.append((words.count("chart.others", len(others)), rest))
    longest = max(FULL_BAR, *(sum(parts.values()) for _, parts in rows))
    scale = (WIDTH - LABEL - TOTAL) / longest
    bars = tuple(_bar(name, parts, index, scale) for index, (name, parts) in enumerate(rows))
    present = [severity for severity in Severity if any(parts.get(severity) for _, parts in rows)]
    return Chart(
        bars=bars,
        severities=tuple((severity, words(f"severity.{severity}")) for severity in present),
        title=words("chart.title"),
        description=_description(rows, words),
        width=WIDTH,
        height=LEGEND + STEP * len(bars) + 4,
    )


def _bar(name: str, parts: Mapping[Severity, int], index: int, scale: float) -> Bar:
    segments, x = [], LABEL
    for severity in Severity:
        count = parts.get(severity, 0)
        if count:
            # At least a hair, so that a single critical exception beside thousands of others stays visible.
            width = max(round(count * scale, 2), 1.5)
            fits = width >= NARROWEST_LABEL * len(str(count)) + 6
            segments.append(Segment(severity, count, round(x, 2), width, str(count) if fits else ""))
            x += width
    label = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return Bar(label, LEGEND + STEP * index, tuple(segments), sum(parts.values()), round(x, 2))


def _description(rows: Sequence[tuple[str, Mapping[Severity, int]]], words: Words) -> str:
    lines = []
    for name, parts in rows:
        told = [
            words("chart.part", n=parts[severity], severity=words(f"severity.{severity}").lower())
            for severity in Severity
            if parts.get(severity)
        ]
        lines.append(words("chart.line", name=name, parts=words.join(told)))
    return " ".join(lines)
