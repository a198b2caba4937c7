"""The rows of one person, in the store and in the tables of evidence, and the store without their names."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.store import purging
from scanner.store.person import Person, evidence, opened, pairs, quoted

Row = Mapping[str, Any]

GONE = ("worker_versions", "account_volatile")
"""Tables whose rows go; in the others, random ids take the place of theirs."""
_OTHERS_COLUMNS = (
    "manager_id",
    "owner_worker_id",
    "owner",
    "granted_by",
    "granted_by_worker_id",
    "approved_by",
    "approved_by_worker_id",
    "reviewer",
    "reviewer_worker_id",
)
"""Columns by which a row about something else names a person."""


def in_store(state: Path, person: Person) -> dict[str, list[Row]]:
    """Return table -> rows about a person, the scans by their ids."""
    with opened(state) as con:
        pairs(con, person.accounts)
        return {
            table: found for table, (sql, _) in _TABLES.items() if (found := _rows(con, sql, {"id": person.worker_id}))
        }


def in_evidence(audit: Path, person: Person) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return table -> rows about a person in the tables of one scan, and how often rows about others name them.

    What others' rows say is theirs, and not handed out with a person's own.
    """
    about: dict[str, list[Row]] = {}
    named: dict[str, int] = {}
    with evidence(audit) as con:
        pairs(con, person.accounts)
        con.execute(
            "insert into mine select distinct app, account_id from holders where worker_id = $id"
            " and (app, account_id) not in (select (app, account_id) from mine)",
            {"id": person.worker_id},
        )
        known = [*person.words, *(number.lower() for number in person.numbers)]
        for file in sorted(audit.glob("*.parquet")):
            table = file.stem
            con.execute(f"create or replace temp view it as from read_parquet('{quoted(file)}')")
            columns = {row[0] for row in con.execute("describe it").fetchall()}
            is_theirs = _is_theirs(columns)
            if is_theirs:
                sql = f"select * from it where {is_theirs}"
                if found := _rows(con, sql, {"id": person.worker_id} if "$id" in sql else {}):
                    about[table] = found
            for column in (one for one in _OTHERS_COLUMNS if one in columns):
                sql = f"select count(*) from it where list_contains($known::varchar[], lower({column}))"
                if is_theirs:
                    sql += f" and not coalesce({is_theirs}, false)"
                values = {"known": known} | ({"id": person.worker_id} if "$id" in sql else {})
                if count := (con.execute(sql, values).fetchone() or (0,))[0]:
                    named[f"{table}.{column}"] = count
    return about, named


def waivers(state: Path) -> list[tuple[str, str, str | None]]:
    """Return the waivers of all scans, as applied: JSON, first scan, and the scan in which it had ended."""
    with opened(state) as con:
        return con.execute(
            """
            select v.content, f.scan_id, u.scan_id
            from waiver_versions v
            join scans f on f.scan_no = v.valid_from_scan
            left join scans u on u.scan_no = v.valid_to_scan
            order by v.valid_from_scan, v.waiver
            """
        ).fetchall()


def pseudonymise(state: Path, person: Person, without: Callable[[str], str]) -> None:
    """Take a person out of the store in one atomic step; the state folder must be locked.

    Versions of the person go; those of accounts and grants, and findings, stay under a random id, so that numbers of
    the past stay what they were. A fingerprint stays, and with it the age of a finding that is raised again. What
    stands of others is in step with their sources, and stays as it is until they say otherwise.

    Args:
        state: the state folder.
        person: whom.
        without: takes them out of the JSON of a waiver.
    """
    of_person = {"id": person.worker_id}

    def act(con: duckdb.DuckDBPyConnection) -> None:
        pairs(con, person.accounts)
        con.execute("create temp table stand_ins (app varchar, account_id varchar, stand_in varchar)")
        found = con.execute(
            "select distinct app, account_id from account_versions where worker_id = $id union from mine",
            of_person,
        ).fetchall()
        for app, account_id in found:
            con.execute("insert into stand_ins values (?, ?, ?)", [app, account_id, f"erased-{secrets.token_hex(6)}"])
        for _, change in _TABLES.values():
            con.execute(change, of_person if "$id" in change else {})
        for table, column in (("worker_versions", "manager_id"), ("account_versions", "owner_worker_id")):
            con.execute(
                f"update {table} set {column} = null where {column} = $id and valid_to_scan is not null", of_person
            )
        ended = "select rowid, content from waiver_versions where valid_to_scan is not null"
        for row, content in con.execute(ended).fetchall():
            con.execute("update waiver_versions set content = ? where rowid = ?", [without(content), row])

    purging.rewritten(state, "erase", act)


