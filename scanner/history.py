"""What the store tells of the life of findings over many scans; set-based, from row versions."""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from scanner.model import Severity
from scanner.model_history import Trend, TrendChange, TrendScan

MOST_SCANS = 400
"""Of a trend: a year of nights and some more."""

_WINDOW = """
create or replace temp table trend_scans as
select scan_no, scan_id, as_of, complete
from scans
where (manifest_sha256 is not null or scan_no = $scan_no) and scan_no <= $scan_no
order by scan_no desc
limit $most
"""

STEPS = """
create or replace temp view steps as
with leads as (
    select rule, max_by(is_lead, valid_from_scan) as is_lead
    from rule_versions
    group by rule
),
begun as (
    select min(valid_from_scan) as scan_no
    from rule_versions
),
-- One row for each scan in which a rule, or what it judges by, became another one, or was switched on or off.
changed_rules as (
    select v.rule, v.valid_from_scan as scan_no
    from rule_versions v
    where v.valid_from_scan > (select scan_no from begun)
    union
    select v.rule, v.valid_to_scan
    from rule_versions v
    where v.valid_to_scan is not null
)
select
    e.finding_no,
    e.scan_no,
    e.first_scan,
    f.rule,
    f.app,
    e.event,
    e.state,
    e.severity,
    e.state_before,
    e.severity_before,
    e.verdict,
    e.state in ('open', 'waived') and e.verdict = 'fail' as counts,
    coalesce(e.state_before in ('open', 'waived') and e.verdict_before = 'fail', false) as counted,
    case
        when e.event = 'baseline' then 'baseline'
        when e.state in ('open', 'waived') and e.state_before in ('open', 'waived') and e.state <> e.state_before
            then 'waivers'
        when r.rule is not null then 'rules'
        when e.state = 'unseen' or e.state_before = 'unseen' or t.rule is not null then 'coverage'
        else 'people'
    end as cause
from finding_events e
join findings f on f.finding_no = e.finding_no
join leads l on l.rule = f.rule and not l.is_lead
left join changed_rules r on r.rule = f.rule and r.scan_no = e.scan_no
-- What was not tested a scan ago could not be found then.
left join tested_versions t
    on t.rule = f.rule
    and t.app is not distinct from f.app
    and t.valid_from_scan = e.scan_no
    and t.valid_from_scan > (select scan_no from begun)
"""
"""One row for each change of a finding of a rule that is no lead, with its cause."""

_CHANGES = """
with moves as (
    select scan_no, rule, app, severity, state, event, cause, 1 as change
    from steps
    where counts
    union all
    select scan_no, rule, app, severity_before, state_before, event, cause, -1
    from steps
    where counted
),
-- A finding that only changed its verdict or waiver between two stands of the same kind cancels out.
placed as (
    select
        greatest(scan_no, (select min(scan_no) from trend_scans)) as scan_no,
        rule,
        app,
        severity,
        state,
        if(scan_no < (select min(scan_no) from trend_scans), 'before', event) as event,
        if(scan_no < (select min(scan_no) from trend_scans), 'before', cause) as cause,
        change
    from moves
    where scan_no <= (select max(scan_no) from trend_scans)
)
select s.scan_id, p.rule, p.app, p.severity, p.state, p.event, p.cause, sum(p.change)::integer
from placed p
join trend_scans s on s.scan_no = p.scan_no
group by all
having sum(p.change) <> 0
order by any_value(p.scan_no), p.rule, p.app, p.severity, p.state, p.event, p.cause
"""

_POPULATION = """
with moves as (
    select app, valid_from_scan as scan_no, count(*) as change
    from account_versions
    group by all
    union all
    select app, valid_to_scan, -count(*)
    from account_versions
    where valid_to_scan is not null
    group by all
),
placed as (
    -- Scans that were collected and never judged have no place of their own in the series.
    select
        m.app,
        (select min(s.scan_no) from trend_scans s where s.scan_no >= m.scan_no) as scan_no,
        m.change
    from moves m
),
sums as (
    select app, scan_no, sum(change) as change
    from placed
    where scan_no is not null
    group by all
    having sum(change) <> 0
)
select
    s.scan_id,
    n.app,
    (sum(n.change) over (partition by n.app order by n.scan_no))::integer
from sums n
join trend_scans s on s.scan_no = n.scan_no
order by n.scan_no, n.app
"""


