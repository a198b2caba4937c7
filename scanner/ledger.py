"""The balance of both directions: every account in one bucket, every leaver with one outcome in every application."""

from collections.abc import Mapping

import duckdb

from scanner.errors import StoreError
from scanner.model import Ledger

ACCOUNT_BUCKETS = (
    "inactive",
    "matched_leaver",
    "ambiguous",
    "break_glass",
    "service",
    "shared",
    "matched_on_leave",
    "matched_pre_hire",
    "matched_vanished",
    "matched_active_worker",
    "external",
    "unmatched",
    "undetermined",
)
LEAVER_OUTCOMES = ("closed_in_time", "closed_late", "open", "not_due", "no_account", "cannot_tell")

CLOSURES = ("within_1d", "within_7d", "within_30d", "later", "open", "cannot_tell")
"""How long after the end of work an account of a leaver was closed; between two scans the later one counts."""


def read(con: duckdb.DuckDBPyConnection) -> Ledger:
    """Return the ledger of an audit file; StoreError if its sums do not add up, so that they are never printed."""
    ledger = Ledger(
        _sums(con, "account_buckets", "bucket", ACCOUNT_BUCKETS),
        _sums(con, "leaver_outcomes", "outcome", LEAVER_OUTCOMES),
    )
    row = con.execute(
        """
        select
            (select count(*) from audit.accounts),
            (select count(*) from (select distinct app, account_id from audit.accounts)),
            (select count(*) from audit.leavers) * (select count(*) from audit.applications)
        """
    ).fetchone()
    accounts, distinct, pairs = row or (0, 0, 0)
    for what, total, expected in (
        ("accounts", ledger.accounts["total"], accounts),
        ("distinct accounts", accounts, distinct),
        ("leavers x applications", ledger.leavers["total"], pairs),
    ):
        if total != expected:
            raise StoreError(
                f"the ledger does not add up: {total} in the buckets, but {expected} {what}; do not use it"
            )
    return ledger


def accounts_by_app(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Return app -> bucket -> accounts."""
    return _by_app(con, "account_buckets", "bucket")


def leavers_by_app(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Return app -> outcome -> leavers."""
    return _by_app(con, "leaver_outcomes", "outcome")


def closures_by_app(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Return app -> time until closing -> accounts of leavers; every one of them in exactly one class."""
    found: dict[str, dict[str, int]] = {}
    for app, name, count in con.execute(
        """
        select
            app,
            case
                when is_active then 'open'
                when is_active is null or terminated_at is null then 'cannot_tell'
                when closed_by <= terminated_at + to_days(1) then 'within_1d'
                -- Seen closed by the first scan that saw it: it may have been so for long.
                when basis = 'bounded' and closed_after is null then 'cannot_tell'
                when closed_by <= terminated_at + to_days(7) then 'within_7d'
                when closed_by <= terminated_at + to_days(30) then 'within_30d'
                else 'later'
            end,
            count(*)
        from audit.leaver_closures
        group by all
        order by all
        """
    ).fetchall():
        found.setdefault(app, {})[name] = count
    return found


def _sums(con: duckdb.DuckDBPyConnection, view: str, column: str, names: tuple[str, ...]) -> Mapping[str, int]:
    rows = dict(con.execute(f"select {column}, count(*) from audit.{view} group by {column}").fetchall())
    unknown = set(rows) - set(names)
    if unknown:
        raise StoreError(f"the ledger does not add up: unknown bucket {', '.join(map(str, unknown))}")
    sums = {name: rows.get(name, 0) for name in names}
    return {**sums, "total": sum(sums.values())}


def _by_app(con: duckdb.DuckDBPyConnection, view: str, column: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for app, name, count in con.execute(
        f"select app, {column}, count(*) from audit.{view} group by all order by all"
    ).fetchall():
        found.setdefault(app, {})[name] = count
    return found
