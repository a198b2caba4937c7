"""Reads from a scan's evidence what decisions about its findings rest on; set-based."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import StoreError
from scanner.remediation.model import Account

SQL = Path(__file__).with_name("facts.sql")
_TABLES = ("accounts", "workers", "grants", "entitlements", "settings", "policy_inputs", "applications")
_LISTS = ("worker_keys", "rights")
_ACCOUNT = tuple(item.name for item in fields(Account) if item.name not in ("version", *_LISTS))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the evidence says about some accounts and their applications."""

    accounts: Mapping[tuple[str, str], Account]
    grants: Mapping[tuple[str, str], Mapping[str, tuple[str, bool | None]]]
    """(app, account id) -> entitlement -> path, and whether it is privileged."""
    names: Mapping[tuple[str, str], str]
    """(app, entitlement) -> what people call it, of the rights in `grants`."""
    administrators: Mapping[str, Mapping[str, str]]
    """app -> account id -> one privileged entitlement that it holds; active accounts of people only."""
    administrators_known: bool
    """Whether the policy says which entitlements make an administrator."""
    roster_complete: bool
    totals: Mapping[str, int]
    """app -> accounts that are not inactive."""
    verdicts: Mapping[str, str | None]
    """app -> completeness verdict; None: not collected."""
    alone_in: Mapping[tuple[str, str], int]
    """(app, account id) -> groups of which it is the only active member."""
    owned: Mapping[str, int]
    """worker id -> machine accounts that the person answers for."""
    at_provider: Mapping[str, tuple[tuple[str, str], ...]]
    """worker id -> (app, account id) of the person in the identity provider."""


def read(audit: Path, wanted: Collection[tuple[str, str]]) -> Facts:
    """Return the facts about the wanted (app, account id); StoreError if the evidence cannot be read."""
    with duckdb.connect() as con:
        try:
            con.execute("set TimeZone = 'UTC'")
            for table in _TABLES:
                name = str(audit / f"{table}.parquet").replace("'", "''")
                con.execute(f"create view {table} as select * from read_parquet('{name}')")
            rows = [{"app": app, "account_id": account_id} for app, account_id in wanted]
            con.execute(
                "create temp table wanted as select distinct * from (select unnest(from_json($rows,"
                ' \'[{"app":"varchar","account_id":"varchar"}]\'), recursive := true))',
                {"rows": json.dumps(rows)},
            )
            con.execute(SQL.read_text())
            return _facts(con)
        except duckdb.Error as exc:
            raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc


def workers(audit: Path, names: Collection[str]) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """Return person id, status and keys of everybody who is known by each name: a person id, number or e-mail."""
    with duckdb.connect() as con:
        try:
            rows = con.execute(
                """
                with people as (
                    select
                        worker_id,
                        status,
                        list_filter(
                            list_concat(coalesce(employee_numbers, []), [email], coalesce(other_emails, [])),
                            lambda k: k is not null
                        ) as keys
                    from read_parquet($file)
                )
                select n.name, p.worker_id, p.status, p.keys
                from (select unnest($names::varchar[]) as name) n
                join people p
                    on lower(trim(n.name)) = lower(p.worker_id)
                    or list_contains(list_transform(p.keys, lambda k: lower(trim(k))), lower(trim(n.name)))
                order by all
                """,
                {"file": str(audit / "workers.parquet"), "names": list(names)},
            ).fetchall()
        except duckdb.Error as exc:
            raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc
    found: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {name: [] for name in names}
    for name, worker_id, status, keys in rows:
        found[name].append((worker_id, status, tuple(keys)))
    return found


def account_of(row: Mapping[str, Any]) -> Account:
    """Return a row of facts.sql or reread.sql as an account."""
    return Account(**{**row, **{name: tuple(row[name] or ()) for name in _LISTS}})


def _facts(con: duckdb.DuckDBPyConnection) -> Facts:
    accounts = {}
    for row in con.execute(f"select {', '.join((*_ACCOUNT, *_LISTS))} from facts").fetchall():
        account = account_of(dict(zip((*_ACCOUNT, *_LISTS), row, strict=True)))
        accounts[account.app, account.account_id] = account
    grants: dict[tuple[str, str], dict[str, tuple[str, bool | None]]] = {}
    names: dict[tuple[str, str], str] = {}
    held = con.execute("select app, account_id, entitlement, path, is_privileged, name from held").fetchall()
    for app, account_id, entitlement, path, is_privileged, name in held:
        grants.setdefault((app, account_id), {})[entitlement] = (path, is_privileged)
        names[app, entitlement] = name or entitlement
    administrators: dict[str, dict[str, str]] = {}
    for app, account_id, entitlement in con.execute("select * from administrators order by all").fetchall():
        administrators.setdefault(app, {})[account_id] = entitlement
    at_provider: dict[str, tuple[tuple[str, str], ...]] = {}
    for worker_id, app, account_id in con.execute("select * from at_provider order by all").fetchall():
        at_provider[worker_id] = (*at_provider.get(worker_id, ()), (app, account_id))
    known = con.execute("select count(*) > 0 from policy_inputs where name = 'privileged_entitlements'").fetchone()
    complete = con.execute("select bool_and(roster_complete) from settings").fetchone()
    return Facts(
        accounts=accounts,
        grants=grants,
        names=names,
        administrators=administrators,
        administrators_known=bool(known and known[0]),
        roster_complete=bool(complete and complete[0]),
        totals=dict(con.execute("select * from totals").fetchall()),
        verdicts=dict(con.execute("select app, verdict from applications").fetchall()),
        alone_in={(app, one): n for app, one, n in con.execute("select * from alone_in").fetchall()},
        owned=dict(con.execute("select * from owned").fetchall()),
        at_provider=at_provider,
    )
