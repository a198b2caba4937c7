"""A handful of people and accounts in staging tables, matched, and read back by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb

from scanner.store.match import SQL, match

Row = Mapping[str, object]


class Matched(NamedTuple):
    """The row of one account in m_matches."""

    worker: str | None
    method: str
    confidence: str
    kind: str


@dataclass(frozen=True, slots=True)
class World:
    """The inputs of one match. Accounts lie in application `crm` unless they say otherwise."""

    workers: Sequence[Row] = ()
    accounts: Sequence[Row] = ()
    links: Sequence[tuple[str, str]] = ()
    """(account id or user name, worker)"""
    settings: Mapping[str, str] = field(default_factory=dict)
    """app -> what its externalId is"""
    aliases: Mapping[str, str] = field(default_factory=dict)
    patterns: Sequence[tuple[str, str, str]] = ()
    register: Sequence[tuple[str | None, str | None, str]] = ()
    """(account id, user name, kind)"""
    approved: Sequence[tuple[str, str]] = ()
    """(domain, source)"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the match left, by account id."""

    matches: Mapping[str, Matched]
    candidates: Mapping[str, frozenset[tuple[str, str]]]
    shared: frozenset[tuple[str, str, int]]
    rows: int
    leftovers: frozenset[str]


def run(world: World) -> Outcome:
    """Match a world in a database of its own."""
    with duckdb.connect(config={"threads": "1"}) as con:
        con.execute(SQL.with_name("staging.sql").read_text())
        _fill(con, world)
        before = _temporary(con)
        match(con)
        return _read(con, before)


def _fill(con: duckdb.DuckDBPyConnection, world: World) -> None:
    for number, worker in enumerate(world.workers):
        row = {"worker_no": number, "status": "active", **worker}
        row.setdefault("worker_id", row.get("full_name"))
        _insert(con, "n_workers", row)
    for number, account in enumerate(world.accounts):
        row = {"account_no": number, "app": "crm", **account}
        row.setdefault("account_id", f"a{number}")
        _insert(con, "n_accounts", row)
    apps = {str(account.get("app", "crm")) for account in world.accounts} | set(world.settings)
    for app in sorted(apps):
        _insert(
            con, "application_settings", {"app": app, "external_id": world.settings.get(app), "verdict": "complete"}
        )
    for account_id, worker_key in world.links:
        _insert(con, "links", {"app": "crm", "account_id": account_id, "worker": worker_key})
    for alias, domain in world.aliases.items():
        _insert(con, "domain_aliases", {"alias": alias, "domain": domain})
    for app, pattern, kind in world.patterns:
        _insert(con, "kind_patterns", {"app": app, "pattern": pattern, "kind": kind})
    for registered_id, username, kind in world.register:
        _insert(
            con, "service_register", {"app": "crm", "account_id": registered_id, "username": username, "kind": kind}
        )
    for domain, source in world.approved:
        _insert(con, "approved_domains", {"domain": domain, "source": source})


def _insert(con: duckdb.DuckDBPyConnection, table: str, row: Row) -> None:
    columns = ", ".join(row)
    marks = ", ".join(f"${name}" for name in row)
    con.execute(f"insert into {table} ({columns}) values ({marks})", dict(row))


def _temporary(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where temporary"
        " union all select view_name from duckdb_views() where temporary and not internal"
        " union all select function_name from duckdb_functions() where database_name = 'temp' and not internal"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _read(con: duckdb.DuckDBPyConnection, before: frozenset[str]) -> Outcome:
    matches = con.execute(
        "select a.account_id, w.worker_id, m.match_method, m.match_confidence, m.kind"
        " from m_matches m join n_accounts a using (account_no) left join n_workers w using (worker_no)"
        " order by a.account_no"
    ).fetchall()
    candidates = con.execute(
        "select a.account_id, w.worker_id, c.method"
        " from m_candidates c join n_accounts a using (account_no) join n_workers w using (worker_no)"
    ).fetchall()
    by_account: dict[str, set[tuple[str, str]]] = {}
    for account_id, worker_id, method in candidates:
        by_account.setdefault(account_id, set()).add((worker_id, method))
    return Outcome(
        matches={row[0]: Matched(*row[1:]) for row in matches},
        candidates={account_id: frozenset(found) for account_id, found in by_account.items()},
        shared=frozenset(con.execute("select key_kind, key, workers from m_shared_keys").fetchall()),
        rows=len(matches),
        leftovers=_temporary(con) - before,
    )
