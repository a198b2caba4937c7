"""From collected files to row versions and the `audit` file: the middle of a scan, all of it set-based SQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from scanner.config import Config
from scanner.errors import StoreError
from scanner.model import Collected, Scan, Source, Suppression, Verdict
from scanner.policy import Policies
from scanner.store.audit import FILE, create_audit, export_audit
from scanner.store.load import load
from scanner.store.match import match
from scanner.store.state import STORE

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Built:
    """What the middle of a scan leaves: the final verdicts and the place of the audit file."""

    sources: tuple[Source, ...]
    audit_file: Path

    @property
    def complete(self) -> bool:
        """Whether every source is complete."""
        return all(source.verdict is Verdict.COMPLETE for source in self.sources)


def build(
    staging: Path, collected: Sequence[Collected], config: Config, policies: Policies, scan: Scan, token: str
) -> Built:
    """Load, normalise, match and merge into the staged copy of the store; write the audit file and its Parquet."""
    with working(staging, config.scan.memory_mb) as con:
        scan_no = _open_store_copy(con, staging / STORE)
        as_of = _naive(scan.as_of)
        load(con, collected, config, policies, as_of=scan.as_of)
        sources = _final_verdicts(con, [item.source for item in collected])
        roster_complete = all(s.verdict is Verdict.COMPLETE for s in sources if s.kind == "roster")
        con.execute(
            "create temp table this_scan as"
            " select $scan_no::integer as scan_no, $as_of::timestamp as as_of, $complete::boolean as roster_complete",
            {"scan_no": scan_no, "as_of": as_of, "complete": roster_complete},
        )
        con.execute("create temp table policy_inputs (name varchar, sha256 varchar, entries bigint)")
        _insert(con, "policy_inputs", [(p.name, p.sha256, p.entries) for p in policies.inputs])
        con.execute(_sql("vanished.sql"))
        match(con)
        con.execute(_sql("owners.sql"))
        complete = all(s.verdict is Verdict.COMPLETE for s in sources)
        _record_scan(con, replace(scan, complete=complete), scan_no, sources, token)
        con.execute(_sql("merge.sql"))
        suppressions = _record_suppressions(con, scan_no, config, policies)
        audit_file = staging / FILE
        create_audit(audit_file)
        con.execute(f"attach '{_quoted(audit_file)}' as audit_file")
        con.execute(_sql("audit_fill.sql"))
        _fill_frame(con, scan, scan_no, config, sources, suppressions, roster_complete)
        con.execute("checkpoint audit_file")
        export_audit(con, "audit_file", staging / "scan" / "evidence" / "audit")
        con.execute("detach audit_file")
        con.execute("checkpoint store")
        con.execute("detach store")
    return Built(sources, audit_file)


@contextmanager
def working(staging: Path, memory_mb: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working database of a scan, with a memory limit and spill space in its staging folder."""
    spill = staging / "spill"
    spill.mkdir(exist_ok=True, mode=0o700)
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
    }
    try:
        with duckdb.connect(str(staging / "work.duckdb"), config=options) as con:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set preserve_insertion_order = false")
            yield con
    except duckdb.OutOfMemoryException as exc:
        raise StoreError(
            f"the scan needs more than {memory_mb} MB of memory; raise memory_mb in [scan] of the configuration"
        ) from exc
    except duckdb.IOException as exc:
        raise StoreError(f"cannot write to {staging}: {str(exc).splitlines()[0]}") from exc


