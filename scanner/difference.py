"""What is different between two scans: findings, accounts, rules and waivers; set-based, from row versions."""

import json
from collections import Counter
from dataclasses import dataclass

import duckdb

EVENTS = (
    *("new", "reopened", "waiver_ended", "changed", "seen_again"),
    *("resolved", "verified", "waived", "unseen", "came_and_went"),
)
"""What can have happened to a finding, in the order in which it is told: what asks for work first."""


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding that is not as it was."""

    event: str
    """One of EVENTS. came_and_went: it began and ended between the two."""
    fingerprint: str
    rule: str
    severity: str
    verdict: str
    app: str | None
    account_id: str | None
    username: str | None
    entitlement: str | None
    worker_id: str | None
    reason: str
    first_seen: str
    """Scan id of the first scan of the stretch."""
    days: float
    """From then to the later scan, or to the one that closed it."""


@dataclass(frozen=True, slots=True)
class PopulationChange:
    """The accounts of one application then and now."""

    app: str
    verdict_before: str | None
    """Completeness; None: it was not collected."""
    verdict: str | None
    accounts_before: int
    accounts: int
    active_before: int
    active: int
    came: int
    """Accounts that are there now and were not then."""
    went: int


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that judges otherwise, or was switched on or off."""

    rule: str
    change: str
    """added, removed, file or parameters."""
    before: dict[str, object]
    """Parameters that differ, and policy inputs by their SHA-256."""
    after: dict[str, object]


@dataclass(frozen=True, slots=True)
class WaiverChange:
    """A waiver that does something else than then."""

    waiver: str
    """Id."""
    rule: str
    before: str | None
    """Status and last day; None: it was not there."""
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it."""

    findings: tuple[FindingChange, ...]
    population: tuple[PopulationChange, ...]
    rules: tuple[RuleChange, ...]
    waivers: tuple[WaiverChange, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return event -> findings, every event named."""
        counted = Counter(one.event for one in self.findings)
        return {event: counted[event] for event in EVENTS}


_FINDINGS = """
with older as (
    select * from finding_versions
    where valid_from_scan <= $a and (valid_to_scan is null or valid_to_scan > $a)
),
newer as (
    select * from finding_events
    where scan_no <= $b and (valid_to_scan is null or valid_to_scan > $b)
),
told as (
    select
        n.*,
        v.reason,
        case
            when n.state in ('resolved', 'verified') then
                case
                    when t.state in ('open', 'waived', 'unseen') and n.first_scan <= $a then n.state
                    when n.first_scan > $a then 'came_and_went'
                end
            when n.first_scan > $a then
                case when n.state = 'waived' then 'waived' when t.state is null then 'new' else 'reopened' end
            when n.state = t.state then
                if(n.severity <> t.severity or n.verdict <> t.verdict, 'changed', null)
            when n.state in ('waived', 'unseen') then n.state
            when t.state = 'waived' then 'waiver_ended'
            else 'seen_again'
        end as told_event
    from newer n
    join finding_versions v on v.finding_no = n.finding_no and v.valid_from_scan = n.scan_no
    left join older t on t.finding_no = n.finding_no
)
select
    t.told_event,
    f.fingerprint,
    f.rule,
    t.severity,
    t.verdict,
    f.app,
    f.account_id,
    a.username,
    f.entitlement,
    f.worker_id,
    t.reason,
    c.scan_id,
    round(date_diff('second', c.as_of, e.as_of) / 86400.0, 2)
from told t
join findings f on f.finding_no = t.finding_no
join scans c on c.scan_no = t.first_scan
join scans e on e.scan_no = if(t.state in ('resolved', 'verified'), t.scan_no, $b)
left join (
    select app, account_id, max_by(username, valid_from_scan) as username
    from account_versions
    where valid_from_scan <= $b
    group by app, account_id
) a on a.app = f.app and a.account_id = f.account_id
where t.told_event is not null
order by f.rule, f.app, f.account_id, f.fingerprint
"""

