"""What the history of a store says of a stretch of time: its scans, its leavers, and when their access ended."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from scanner import changes, evidence
from scanner.errors import ConfigError
from scanner.model import Scan, Source, Verdict
from scanner.report.background import Background, Closure, Period, PeriodScan
from scanner.store import audit, scans
from scanner.store.state import STORE, open_store

_SOURCES = """
select scan_id, source_id, kind, type, verdict, stated, collected
from sources
join scans using (scan_no)
where list_contains($scans, scan_id)
order by scan_no, source_id
"""
_SUPPRESSIONS = """
select scan_id, kind, entries
from suppressions
join scans using (scan_no)
where list_contains($scans, scan_id)
"""
_CLOSURES = """
with ranked as (
    select
        *,
        row_number() over (
            partition by worker_id, app
            order by
                list_position(['open', 'closed_late', 'cannot_tell', 'not_due', 'closed_in_time'], outcome),
                closed_by desc nulls first,
                account_id
        ) as place
    from audit.leaver_closures
)
select
    o.worker_id,
    o.app,
    o.outcome,
    c.account_id,
    c.username,
    l.terminated_at,
    l.termination_recorded_at,
    c.due_at,
    c.closed_after,
    c.closed_by,
    c.basis
from audit.leavers l
join audit.leaver_outcomes o on o.worker_id = l.worker_id
left join ranked c on c.worker_id = o.worker_id and c.app = o.app and c.place = 1
where l.terminated_at >= $start and l.terminated_at <= $end
order by l.terminated_at, o.worker_id, o.app
"""


def bounds(first: date, last: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the first and the last instant of whole local days, in UTC; ConfigError if they are no period."""
    if last < first:
        raise ConfigError(f"the period ends before it begins: --from {first}, --to {last}")
    zone = ZoneInfo(timezone)
    try:
        end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
        return datetime.combine(first, time(), zone).astimezone(UTC), end - timedelta(microseconds=1)
    except OverflowError as exc:
        raise ConfigError(f"--from {first} and --to {last} are no days that a scan could be of") from exc


def last_scan(state: Path, first: date, last: date, timezone: str) -> Scan:
    """Return the sealed scan that a report on a period rests on: the last one in it; ConfigError if there is none."""
    inside, _ = _split(state, *bounds(first, last, timezone))
    if inside:
        return inside[-1]
    every = changes.sealed(state)
    known = f"those here are of {every[0].as_of:%Y-%m-%d} to {every[-1].as_of:%Y-%m-%d}" if every else "there is none"
    raise ConfigError(
        f"no sealed scan is of {first} to {last}, so that nothing is known of that time; {known}"
        " (`orphanscan history` lists them)"
    )


def read(state: Path, first: date, last: date, timezone: str) -> Background:
    """Return what the scans of a period say, as the last of them knows it.

    Raises ConfigError if there is none, StoreError if evidence that it rests on was changed or purged.
    """
    start, end = bounds(first, last, timezone)
    closing = last_scan(state, first, last, timezone)
    inside, before = _split(state, start, end)
    chain = [*before[-1:], *inside]
    closures = tuple(_closures(state, closing, start, end))
    return Background(
        previous=chain[0] if len(chain) > 1 else None,
        changes=changes.between(state, chain),
        is_known=True,
        period=Period(
            first=first,
            last=last,
            start=start,
            end=end,
            scans=tuple(_scans(state, inside)),
            before=before[-1] if before else None,
            leavers=len({closure.worker_id for closure in closures}),
            people=_people(state, closing, {closure.worker_id for closure in closures}),
            closures=closures,
        ),
    )


def _split(state: Path, start: datetime, end: datetime) -> tuple[list[Scan], list[Scan]]:
    """Return the sealed scans of a stretch of time, and those before it."""
    every = changes.sealed(state)
    return [scan for scan in every if start <= scan.as_of <= end], [scan for scan in every if scan.as_of < start]


def _scans(state: Path, inside: list[Scan]) -> Iterator[PeriodScan]:
    wanted = {"scans": [scan.id for scan in inside]}
    with open_store(state / STORE) as con:
        sources = con.execute(_SOURCES, wanted).fetchall()
        suppressions = con.execute(_SUPPRESSIONS, wanted).fetchall()
    for scan in inside:
        own = (row[1:] for row in sources if row[0] == scan.id)
        yield PeriodScan(
            scan=scan,
            sources=tuple(
                Source(source_id, kind, form, Verdict(verdict), stated=stated, collected=collected)
                for source_id, kind, form, verdict, stated, collected in own
            ),
            suppressions={kind: entries for scan_id, kind, entries in suppressions if scan_id == scan.id},
        )


def _closures(state: Path, scan: Scan, start: datetime, end: datetime) -> Iterator[Closure]:
    """Read them from the sealed tables of a scan, which hold the history up to it."""
    folder = scans.scan_dir(state, scan.id)
    evidence.check_sealed(folder, scan.manifest_sha256, "audit/")
    with tempfile.TemporaryDirectory(prefix="orphanscan-period-") as workdir:
        file = Path(workdir) / audit.FILE
        audit.import_audit(folder / evidence.FOLDER / "audit", file)
        with duckdb.connect(str(file), read_only=True) as con:
            limits = {"start": start.replace(tzinfo=None), "end": end.replace(tzinfo=None)}
            rows = con.execute(_CLOSURES, limits).fetchall()
    for row in rows:
        worker_id, app, outcome, account_id, username, *_, basis = row
        ended, recorded, due, after, by = (_utc(moment) for moment in row[5:10])
        yield Closure(worker_id, app, outcome, account_id, username, ended, recorded, due, after, by, basis)


def _people(state: Path, scan: Scan, wanted: set[str]) -> dict[str, str]:
    file = scans.scan_dir(state, scan.id) / evidence.FOLDER / "audit" / "workers.parquet"
    with duckdb.connect() as con:
        rows = con.execute(
            "select worker_id, full_name from read_parquet($file)"
            " where list_contains($wanted, worker_id) and full_name is not null",
            {"file": str(file), "wanted": sorted(wanted)},
        ).fetchall()
    return dict(rows)


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value else None
