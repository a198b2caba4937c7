"""Loads what CSV inputs and identity providers say of accounts and people, by the ids that this scan knows them by."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from scanner.model import Collected
from scanner.policy import INPUTS, Policies
from scanner.policy.feeds import SOURCE, columns

_HERE = Path(__file__).parent
PROVIDED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "idp_assignments": ("provider_assignments", ("app", "account", "name", "assigned_at")),
    "sign_ins": ("sign_ins", ("app", "account", "signed_in_at", "interactive")),
    "mfa": ("mfa", ("app", "account", "mfa")),
}
"""Input that a source may supply -> what loads it, and the keys of its rows."""


def load(
    con: duckdb.DuckDBPyConnection, policies: Policies, as_of: datetime, collected: Sequence[Collected] = ()
) -> None:
    """Fill the tables of the CSV inputs, and policy_inputs with every input and the rows that name nobody known.

    What sources say comes after what the files say. Runs after the match, in a session whose time zone is UTC. Rows
    later than `as_of` are left out.
    """
    provided = [
        (item.source.id, name, item.files[name]) for item in collected for name in PROVIDED if name in item.files
    ]
    if policies.feeds or provided:
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
    for provider, name, path in provided:
        _provide(con, provider, name, path, as_of)


def _provide(con: duckdb.DuckDBPyConnection, provider: str, name: str, path: Path, as_of: datetime) -> None:
    """Load what a source says, and count it in policy_inputs."""
    script, keys = PROVIDED[name]
    listed = ", ".join(f"'{key}': 'varchar'" for key in keys)
    con.execute(
        f"create or replace temp table told as select $provider::varchar as provider, {', '.join(keys)} from"
        f" read_json($file, format = 'newline_delimited', records = true, auto_detect = false, columns = {{{listed}}})",
        {"file": os.fspath(path), "provider": provider},
    )
    entries = con.execute("select count(*) from told").fetchone()
    told = {"name": name, "entries": entries[0] if entries else 0, "unmatched": _load_told(con, script, as_of)}
    if con.execute("select 1 from policy_inputs where name = $name", {"name": name}).fetchone():
        con.execute(
            "update policy_inputs set entries = entries + $entries, unmatched = coalesce(unmatched, 0) + $unmatched"
            " where name = $name",
            told,
        )
        return
    with path.open("rb") as file:
        told["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    con.execute(
        "insert into policy_inputs by name select $name as name, $sha256 as sha256, $entries as entries,"
        " false as needs_approval, $unmatched as unmatched",
        told,
    )


def _load(con: duckdb.DuckDBPyConnection, name: str, path: Path, as_of: datetime) -> int:
    """Return how many rows name no known account or person."""
    item = INPUTS[name]
    names = columns(path)
    told = ", ".join(
        f"""{f"nullif(trim({f.name}), '')" if f.name in names else "null::varchar"} as {f.name}""" for f in item.fields
    )
    con.execute(
        f"create or replace temp table told as select null::varchar as provider, {told} from {SOURCE}",
        {"file": str(path), "columns": dict.fromkeys(names, "varchar")},
    )
    return _load_told(con, name, as_of)


def _load_told(con: duckdb.DuckDBPyConnection, script: str, as_of: datetime) -> int:
    """Run the script over the rows in `told`; return how many name no known account or person."""
    for statement in con.extract_statements((_HERE / f"{script}.sql").read_text()):
        con.execute(statement, {"as_of": as_of.replace(tzinfo=None)} if "as_of" in statement.named_parameters else {})
    row = con.execute("select count(*) from unmatched").fetchone()
    con.execute("drop table told")
    con.execute("drop table unmatched")
    return int(row[0]) if row else 0
