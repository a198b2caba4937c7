"""The frame of a scan in its audit file: clock, applications, sources, suppressions; a handful of rows each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

import duckdb

from scanner.config import Config
from scanner.model import Scan, Source, Suppression
from scanner.policy import Policies


def fill_frame(
    con: duckdb.DuckDBPyConnection,
    scan: Scan,
    scan_no: int,
    config: Config,
    policies: Policies,
    sources: Sequence[Source],
    suppressions: Sequence[Suppression],
    roster_complete: bool,
) -> None:
    """Fill the tables of the audit file that come from the configuration and the collection."""
    audit = "audit_file.audit"
    previous = con.execute("select max(as_of) from store.scans where scan_no < $n", {"n": scan_no}).fetchone()
    leaving = config.rules.params.get("leaver-still-active", {})
    insert(
        con,
        f"{audit}.settings",
        [
            (
                scan.id,
                naive(scan.as_of),
                config.organization,
                config.timezone,
                scan.is_baseline,
                previous[0] if previous else None,
                roster_complete,
                leaving.get("sla_hours", 24),
                leaving.get("privileged_sla_hours", 4),
            )
        ],
    )
    by_id = {source.id: source for source in sources}
    insert(
        con,
        f"{audit}.applications",
        [
            (
                app.id,
                app.name,
                app.owner,
                list(app.data),
                app.type,
                app.profile,
                by_id[app.id].coverage if app.id in by_id else "unknown",
                app.sso,
                str(by_id[app.id].verdict) if app.id in by_id else None,
                naive(by_id[app.id].finished_at) if app.id in by_id else None,
                app.reason,
                app.identity_provider,
                _is_named(app.id, policies, policies.role_policy.groups_only),
                _is_named(app.id, policies, policies.role_policy.separate_admin_accounts),
                by_id[app.id].sign_in_grain_days if app.id in by_id else 0,
            )
            for app in config.applications
        ],
    )
    insert(con, f"{audit}.sources", [_source_row(con, source, scan_no) for source in sources])
    insert(con, f"{audit}.suppressions", [(item.kind, item.entries, item.previous_entries) for item in suppressions])
    con.execute(f"insert into {audit}.policy_inputs select * from policy_inputs order by name")


def _is_named(app: str, policies: Policies, patterns: Iterable[str]) -> bool | None:
    """Return whether a list of the role policy names an application; None without a role policy."""
    if all(item.name != "role_policy" for item in policies.inputs):
        return None
    return any(fnmatchcase(app, pattern) for pattern in patterns)


def _source_row(con: duckdb.DuckDBPyConnection, source: Source, scan_no: int) -> tuple[object, ...]:
    previous = _previous_collected(con, source.id, scan_no)
    last = con.execute(
        "select max(c.as_of) from store.sources s join store.scans c on c.scan_no = s.scan_no"
        " where s.source_id = $id and s.verdict = 'complete'",
        {"id": source.id},
    ).fetchone()
    return (
        source.id,
        source.kind,
        source.type,
        str(source.verdict),
        source.stated,
        source.collected,
        source.duplicates,
        source.rejected,
        source.coverage,
        source.detail or None,
        naive(source.started_at),
        naive(source.finished_at),
        source.pages,
        source.query,
        source.sha256,
        previous,
        last[0] if last else None,
    )


def _previous_collected(con: duckdb.DuckDBPyConnection, source_id: str, before: int) -> int | None:
    """Return the rows of the last complete collection of a source before scan number `before`."""
    row = con.execute(
        "select max_by(collected, scan_no) from store.sources"
        " where source_id = $id and verdict = 'complete' and scan_no < $before",
        {"id": source_id, "before": before},
    ).fetchone()
    return row[0] if row else None


def record_suppressions(
    con: duckdb.DuckDBPyConnection, scan_no: int, config: Config, policies: Policies
) -> tuple[Suppression, ...]:
    """Count everything that can keep a finding from being raised, and return it with the counts of the scan before."""
    now = {
        "links": len(policies.links),
        "service_register": len(policies.service_register),
        "kind_patterns": len(config.matching.kinds),
        "approved_domains": len(policies.approved_domains),
        "role_policy": len(policies.role_policy.allowances),
        "birthrights": sum(entry.birthright for entry in policies.role_policy.allowances),
        "separate_admin_accounts": len(policies.role_policy.separate_admin_accounts),
        "interactive_services": sum(entry.interactive is True for entry in policies.service_register),
        "retentions": len(policies.erasure_schedule.retentions),
        "legal_holds": len(policies.erasure_schedule.holds),
        "mfa_overrides": _mfa_overrides(con),
        "disabled_rules": len(config.rules.disable),
        "changed_parameters": sum(len(values) for values in config.rules.params.values()),
    }
    before = dict(
        con.execute(
            "select kind, entries from store.suppressions"
            " where scan_no = (select max(scan_no) from store.scans where scan_no < $scan_no)",
            {"scan_no": scan_no},
        ).fetchall()
    )
    insert(con, "store.suppressions", [(scan_no, kind, entries) for kind, entries in now.items()])
    return tuple(Suppression(kind, entries, before.get(kind)) for kind, entries in now.items())


def _mfa_overrides(con: duckdb.DuckDBPyConnection) -> int:
    """Count accounts of which the application says that they lack a second factor, and the policy input that not."""
    row = con.execute(
        "select count(*) from n_accounts a join n_mfa f on f.app = a.app and f.account_id = a.account_id"
        " where f.mfa and not a.mfa"
    ).fetchone()
    return int(row[0]) if row else 0


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert a handful of rows in the order of the table's columns."""
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        con.executemany(f"insert into {table} values ({marks})", [list(row) for row in rows])


def naive(value: datetime | None) -> datetime | None:
    """All instants in SQL are UTC without a zone."""
    return None if value is None else value.replace(tzinfo=None)
