"""What a report knows of other scans: what changed since the last one, and what happened in a period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from scanner.model import Scan, Source

CHANGES = ("program", "configuration", "setting", "rule", "parameter", "policy", "waiver")
"""Kinds of things whose change can change what is found."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was in the scan before."""

    scan: str
    """Id of the later scan."""
    as_of: datetime
    kind: str
    """One of CHANGES."""
    name: str
    before: str
    """Value, version, or the first digits of a hash; empty where the thing was not there."""
    after: str


@dataclass(frozen=True, slots=True)
class Closure:
    """One leaver of a period in one application."""

    worker_id: str
    app: str
    outcome: str
    """As in the ledger: closed_in_time, closed_late, open, not_due, no_account or cannot_tell."""
    account_id: str | None
    """The account that decides; None where there is none."""
    username: str | None
    terminated_at: datetime | None
    recorded_at: datetime | None
    due_at: datetime | None
    closed_after: datetime | None
    closed_by: datetime | None
    basis: str | None
    """exact: the application said when; bounded: closed between two scans."""


@dataclass(frozen=True, slots=True)
class PeriodScan:
    """One scan of a period."""

    scan: Scan
    sources: tuple[Source, ...]
    suppressions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Period:
    """What the history holds of a stretch of time."""

    first: date
    last: date
    start: datetime
    end: datetime
    """The end of the last day."""
    scans: tuple[PeriodScan, ...]
    before: Scan | None
    """The last sealed scan before the period: where it starts from."""
    leavers: int
    """People whose work ended in the period."""
    people: Mapping[str, str]
    """worker_id -> name, for the leavers."""
    closures: tuple[Closure, ...]


@dataclass(frozen=True, slots=True)
class Background:
    """The frame of a report in time."""

    previous: Scan | None = None
    """The sealed scan that the changes are counted from."""
    changes: tuple[Change, ...] = ()
    is_known: bool = False
    """Whether anybody looked for changes: silence about them must not read as none."""
    period: Period | None = None


NOTHING_KNOWN = Background()
"""For a report of which only its own scan is known."""