def trend(con: duckdb.DuckDBPyConnection, scan_no: int, most: int = MOST_SCANS) -> Trend:
    """Return the trend up to a scan. `con` has the store, or its copy, as its main database."""
    con.execute(_WINDOW, {"scan_no": scan_no, "most": most})
    con.execute(STEPS)
    accounts: dict[str, dict[str, int]] = {}
    for scan, app, count in con.execute(_POPULATION).fetchall():
        accounts.setdefault(scan, {})[app] = count
    scans = con.execute("select scan_id, as_of, complete from trend_scans order by scan_no").fetchall()
    return Trend(
        scans=tuple(TrendScan(scan, _utc(as_of), complete, accounts.get(scan, {})) for scan, as_of, complete in scans),
        changes=tuple(_change(row) for row in con.execute(_CHANGES).fetchall()),
    )


def _change(row: tuple[str, str, str | None, str, str, str, str, int]) -> TrendChange:
    scan, rule, app, severity, state, event, cause, change = row
    return TrendChange(scan, rule, app, Severity(severity), state, event, cause, change)


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Share:
    """The exceptions of one application or rule over the scans of a window."""

    name: str | None
    """Application or rule id; None for findings without an application."""
    new: int
    reopened: int
    """After they had been closed; a waiver that ended is none of these."""
    resolved: int
    """The verified ones included."""
    verified: int
    open: int
    """That stand after the last scan, and count."""
    waived: int
    """That stand after the last scan, accepted."""
    closed: int
    """The closings that the mean is taken over: those of exceptions that began after the first scan of the store."""
    mean_days_to_close: float | None
    """From the first scan that showed it to the first that no longer did; None without a closing."""


_SHARES = """
with in_window as (
    select s.*, c.as_of as closed_at, f.as_of as began_at
    from steps s
    join trend_scans t on t.scan_no = s.scan_no
    join scans c on c.scan_no = s.scan_no
    join scans f on f.scan_no = s.first_scan
),
stand as (
    select
        {key} as name,
        count(*) filter (where counts and state = 'open') - count(*) filter (where counted and state_before = 'open')
            as open,
        count(*) filter (where counts and state = 'waived')
            - count(*) filter (where counted and state_before = 'waived') as waived
    from steps
    where scan_no <= (select max(scan_no) from trend_scans)
    group by 1
),
flow as (
    select
        {key} as name,
        count(*) filter (where event = 'new' and counts) as new,
        count(*) filter (where event = 'reopened' and counts) as reopened,
        count(*) filter (where event in ('resolved', 'verified') and counted) as resolved,
        count(*) filter (where event = 'verified' and counted) as verified,
        count(*) filter (where is_timed) as closed,
        avg(date_diff('second', began_at, closed_at) / 86400.0) filter (where is_timed) as mean_days
    from (
        select
            *,
            event in ('resolved', 'verified')
                and counted
                -- Since when the others had been there, nobody knows.
                and first_scan > (select min(scan_no) from scans) as is_timed
        from in_window
    )
    group by 1
)
select
    s.name,
    coalesce(f.new, 0),
    coalesce(f.reopened, 0),
    coalesce(f.resolved, 0),
    coalesce(f.verified, 0),
    s.open,
    s.waived,
    coalesce(f.closed, 0),
    f.mean_days
from stand s
left join flow f on f.name is not distinct from s.name
order by s.name nulls last
"""


def shares(con: duckdb.DuckDBPyConnection, scan_no: int, by: str | None, most: int = MOST_SCANS) -> tuple[Share, ...]:
    """Return the exceptions of the last `most` scans up to one, by `app`, by `rule`, or in one sum."""
    con.execute(_WINDOW, {"scan_no": scan_no, "most": most})
    con.execute(STEPS)
    key = {"app": "app", "rule": "rule", None: "'all'"}[by]
    return tuple(Share(*row) for row in con.execute(_SHARES.format(key=key)).fetchall())
