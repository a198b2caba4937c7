"""One person in the store and in the tables of evidence: who is meant, what rows are theirs, and rows without names.

Accounts count as a person's if they were ever matched to them and never to somebody else, or, for a person whom no
roster shows, if nobody was found for them and their e-mail address or user name is the one asked for.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import ConfigError, StoreError
from scanner.store import purging
from scanner.store import state as stored

Row = Mapping[str, Any]

_PEOPLE = """
    select distinct worker_id
    from people
    where lower(worker_id) = $who
        or lower(email) = $who
        or list_contains(list_transform(other_emails, lambda e: lower(e)), $who)
        or list_contains(list_transform(employee_numbers, lambda n: lower(n)), $who)
    order by worker_id
"""
_HOLDERS = "select distinct worker_id from holders where lower(username) = $who and worker_id is not null order by 1"
_ACCOUNTS = """
    select app, account_id
    from holders
    group by app, account_id
    having (coalesce(bool_or(worker_id = $id), false) and not coalesce(bool_or(worker_id <> $id), false))
        or (
            $id is null
            and bool_and(worker_id is null)
            and bool_and(coalesce(match_confidence, 'none') in ('none', 'suggested'))
            and coalesce(bool_or(lower(email) = $who or lower(username) = $who), false)
        )
    order by all
"""
_UNSURE = """
    select distinct app, account_id
    from holders
    where match_confidence = 'ambiguous'
        and list_contains($known::varchar[], lower(email))
    order by all
"""
_WORDS = """
    select lower(unnest(list_value(worker_id, full_name, email) || other_emails)) as word
    from people
    where worker_id = $id
    union
    select lower(unnest(list_value(username, email)))
    from holders
    semi join mine using (app, account_id)
    where coalesce(worker_id = $id, true)
"""
_NUMBERS = "select distinct unnest(employee_numbers) from people where worker_id = $id order by 1"
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


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant, with all by which orphanscan knows them."""

    worker_id: str | None
    """None: no roster shows them; they are known by accounts alone."""
    words: tuple[str, ...]
    """Person id, names, e-mail addresses and user names, in lower case."""
    numbers: tuple[str, ...]
    """Employee numbers."""
    accounts: tuple[tuple[str, str], ...]
    """Application and account id of the accounts that are theirs alone."""
    unsure: tuple[tuple[str, str], ...] = ()
    """Accounts that bear an e-mail address of theirs, and whose owner is ambiguous."""


def in_store(state: Path, who: str) -> Person | None:
    """Return the person whom a person id, employee number, e-mail or user name stands for; None if nobody.

    ConfigError if it stands for several.
    """
    with stored.open_store(state / stored.STORE) as con:
        con.execute("create temp view people as from worker_versions")
        con.execute("create temp view holders as from account_versions")
        return _find(con, who)


def in_evidence(audit: Path, who: str) -> Person | None:
    """Return the same from the tables of one scan."""
    with _evidence(audit) as con:
        return _find(con, who)


def _find(con: duckdb.DuckDBPyConnection, who: str) -> Person | None:
    asked = who.strip().lower()
    ids = [row[0] for row in con.execute(_PEOPLE, {"who": asked}).fetchall()]
    ids = ids or [row[0] for row in con.execute(_HOLDERS, {"who": asked}).fetchall()]
    if len(ids) > 1:
        raise ConfigError(f"{who!r} stands for {len(ids)} people ({', '.join(ids[:5])}); name one by the person id")
    worker_id = ids[0] if ids else None
    accounts = con.execute(_ACCOUNTS, {"id": worker_id, "who": asked}).fetchall()
    if worker_id is None and not accounts:
        return None
    _pairs(con, accounts)
    words = sorted(word for (word,) in con.execute(_WORDS, {"id": worker_id}).fetchall() if word and word.strip())
    return Person(
        worker_id,
        tuple(words),
        tuple(row[0] for row in con.execute(_NUMBERS, {"id": worker_id}).fetchall() if row[0]),
        tuple(accounts),
        tuple(con.execute(_UNSURE, {"known": [word for word in words if "@" in word]}).fetchall()),
    )


def rows_in_store(state: Path, person: Person) -> dict[str, list[Row]]:
    """Return table -> rows about a person, the scans by their ids."""
    with stored.open_store(state / stored.STORE) as con:
        _pairs(con, person.accounts)
        return {
            table: found for table, (sql, _) in _TABLES.items() if (found := _rows(con, sql, {"id": person.worker_id}))
        }


def rows_in_evidence(audit: Path, person: Person) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return table -> rows about a person in the tables of one scan, and how often rows about others name them.

    What others' rows say is theirs, and not handed out with a person's own.
    """
    about: dict[str, list[Row]] = {}
    named: dict[str, int] = {}
    with _evidence(audit) as con:
        _pairs(con, person.accounts)
        con.execute(
            "insert into mine select distinct app, account_id from holders where worker_id = $id"
            " and (app, account_id) not in (select (app, account_id) from mine)",
            {"id": person.worker_id},
        )
        known = [*person.words, *(number.lower() for number in person.numbers)]
        for file in sorted(audit.glob("*.parquet")):
            table = file.stem
            con.execute(f"create or replace temp view it as from read_parquet('{_quoted(file)}')")
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
    with stored.open_store(state / stored.STORE) as con:
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
        _pairs(con, person.accounts)
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
    with stored.open_store(state / stored.STORE) as con:
        _pairs(con, person.accounts)
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


def _evidence(audit: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    try:
        for name, table in (("people", "workers"), ("holders", "accounts")):
            con.execute(f"create view {name} as from read_parquet('{_quoted(audit / f'{table}.parquet')}')")
    except duckdb.Error as exc:
        con.close()
        raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc
    return con


def _pairs(con: duckdb.DuckDBPyConnection, accounts: tuple[tuple[str, str], ...] | list[Any]) -> None:
    con.execute("create or replace temp table mine (app varchar, account_id varchar)")
    if accounts:
        con.executemany("insert into mine values (?, ?)", [list(pair) for pair in accounts])


def _rows(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> list[Row]:
    found = con.execute(sql, dict(values))
    names = [column[0] for column in found.description or ()]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True) if value is not None}
        for row in found.fetchall()
    ]


def _plain(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
