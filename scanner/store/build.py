"""From collected files to row versions and the `audit` file: the middle of a scan, all of it set-based SQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from scanner.config import Config
from scanner.errors import StoreError
from scanner.model import Collected, Scan, Source, Verdict
from scanner.policy import Policies
from scanner.store import feeds
from scanner.store.audit import FILE, create_audit, export_audit
from scanner.store.frame import fill_frame, insert, naive, record_suppressions
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
        as_of = naive(scan.as_of)
        load(con, collected, config, policies, as_of=scan.as_of)
        sources = _final_verdicts(con, [item.source for item in collected])
        roster_complete = all(s.verdict is Verdict.COMPLETE for s in sources if s.kind == "roster")
        con.execute(
            "create temp table this_scan as"
            " select $scan_no::integer as scan_no, $as_of::timestamp as as_of, $complete::boolean as roster_complete",
            {"scan_no": scan_no, "as_of": as_of, "complete": roster_complete},
        )
        con.execute(_sql("vanished.sql"))
        match(con)
        con.execute(_sql("owners.sql"))
        feeds.load(con, policies, scan.as_of, collected)
        complete = all(s.verdict is Verdict.COMPLETE for s in sources)
        _record_scan(con, replace(scan, complete=complete), scan_no, sources, token)
        con.execute(_sql("merge.sql"))
        suppressions = record_suppressions(con, scan_no, config, policies)
        audit_file = staging / FILE
        create_audit(audit_file)
        con.execute(f"attach '{_quoted(audit_file)}' as audit_file")
        con.execute(_sql("audit_fill.sql"))
        fill_frame(con, scan, scan_no, config, policies, sources, suppressions, roster_complete)
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
    except duckdb.Error as exc:
        # A failed checkpoint is a fatal error to DuckDB, not one of input and output.
        if "No space left on device" in str(exc):
            raise StoreError(f"no space left on the disk of {staging}; free some and scan again") from exc
        if not isinstance(exc, duckdb.IOException):
            raise
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
    """Count what normalisation rejected or met twice: a rejected row makes a complete source short."""
    rejects: dict[str, tuple[int, str]] = {
        source_id: (count, reason)
        for source_id, count, reason in con.execute(
            "select source_id, count(*), min_by(reason, line) from n_rejects group by source_id"
        ).fetchall()
    }
    duplicates: dict[str, int] = dict(
        con.execute(
            "select source_id, sum(n)::bigint from n_notes where note like 'duplicate %' group by source_id"
        ).fetchall()
    )
    final = []
    for source in sources:
        again = duplicates.get(source.id, 0)
        source = replace(source, collected=source.collected - again, duplicates=source.duplicates + again)
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
    insert(
        con,
        "store.scans",
        [
            (
                scan_no,
                scan.id,
                naive(scan.as_of),
                naive(scan.started_at),
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
    insert(
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


def _sql(name: str) -> str:
    return (HERE / name).read_text()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _first_line(exc: Exception) -> str:
    return str(exc).splitlines()[0]
