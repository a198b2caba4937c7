"""From an audit file and rule results to the record of a scan."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb

from scanner import ledger
from scanner.config import Config
from scanner.model import ApplicationFact, RuleResult, Scan, Source, Suppression, Verdict
from scanner.model_record import Record
from scanner.model_rules import KnownAnswers, Rule
from scanner.policy import INPUTS


def assemble(
    audit_file: Path,
    config: Config,
    scan: Scan,
    sources: Sequence[Source],
    chosen: Sequence[Rule],
    results: Sequence[RuleResult],
    known_answers: KnownAnswers | None = None,
    run_by: str = "",
) -> Record:
    """Put together what the reports and the evidence say about a scan; StoreError if the ledger does not add up."""
    with duckdb.connect(str(audit_file), read_only=True) as con:
        balance = ledger.read(con)
        return Record(
            scan=scan,
            organization=config.organization,
            timezone=config.timezone,
            sources=tuple(sources),
            applications=applications(con),
            rules=tuple(chosen),
            results=tuple(results),
            ledger=balance,
            suppressions=tuple(
                Suppression(*row)
                for row in con.execute(
                    "select kind, entries, previous_entries from audit.suppressions order by kind"
                ).fetchall()
            ),
            known_answers=known_answers,
            account_buckets=ledger.accounts_by_app(con),
            leaver_outcomes=ledger.leavers_by_app(con),
            closures=ledger.closures_by_app(con),
            stored_rows=_stored_rows(con),
            run_by=run_by,
        )


def _stored_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return source id -> rows in the tables: employments of a roster, accounts of an application."""
    rows = con.execute(
        """
        select s.source_id, count(e.roster) as entries
        from audit.sources s
        left join audit.employments e on e.roster = s.source_id
        where s.kind = 'roster'
        group by 1
        union all
        select s.source_id, count(a.app)
        from audit.sources s
        left join audit.accounts a on a.app = s.source_id
        where s.kind <> 'roster'
        group by 1
        order by 1
        """
    ).fetchall()
    return dict(rows)


def applications(con: duckdb.DuckDBPyConnection) -> tuple[ApplicationFact, ...]:
    """Read every known application, with its numbers and with the person who answers for it."""
    rows = con.execute(
        """
        with people as (
            select
                lower(trim(email)) as email,
                any_value(worker_id) as worker_id
            from audit.workers
            where trim(email) <> ''
            group by 1
            having count(*) = 1
        )
        select
            p.app, p.name, p.owner, p.data, p.type, p.profile, p.coverage, p.verdict, p.unconnected_reason,
            count(a.account_id),
            count(a.account_id) filter (where a.is_active is distinct from false),
            count(a.last_sign_in_at) > 0,
            w.worker_id
        from audit.applications p
        left join audit.accounts a on a.app = p.app
        left join people w on w.email = lower(trim(p.owner))
        group by all
        order by p.app
        """
    ).fetchall()
    return tuple(_application(row) for row in rows)


def _application(row: tuple[Any, ...]) -> ApplicationFact:
    app, name, owner, data, *rest = row
    return ApplicationFact(app, name, owner, tuple(data or ()), *rest)


def _source(row: tuple[Any, ...]) -> Source:
    source_id, kind, kind_of_file, verdict, stated, collected, duplicates, rejected, coverage, *rest = row
    detail, started_at, finished_at, pages, query, sha256 = rest
    return Source(
        id=source_id,
        kind=kind,
        type=kind_of_file,
        verdict=Verdict(verdict),
        stated=stated,
        collected=collected,
        duplicates=duplicates,
        rejected=rejected,
        coverage=coverage,
        detail=detail or "",
        started_at=started_at and started_at.replace(tzinfo=UTC),
        finished_at=finished_at and finished_at.replace(tzinfo=UTC),
        pages=pages,
        query=query,
        sha256=sha256,
    )


def stored_policies(audit_file: Path) -> dict[str, str]:
    """Return policy input -> SHA-256, of the inputs that hold decisions of people.

    The lists that other systems export (sign-ins, approvals ...) differ every night; they are data.
    """
    with duckdb.connect(str(audit_file), read_only=True) as con:
        rows = con.execute("select name, sha256 from audit.policy_inputs order by name").fetchall()
    return {name: sha256 for name, sha256 in rows if name not in INPUTS or not INPUTS[name].is_csv}


def stored_sources(audit_file: Path) -> tuple[Source, ...]:
    """Return the sources of a scan as its audit file tells them."""
    with duckdb.connect(str(audit_file), read_only=True) as con:
        rows = con.execute(
            """
            select
                source_id, kind, type, verdict, stated, collected, duplicates, rejected, coverage, detail, started_at,
                finished_at, pages, query, sha256
            from audit.sources
            order by source_id
            """
        ).fetchall()
    return tuple(_source(row) for row in rows)
