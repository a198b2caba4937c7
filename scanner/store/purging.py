"""Removes rows of the past from the store: into a new file, as a database keeps the blocks of deleted rows."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import duckdb

from scanner.errors import StoreError
from scanner.store import state as stored

_Done = TypeVar("_Done")
_WORKERS = """
    select worker_id
    from worker_versions
    where lower(worker_id) in (select unnest($held::varchar[]))
        or lower(email) in (select unnest($held::varchar[]))
        or list_has_any(list_transform(employee_numbers, lambda n: lower(n)), $held::varchar[])
"""
_ENDED = {
    "worker_versions": f"v.worker_id not in ({_WORKERS})",
    "account_versions": f"(v.worker_id is null or v.worker_id not in ({_WORKERS}))",
    "grant_versions": f"""(v.app, v.account_id) not in (
        select (app, account_id) from account_versions where worker_id in ({_WORKERS})
    )""",
    "finding_versions": f"""v.finding_no not in (
        select finding_no from findings
        where worker_id in ({_WORKERS})
            or (app, account_id) in (select (app, account_id) from account_versions where worker_id in ({_WORKERS}))
    )""",
}
"""Table of versions -> which of its rows no legal hold keeps."""


def ended(state: Path, before: str, held: Sequence[str]) -> dict[str, int]:
    """Return table -> how many versions ended in or before a scan."""
    with stored.open_store(state / stored.STORE) as con:
        return {table: _count(con, table, before, held) for table in _ENDED}


def purge(state: Path, before: str, held: Sequence[str]) -> None:
    """Remove the versions that ended in or before a scan, in one atomic step; the state folder must be locked."""

    def act(con: duckdb.DuckDBPyConnection) -> None:
        for table in reversed(_ENDED):  # findings before the accounts by which they are held
            con.execute(f"delete from {table} as v where {_where(table)}", _values(before, held))
        con.execute("delete from findings where finding_no not in (select finding_no from finding_versions)")

    rewritten(state, "purge", act)


def rewritten(state: Path, what: str, act: Callable[[duckdb.DuckDBPyConnection], _Done]) -> _Done:
    """Let `act` change a copy of the store, which then takes its place, written anew; returns what `act` returned."""
    staging = stored.new_staging(state, f"{what}-{secrets.token_hex(4)}")
    try:
        old, new = staging / stored.STORE, staging / "new.duckdb"
        with duckdb.connect(str(old)) as con:
            done = act(con)
            con.execute(f"attach '{str(new).replace(chr(39), chr(39) * 2)}' as fresh")
            row = con.execute("select current_database()").fetchone()
            con.execute(f'copy from database "{row[0] if row else "store"}" to fresh')
        new.replace(old)
        stored.replace_store(state, staging)
    except duckdb.Error as exc:
        raise StoreError(f"cannot {what} in the store: {str(exc).splitlines()[0]}; it is as it was") from exc
    finally:
        stored.discard(staging)
    return done


def _count(con: duckdb.DuckDBPyConnection, table: str, before: str, held: Sequence[str]) -> int:
    row = con.execute(f"select count(*) from {table} v where {_where(table)}", _values(before, held)).fetchone()
    return int(row[0]) if row else 0


def _where(table: str) -> str:
    return f"v.valid_to_scan <= (select scan_no from scans where scan_id = $before) and {_ENDED[table]}"


def _values(before: str, held: Sequence[str]) -> dict[str, object]:
    return {"before": before, "held": [who.strip().lower() for who in held]}
