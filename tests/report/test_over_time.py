"""What a period adds to a report: sums that are checked, caps that say so, and an exception that counts once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import report_samples as samples

from scanner.errors import StoreError
from scanner.ledger import LEAVER_OUTCOMES
from scanner.model import Severity
from scanner.model_history import Trend, TrendChange, TrendScan
from scanner.report.background import Background, Closure, Period, PeriodScan
from scanner.report.content import Content, build
from scanner.report.flow import flow, stood
from scanner.report.inputs import Inputs, gather
from scanner.report.leavers import MOST_LEAVERS, hr_lag, it_lag, leavers_csv
from scanner.report.over_time import MOST_SCANS
from scanner.report.words import load

RECORD = samples.record()
IN_SCOPE = [fact.app for fact in RECORD.applications if samples.framework().covers(fact)]
START = datetime(2026, 9, 1, tzinfo=UTC)
ENDED = datetime(2026, 9, 5, 22, tzinfo=UTC)


def closure(n: int, app: str, outcome: str = "closed_late", **changes: object) -> Closure:
    """Return what became of the n-th leaver in an application."""
    base = Closure(
        worker_id=f"p{n:03}",
        app=app,
        outcome=outcome,
        account_id=f"acc-{n:05}",
        username=f"user{n}@acme.example",
        terminated_at=ENDED,
        recorded_at=ENDED + timedelta(hours=10),
        due_at=ENDED + timedelta(hours=24),
        closed_after=ENDED + timedelta(hours=48),
        closed_by=ENDED + timedelta(hours=72),
        basis="bounded",
    )
    return replace(base, **changes)


def period_of(closures: list[Closure], scans: int = 3) -> Period:
    """Return September, scanned so many times."""
    times = [START + timedelta(hours=6 + 7 * n) for n in range(scans)]
    return Period(
        first=date(2026, 9, 1),
        last=date(2026, 9, 30),
        start=START,
        end=START + timedelta(days=30),
        scans=tuple(
            PeriodScan(replace(RECORD.scan, id=f"scan-{n:03}", as_of=time), RECORD.sources, {"links": 2 + n})
            for n, time in enumerate(times)
        ),
        before=None,
        leavers=len({one.worker_id for one in closures}),
        people={one.worker_id: "Ada Brook" for one in closures},
        closures=tuple(closures),
    )


def inputs_of(period: Period, trend: Trend | None = None) -> Inputs:
    """Gather the sample with a period."""
    return gather(
        replace(RECORD, trend=trend),
        samples.framework(),
        load(),
        privacy="L1",
        key=samples.KEY,
        rows_per_rule=5,
        background=Background(period=period, is_known=True),
    )


def report_of(period: Period) -> Content:
    """Compute the report of the sample on a period."""
    return build(
        RECORD,
        samples.framework(),
        privacy="L1",
        key=samples.KEY,
        rows_per_rule=5,
        prepared_by="",
        manifest_sha256=samples.MANIFEST,
        generated_at=samples.GENERATED,
        background=Background(period=period, is_known=True),
    )


def test_open_access_is_told_first_and_what_is_cut_is_counted() -> None:
    """Of more leavers than are printed none that still has access is left out; the file inside has all."""
    many = MOST_LEAVERS // len(IN_SCOPE) + 2
    closures = [closure(n, app, "open" if n == many - 1 else "closed_in_time") for n in range(many) for app in IN_SCOPE]
    period = period_of(closures)
    part = report_of(period).period
    assert part is not None

    assert len(part.leavers.rows) == MOST_LEAVERS
    assert [row.outcome for row in part.leavers.rows].count("Open") == len(IN_SCOPE)
    assert part.leavers.rows[0].is_late
    assert part.leavers.left_out.startswith(f"{MOST_LEAVERS} of {len(closures)} are shown")
    assert len(leavers_csv(inputs_of(period), period).splitlines()) == len(closures) + 1
    assert sum(line.total for line in part.leavers.lines if not line.is_sum) == len(closures)
    assert part.leavers.lines[-1].total == len(closures)


def test_nobody_is_named_in_a_pseudonymised_period() -> None:
    """Neither in the section nor in the file inside."""
    period = period_of([closure(1, app) for app in IN_SCOPE])
    report = report_of(period)
    told = repr(report.period) + next(one.data for one in report.attachments if one.name == "leavers.csv").decode()

    for secret in ("p001", "acc-00001", "user1@acme.example", "Ada Brook"):
        assert secret not in told


def test_leavers_that_do_not_add_up_are_refused() -> None:
    """One outcome for each leaver in each application, or nothing is printed."""
    period = period_of([closure(1, app) for app in IN_SCOPE[1:]] + [closure(2, app) for app in IN_SCOPE])

    with pytest.raises(StoreError, match="leavers of the period do not add up"):
        report_of(period)


def test_lags_are_counted_from_when_each_could_know() -> None:
    """HR from the end of work; IT from the later of end and record: it does not pay for what HR was late with."""
    late = closure(1, "crm")
    early = closure(1, "crm", recorded_at=ENDED - timedelta(hours=30))
    unknown = closure(1, "crm", recorded_at=None, closed_by=None)

    assert (hr_lag(late), it_lag(late)) == (10, 62)
    assert (hr_lag(early), it_lag(early)) == (-30, 72)
    assert (hr_lag(unknown), it_lag(unknown)) == (None, None)


def test_many_scans_are_capped_and_what_can_silence_is_compared_from_first_to_last() -> None:
    """A year of nights does not fill the report."""
    part = report_of(period_of([closure(1, app) for app in IN_SCOPE], scans=MOST_SCANS + 5)).period
    assert part is not None

    assert len(part.scans) == MOST_SCANS
    assert part.scans_left_out == f"The last {MOST_SCANS} of {MOST_SCANS + 5} are shown."
    assert [(before, after) for _, before, after in part.suppressions] == [(2, MOST_SCANS + 6)]
    assert part.incomplete
    assert part.leavers.outcomes
    assert len(part.leavers.outcomes) == len(LEAVER_OUTCOMES)


def test_an_exception_of_another_severity_is_the_same_exception() -> None:
    """It counts once; one that came and went counts although it is gone; what came later does not."""
    times = [
        START - timedelta(days=1),
        START + timedelta(days=1),
        START + timedelta(days=2),
        START + timedelta(days=40),
    ]
    scans = tuple(TrendScan(name, time, True, {}) for name, time in zip("abcd", times, strict=True))
    base = TrendChange("a", "orphaned-account", "ledger", Severity.HIGH, "open", "baseline", "baseline", 3)
    changes = (
        base,
        replace(base, scan="b", event="changed", cause="people", change=-1),
        replace(base, scan="b", event="changed", cause="people", change=1, severity=Severity.CRITICAL),
        replace(base, scan="b", event="new", cause="people", change=2),
        replace(base, scan="c", event="resolved", cause="people", change=-4),
        replace(base, scan="d", event="new", cause="people", change=50),
    )
    period = period_of([closure(1, app) for app in IN_SCOPE])
    inputs = inputs_of(period, Trend(scans, changes))
    lines = flow(inputs, period)

    assert stood(inputs, period) == {("orphaned-account", "ledger"): 5}
    assert [line.exceptions for line in lines if line.is_sum] == [3, 1]
    assert sum(line.exceptions for line in lines[:-1]) == lines[-1].exceptions