_POPULATION = """
with older as (
    select app, account_id, is_active from account_versions
    where valid_from_scan <= $a and (valid_to_scan is null or valid_to_scan > $a)
),
newer as (
    select app, account_id, is_active from account_versions
    where valid_from_scan <= $b and (valid_to_scan is null or valid_to_scan > $b)
),
counted as (
    select
        coalesce(n.app, t.app) as app,
        count(t.account_id) as accounts_before,
        count(n.account_id) as accounts,
        count(t.account_id) filter (where t.is_active is distinct from false) as active_before,
        count(n.account_id) filter (where n.is_active is distinct from false) as active,
        count(*) filter (where t.account_id is null) as came,
        count(*) filter (where n.account_id is null) as went
    from older t
    full join newer n on n.app = t.app and n.account_id = t.account_id
    group by 1
)
select
    coalesce(c.app, s.source_id) as app,
    max(s.verdict) filter (where s.scan_no = $a),
    max(s.verdict) filter (where s.scan_no = $b),
    coalesce(any_value(c.accounts_before), 0),
    coalesce(any_value(c.accounts), 0),
    coalesce(any_value(c.active_before), 0),
    coalesce(any_value(c.active), 0),
    coalesce(any_value(c.came), 0),
    coalesce(any_value(c.went), 0)
from (select * from sources where kind = 'application' and scan_no in ($a, $b)) s
full join counted c on c.app = s.source_id
group by 1
order by 1
"""

_PAIRS = """
select coalesce(t.{key}, n.{key}), {values}
from (
    select * from {table} where valid_from_scan <= $a and (valid_to_scan is null or valid_to_scan > $a)
) t
full join (
    select * from {table} where valid_from_scan <= $b and (valid_to_scan is null or valid_to_scan > $b)
) n on n.{key} = t.{key}
order by 1
"""


def difference(con: duckdb.DuckDBPyConnection, a: int, b: int) -> Difference:
    """Return what is different in scan number `b` from the earlier scan number `a`; `con` has the store."""
    numbers = {"a": a, "b": b}
    told = [FindingChange(*row) for row in con.execute(_FINDINGS, numbers).fetchall()]
    told.sort(key=lambda one: EVENTS.index(one.event))
    return Difference(
        findings=tuple(told),
        population=tuple(PopulationChange(*row) for row in con.execute(_POPULATION, numbers).fetchall()),
        rules=tuple(_rules(con, numbers)),
        waivers=tuple(_waivers(con, numbers)),
    )


def _rules(con: duckdb.DuckDBPyConnection, numbers: dict[str, int]) -> list[RuleChange]:
    sql = _PAIRS.format(table="rule_versions", key="rule", values="t.sha256, t.params, n.sha256, n.params")
    found = []
    for rule, sha256, params, sha256_now, params_now in con.execute(sql, numbers).fetchall():
        before, after = json.loads(params or "{}"), json.loads(params_now or "{}")
        if sha256 is None or sha256_now is None:
            found.append(RuleChange(rule, "added" if sha256 is None else "removed", {}, {}))
            continue
        differ = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        if sha256 != sha256_now:
            found.append(RuleChange(rule, "file", {}, {}))
        if differ:
            found.append(
                RuleChange(
                    rule,
                    "parameters",
                    {name: before.get(name) for name in differ},
                    {name: after.get(name) for name in differ},
                )
            )
    return found


def _waivers(con: duckdb.DuckDBPyConnection, numbers: dict[str, int]) -> list[WaiverChange]:
    sql = _PAIRS.format(table="waiver_versions", key="waiver", values="t.content, n.content")
    found = []
    for waiver, content, content_now in con.execute(sql, numbers).fetchall():
        before, after = (_stand(one) if one else None for one in (content, content_now))
        if before != after:
            found.append(WaiverChange(waiver, json.loads(content_now or content)["rule"], before, after))
    return found


def _stand(content: str) -> str:
    values = json.loads(content)
    return f"{values['status'].replace('_', ' ')}, until {values['expires_on']}"