def _open_store_copy(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Attach the staged copy of the store, made new if there is none; returns the number of this scan."""
    is_new = not path.exists()
    try:
        con.execute(f"attach '{_quoted(path)}' as store")
        if is_new:
            con.execute("use store")
            con.execute(_sql("tables.sql"))
            con.execute("use work")
        row = con.execute("select coalesce(max(scan_no), 0) + 1 from store.scans").fetchone()
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the store: {_first_line(exc)}; restore it from a backup") from exc
    return int(row[0]) if row else 1


def _final_verdicts(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[Source, ...]:
    """Add the rows that normalisation had to reject: a rejected row makes a complete source short."""
    rejects: dict[str, tuple[int, str]] = {
        source_id: (count, reason)
        for source_id, count, reason in con.execute(
            "select source_id, count(*), min_by(reason, line) from n_rejects group by source_id"
        ).fetchall()
    }
    final = []
    for source in sources:
        count, reason = rejects.get(source.id, (0, ""))
        if count:
            detail = f"{source.detail}; " if source.detail else ""
            rows = "row" if count == 1 else "rows"
            source = replace(
                source,
                verdict=Verdict.SHORT if source.verdict is Verdict.COMPLETE else source.verdict,
                rejected=source.rejected + count,
                detail=f"{detail}{count} {rows} could not be used, the first because: {reason}",
            )
        final.append(source)
        con.execute(
            "update application_settings set verdict = $verdict where app = $app",
            {"verdict": str(source.verdict), "app": source.id},
        )
    return tuple(final)


def _record_scan(
    con: duckdb.DuckDBPyConnection, scan: Scan, scan_no: int, sources: Sequence[Source], token: str
) -> None:
    _insert(
        con,
        "store.scans",
        [
            (
                scan_no,
                scan.id,
                _naive(scan.as_of),
                _naive(scan.started_at),
                None,
                scan.complete,
                scan.tool_version,
                scan.config_sha256,
                None,
                None,
                token,
            )
        ],
    )
    _insert(
        con,
        "store.sources",
        [
            (
                scan_no,
                s.id,
                s.kind,
                s.type,
                str(s.verdict),
                s.stated,
                s.collected,
                s.duplicates,
                s.rejected,
                s.coverage,
                s.detail,
            )
            for s in sources
        ],
    )


def _record_suppressions(
    con: duckdb.DuckDBPyConnection, scan_no: int, config: Config, policies: Policies
) -> tuple[Suppression, ...]:
    now = {
        "links": len(policies.links),
        "service_register": len(policies.service_register),
        "kind_patterns": len(config.matching.kinds),
        "approved_domains": len(policies.approved_domains),
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
    _insert(con, "store.suppressions", [(scan_no, kind, entries) for kind, entries in now.items()])
    return tuple(Suppression(kind, entries, before.get(kind)) for kind, entries in now.items())


def _fill_frame(
    con: duckdb.DuckDBPyConnection,
    scan: Scan,
    scan_no: int,
    config: Config,
    sources: Sequence[Source],
    suppressions: Sequence[Suppression],
    roster_complete: bool,
) -> None:
    """Fill the tables of the audit file that come from the configuration and the collection."""
    audit = "audit_file.audit"
    previous = con.execute("select max(as_of) from store.scans where scan_no < $n", {"n": scan_no}).fetchone()
    hours = config.rules.params.get("leaver-still-active", {}).get("sla_hours", 24)
    _insert(
        con,
        f"{audit}.settings",
        [
            (
                scan.id,
                _naive(scan.as_of),
                config.organization,
                config.timezone,
                scan.is_baseline,
                previous[0] if previous else None,
                roster_complete,
                hours,
            )
        ],
    )
    by_id = {source.id: source for source in sources}
    _insert(
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
                _naive(by_id[app.id].finished_at) if app.id in by_id else None,
                app.reason,
            )
            for app in config.applications
        ],
    )
    _insert(con, f"{audit}.sources", [_source_row(con, source, scan_no) for source in sources])
    _insert(con, f"{audit}.suppressions", [(item.kind, item.entries, item.previous_entries) for item in suppressions])
    con.execute(f"insert into {audit}.policy_inputs select name, sha256, entries from policy_inputs order by name")


def _source_row(con: duckdb.DuckDBPyConnection, source: Source, scan_no: int) -> tuple[object, ...]:
    previous = previous_collected(con, "store.", source.id, scan_no)
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
        _naive(source.started_at),
        _naive(source.finished_at),
        source.pages,
        source.query,
        source.sha256,
        previous,
        last[0] if last else None,
    )


def previous_collected(
    con: duckdb.DuckDBPyConnection, prefix: str, source_id: str, before: int | None = None
) -> int | None:
    """Return the rows of the last complete collection of a source (before scan number `before`)."""
    row = con.execute(
        f"select max_by(collected, scan_no) from {prefix}sources"
        " where source_id = $id and verdict = 'complete' and scan_no < coalesce($before, 2147483647)",
        {"id": source_id, "before": before},
    ).fetchone()
    return row[0] if row else None


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert a handful of rows in the order of the table's columns."""
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        con.executemany(f"insert into {table} values ({marks})", [list(row) for row in rows])


def _sql(name: str) -> str:
    return (HERE / name).read_text()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _naive(value: datetime | None) -> datetime | None:
    """All instants in SQL are UTC without a zone."""
    return None if value is None else value.replace(tzinfo=None)


def _first_line(exc: Exception) -> str:
    return str(exc).splitlines()[0]
