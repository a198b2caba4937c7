"""Accepted risks as the scan applied them: all of the file, also those that accept nothing."""

from dataclasses import dataclass

from scanner.model_history import AppliedWaiver, WaiverStatus
from scanner.report.disclosure import shorten
from scanner.report.inputs import Inputs


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One accepted risk."""

    id: str
    what: str
    reason: str
    approver: str
    until: str
    status: str
    accepts: int


@dataclass(frozen=True, slots=True)
class WaiverPart:
    """Every accepted risk of the file, counted."""

    rows: tuple[WaiverRow, ...]
    counted: str
    shown_sentence: str


def waivers(inputs: Inputs) -> WaiverPart:
    """Return the waivers that can speak about the rules and applications of this report."""
    apps = {fact.app for fact in inputs.in_scope}
    own = [one for one in inputs.record.waivers if one.app is None or one.app in apps or "*" in one.app]
    counts = {status: sum(one.status is status for one in own) for status in WaiverStatus}
    told = [inputs.words.count(f"waivers.{status}", n) for status, n in counts.items() if n]
    shown = own[: inputs.rows_per_rule]
    return WaiverPart(
        rows=tuple(_row(inputs, one) for one in shown),
        counted=inputs.words("waivers.counted", total=len(own), parts=inputs.words.join(told)) if own else "",
        shown_sentence=inputs.words("worksheet.shown", shown=len(shown), total=len(own))
        if len(shown) < len(own)
        else "",
    )


def _row(inputs: Inputs, waiver: AppliedWaiver) -> WaiverRow:
    words, seen = inputs.words, inputs.disclosure
    named = (waiver.account, waiver.worker)
    # Who is meant is a name or an id as somebody typed it: in L1 only that somebody is.
    people = (
        [seen.text(one) for one in named if one]
        if seen.is_identified
        else [words("waivers.somebody") for one in named if one]
    )
    what = [waiver.rule, inputs.application(waiver.app) if waiver.app else "", *people, waiver.entitlement or ""]
    approver = seen.text(waiver.approver) if seen.is_identified else words("waivers.approver_withheld")
    return WaiverRow(
        id=waiver.id,
        what=shorten(seen.text(", ".join(filter(None, what)))),
        reason=shorten(seen.written(waiver.reason)),
        approver=shorten(approver),
        until=f"{waiver.expires_on:%Y-%m-%d}",
        status=words(f"waivers.status.{waiver.status}"),
        accepts=len(waiver.fingerprints),
    )
