"""Loads the CSV inputs: what a file says of accounts and people, by the ids that this scan knows them by."""

from datetime import datetime
from pathlib import Path

import duckdb

from scanner.policy import INPUTS, Policies
from scanner.policy.feeds import SOURCE, columns

_HERE = Path(__file__).parent


def load(con: duckdb.DuckDBPyConnection, policies: Policies, as_of: datetime) -> None:
    """Fill the tables of the CSV inputs, and policy_inputs with every input and the rows that name nobody known.

    Runs after the match, in a session whose time zone is UTC. Rows later than `as_of` are left out.
    """
    if policies.feeds:
        con.execute((_HERE / "keys.sql").read_text())
    unmatched = {name: _load(con, name, path, as_of) for name, path in policies.feeds}
    con.execute(
        "create temp table policy_inputs (name varchar, sha256 varchar, entries bigint, approved_by varchar,"
        " approved_at timestamp, needs_approval boolean, unmatched bigint)"
    )
    for item in policies.inputs:
        con.execute(
            "insert into policy_inputs values (?, ?, ?, ?, ?, ?, ?)",
            [
                item.name,
                item.sha256,
                item.entries,
                item.approved_by,
                item.approved_at.replace(tzinfo=None) if item.approved_at else None,
                item.needs_approval,
                unmatched.get(item.name),
            ],
        )


def _load(con: duckdb.DuckDBPyConnection, name: str, path: Path, as_of: datetime) -> int:
    """Return how many rows name no known account or person."""
    item = INPUTS[name]
    names = columns(path)
    told = ", ".join(
        f"""{f"nullif(trim({f.name}), '')" if f.name in names else "null::varchar"} as {f.name}""" for f in item.fields
    )
    con.execute(
        f"create or replace temp table told as select {told} from {SOURCE}",
        {"file": str(path), "columns": dict.fromkeys(names, "varchar")},
    )
    for statement in con.extract_statements((_HERE / f"{name}.sql").read_text()):
        con.execute(statement, {"as_of": as_of.replace(tzinfo=None)} if "as_of" in statement.named_parameters else {})
    row = con.execute("select count(*) from unmatched").fetchone()
    con.execute("drop table told")
    con.execute("drop table unmatched")
    return int(row[0]) if row else 0