def still_shown(state: Path, person: Person) -> tuple[str, ...]:
    """Return `roster` and the applications that showed the person when they were read last."""
    with opened(state) as con:
        pairs(con, person.accounts)
        rows = con.execute(
            """
            select 'roster' as place
            from worker_versions
            where worker_id = $id and valid_to_scan is null
            union
            select app
            from account_versions
            where valid_to_scan is null
                and (worker_id = $id or (app, account_id) in (select (app, account_id) from mine))
            order by place
            """,
            {"id": person.worker_id},
        ).fetchall()
    return tuple(row[0] for row in rows)


_SPAN = """
    f.scan_id as from_scan, f.as_of as from_time, u.scan_id as until_scan, v.ended_by
    from {table} v
    join scans f on f.scan_no = v.valid_from_scan
    left join scans u on u.scan_no = v.valid_to_scan
"""
_NEXT = "(select max(scan_no) + 1 from scans)"
# The account versions of the person, also those of an account that is somebody else's in other versions.
_IS_VERSION = (
    "(v.worker_id = $id or (v.worker_id is null and (v.app, v.account_id) in (select (app, account_id) from mine)))"
)
_IS_MINE = "(v.app, v.account_id) in (select (app, account_id) from mine)"
_TABLES = {
    "worker_versions": (
        "select v.* exclude (valid_from_scan, valid_to_scan, ended_by),"
        f" {_SPAN.format(table='worker_versions')} where v.worker_id = $id order by v.valid_from_scan",
        "delete from worker_versions where worker_id = $id",
    ),
    "grant_versions": (
        "select v.* exclude (valid_from_scan, valid_to_scan, ended_by),"
        " (select max_by(e.name, e.valid_from_scan) from entitlement_versions e"
        " where e.app = v.app and e.entitlement = v.entitlement) as entitlement_name,"
        f" {_SPAN.format(table='grant_versions')} where {_IS_MINE} and $id is not distinct from $id"
        " order by v.app, v.account_id, v.entitlement, v.valid_from_scan",
        f"""
        update grant_versions v
        set account_id = s.stand_in,
            valid_to_scan = coalesce(v.valid_to_scan, {_NEXT}),
            ended_by = coalesce(v.ended_by, 'erased')
        from stand_ins s
        where s.app = v.app and s.account_id = v.account_id and {_IS_MINE}
        """,
    ),
    "account_volatile": (
        f"select v.* from account_volatile v where {_IS_MINE} and $id is not distinct from $id order by all",
        f"delete from account_volatile v where {_IS_MINE}",
    ),
    "findings": (
        f"""
        select
            v.fingerprint, v.rule, v.app, v.account_id, v.entitlement, v.worker_id, v.subject,
            n.state, n.severity, n.verdict, n.reason, n.waiver, f.scan_id as from_scan, f.as_of as from_time,
            u.scan_id as until_scan
        from findings v
        join finding_versions n on n.finding_no = v.finding_no
        join scans f on f.scan_no = n.valid_from_scan
        left join scans u on u.scan_no = n.valid_to_scan
        where v.worker_id = $id or {_IS_MINE}
        order by v.rule, v.app, v.fingerprint, n.valid_from_scan
        """,
        f"""
        update findings v
        set account_id = coalesce(
                (select stand_in from stand_ins s where s.app = v.app and s.account_id = v.account_id),
                if(v.account_id is null, null, 'erased')
            ),
            worker_id = if(v.worker_id is null, null, 'erased'),
            subject = null
        where v.worker_id = $id or {_IS_MINE}
        """,
    ),
    # Last: by its rows the others are known.
    "account_versions": (
        "select v.* exclude (valid_from_scan, valid_to_scan, ended_by),"
        f" {_SPAN.format(table='account_versions')} where {_IS_VERSION}"
        " order by v.app, v.account_id, v.valid_from_scan",
        f"""
        update account_versions v
        set account_id = s.stand_in,
            username = null,
            email = null,
            display_name = null,
            external_id = null,
            department = null,
            job_title = null,
            manager = null,
            created_at = null,
            deactivated_at = null,
            owner_worker_id = null,
            worker_id = null,
            valid_to_scan = coalesce(v.valid_to_scan, {_NEXT}),
            ended_by = coalesce(v.ended_by, 'erased')
        from stand_ins s
        where s.app = v.app and s.account_id = v.account_id and {_IS_VERSION}
        """,
    ),
}
"""Table -> the rows of a person, and what erasure makes of them."""


def _is_theirs(columns: set[str]) -> str:
    has_pair = {"app", "account_id"} <= columns
    if "worker_id" in columns and has_pair:
        return "(worker_id = $id or (worker_id is null and (app, account_id) in (select (app, account_id) from mine)))"
    if "worker_id" in columns:
        return "worker_id = $id"
    return "(app, account_id) in (select (app, account_id) from mine)" if has_pair else ""


def _rows(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> list[Row]:
    found = con.execute(sql, dict(values))
    names = [column[0] for column in found.description or ()]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True) if value is not None}
        for row in found.fetchall()
    ]


def _plain(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
