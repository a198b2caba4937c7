"""From what changed between scans to the series that reports draw."""

from collections import Counter
from collections.abc import Callable

from scanner.model import Severity
from scanner.model_history import Trend, TrendChange, TrendPoint

CAUSES = ("people", "rules", "coverage", "waivers", "baseline", "before")
"""Why exceptions came or went, in the order of a legend."""


def points(
    trend: Trend,
    wanted: Callable[[TrendChange], bool] = lambda change: True,
    apps: Callable[[str], bool] = lambda app: True,
) -> tuple[TrendPoint, ...]:
    """Return one point per scan, oldest first.

    Args:
        trend: of a record.
        wanted: which changes count, for instance those of the rules and applications of one framework.
        apps: which applications the number of accounts is taken over.
    """
    of_scan: dict[str, list[TrendChange]] = {scan.scan: [] for scan in trend.scans}
    for change in trend.changes:
        if wanted(change):
            of_scan[change.scan].append(change)
    stand: Counter[Severity] = Counter()
    accounts: dict[str, int] = {}
    waived = 0
    found = []
    for scan in trend.scans:
        accounts |= {app: count for app, count in scan.accounts.items() if apps(app)}
        changes = of_scan[scan.scan]
        for change in changes:
            if change.state == "open":
                stand[change.severity] += change.change
            else:
                waived += change.change
        found.append(
            TrendPoint(
                scan=scan.scan,
                as_of=scan.as_of,
                complete=scan.complete,
                exceptions={severity: stand[severity] for severity in Severity},
                waived=waived,
                accounts=sum(accounts.values()),
                came=_sums(changes, lambda one: one.cause, sign=1),
                went=_sums(changes, lambda one: one.cause, sign=-1),
                events=_events(changes),
            )
        )
    return tuple(found)


def _sums(changes: list[TrendChange], key: Callable[[TrendChange], str], *, sign: int) -> dict[str, int]:
    """Return key -> exceptions added (sign 1) or taken away (sign -1)."""
    sums: Counter[str] = Counter()
    for change in changes:
        if change.state == "open" and change.change * sign > 0:
            sums[key(change)] += change.change * sign
    return dict(sums)


def _events(changes: list[TrendChange]) -> dict[str, int]:
    """Return event -> exceptions; what was accepted the moment it came is counted where it is added."""
    sums: Counter[str] = Counter()
    for change in changes:
        # A finding that goes from open to accepted, or back, is one event and two changes: the added side counts.
        is_end = change.event in ("resolved", "verified", "unseen")
        if (change.change < 0) == is_end:
            sums[change.event] += abs(change.change)
    return dict(sums)
