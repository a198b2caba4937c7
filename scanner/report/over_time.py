"""What a period adds to a report: its scans and what they could not read, its leavers, its exceptions."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from scanner.model import Verdict
from scanner.report.background import Period
from scanner.report.flow import FlowLine, flow
from scanner.report.inputs import Inputs
from scanner.report.leavers import LeaversPart, leavers_part
from scanner.report.scope import relevant_sources, source_name

MOST_SCANS = 40
LONG_GAP = timedelta(hours=48)
"""Without a scan: a control that runs every night was not watched for that long."""


@dataclass(frozen=True, slots=True)
class PeriodScanRow:
    """One scan of a period."""

    when: str
    id: str
    complete: str
    lacking: str
    """Sources that were not complete."""


@dataclass(frozen=True, slots=True)
class PeriodPart:
    """The section of a period."""

    sentence: str
    gaps: str
    incomplete: tuple[str, ...]
    """Which sources were not complete how often; nothing if all always were."""
    scans: tuple[PeriodScanRow, ...]
    scans_left_out: str
    leavers: LeaversPart
    flow: tuple[FlowLine, ...]
    suppressions: tuple[tuple[str, int, int], ...]
    """Kind, entries in the first scan and in the last, where they differ."""


def period_part(inputs: Inputs) -> PeriodPart | None:
    """Return the section of a period; None for a report on an instant. StoreError if its sums do not agree."""
    period = inputs.background.period
    if period is None:
        return None
    words, scans = inputs.words, len(period.scans)
    return PeriodPart(
        sentence=words(
            "period.sentence",
            first=period.first.isoformat(),
            last=period.last.isoformat(),
            scans=words.count("period.scans", scans),
            complete=sum(one.scan.complete for one in period.scans),
            as_of=f"{inputs.record.scan.as_of:%Y-%m-%d %H:%M} UTC",
        ),
        gaps=_gaps(inputs, period),
        incomplete=tuple(_incomplete(inputs, period)),
        scans=tuple(_scan_rows(inputs, period)),
        scans_left_out=words("period.scans_left_out", shown=MOST_SCANS, total=scans) if scans > MOST_SCANS else "",
        leavers=leavers_part(inputs, period),
        flow=flow(inputs, period),
        suppressions=tuple(_suppressions(inputs, period)),
    )


def _gaps(inputs: Inputs, period: Period) -> str:
    """Tell the longest time without a scan, from edge to edge of the period."""
    moments = [period.start, *(one.scan.as_of for one in period.scans), period.end]
    pairs = list(itertools.pairwise(moments))
    after, before = max(pairs, key=lambda pair: pair[1] - pair[0])
    return inputs.words.count(
        "period.gaps",
        sum(later - earlier > LONG_GAP for earlier, later in pairs),
        hours=round((before - after).total_seconds() / 3600),
        after=f"{after:%Y-%m-%d %H:%M}",
        before=f"{before:%Y-%m-%d %H:%M}",
    )


def _incomplete(inputs: Inputs, period: Period) -> Iterator[str]:
    """Tell which sources of this report were not complete in how many scans: what happened then may not be seen."""
    often = Counter(
        source.id for one in period.scans for source in one.sources if source.verdict is not Verdict.COMPLETE
    )
    for source in relevant_sources(inputs):
        if often[source.id]:
            name, total = source_name(inputs, source), len(period.scans)
            yield inputs.words.count("period.incomplete", often[source.id], name=name, total=total)


def _scan_rows(inputs: Inputs, period: Period) -> Iterator[PeriodScanRow]:
    names = {source.id: source_name(inputs, source) for source in relevant_sources(inputs)}
    for one in period.scans[-MOST_SCANS:]:
        lacking = [names.get(source.id) for source in one.sources if source.verdict is not Verdict.COMPLETE]
        own = [name for name in lacking if name]
        elsewhere = [inputs.words("period.outside")] if len(own) < len(lacking) else []
        yield PeriodScanRow(
            when=f"{one.scan.as_of:%Y-%m-%d %H:%M}",
            id=one.scan.id,
            complete=inputs.words("value.yes" if one.scan.complete else "value.no"),
            lacking=", ".join(own + elsewhere),
        )


def _suppressions(inputs: Inputs, period: Period) -> Iterator[tuple[str, int, int]]:
    """Yield what can keep a finding from being raised and is not as it was at the start."""
    first, last = period.scans[0].suppressions, period.scans[-1].suppressions
    for kind in sorted({*first, *last}):
        before, after = first.get(kind, 0), last.get(kind, 0)
        if before != after:
            yield inputs.words.optional(f"suppression.{kind}", kind.replace("_", " ")), before, after
