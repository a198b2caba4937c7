"""The ledger: each account in one bucket, each leaver with one outcome in each application."""

from collections.abc import Iterator

import duckdb
import pytest

from scanner import ledger
from scanner.errors import StoreError
from scanner.store.audit import SQL

LEFT = "2026-03-01 23:00:00"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return an audit schema at 31 March with one leaver of 1 March and one application."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        con.execute("insert into settings (as_of) values ('2026-03-31')")
        con.execute("insert into applications (app) values ('crm')")
        con.execute(f"insert into workers (worker_id, status, terminated_at) values ('w1', 'terminated', '{LEFT}')")
        yield con


def account(con: duckdb.DuckDBPyConnection, is_active: bool | None, **values: object) -> None:
    """Add the leaver's account."""
    row = {"app": "crm", "account_id": "1", "worker_id": "w1", "match_confidence": "certain", **values}
    row["is_active"] = is_active
    con.execute(f"insert into accounts ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))


def version(
    con: duckdb.DuckDBPyConnection, is_active: bool, first: str, last: str, ended: str | None, by: str | None = None
) -> None:
    """Add a version of the leaver's account."""
    con.execute(
        "insert into account_history values ('crm', '1', ?, 'w1', ?, ?, ?, ?)",
        [is_active, first, last, ended, by or ("changed" if ended else None)],
    )


def outcome(con: duckdb.DuckDBPyConnection) -> str:
    """Return the one outcome, after the sums were checked."""
    counted = ledger.read(con).leavers
    assert counted["total"] == 1
    return next(name for name, count in counted.items() if count)


def test_an_active_account_is_open_and_within_the_time_allowed_not_due(con: duckdb.DuckDBPyConnection) -> None:
    """The deadline is the end of work plus the hours allowed."""
    account(con, is_active=True)
    assert outcome(con) == "open"

    con.execute("update settings set as_of = timestamp '2026-03-02 12:00:00'")
    assert outcome(con) == "not_due"


def test_an_exact_deactivation_decides(con: duckdb.DuckDBPyConnection) -> None:
    """Where the application says when, nothing is guessed."""
    account(con, is_active=False, deactivated_at="2026-03-02 10:00:00")
    assert outcome(con) == "closed_in_time"

    con.execute("update accounts set deactivated_at = timestamp '2026-03-05'")
    assert outcome(con) == "closed_late"


@pytest.mark.parametrize(
    ("last_active", "first_inactive", "expected"),
    [
        ("2026-03-01", "2026-03-02", "closed_in_time"),
        ("2026-03-10", "2026-03-11", "closed_late"),
        ("2026-03-01", "2026-03-11", "cannot_tell"),
    ],
)
def test_an_interval_between_two_scans_decides_only_if_it_does_not_straddle_the_deadline(
    con: duckdb.DuckDBPyConnection, last_active: str, first_inactive: str, expected: str
) -> None:
    """Last seen active and first seen inactive bound the time."""
    account(con, is_active=False)
    version(con, True, "2026-01-01", last_active, first_inactive)
    version(con, False, first_inactive, "2026-03-31", None)

    assert outcome(con) == expected


def test_a_later_change_of_name_does_not_move_the_deactivation(con: duckdb.DuckDBPyConnection) -> None:
    """The stretch of inactive versions counts, not the newest of them."""
    account(con, is_active=False)
    version(con, True, "2026-01-01", "2026-03-01", "2026-03-02")
    version(con, False, "2026-03-02", "2026-03-19", "2026-03-20")
    version(con, False, "2026-03-20", "2026-03-31", None)

    assert outcome(con) == "closed_in_time"


def test_a_reactivated_account_that_is_closed_again_counts_from_the_second_closing(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The first closing does not excuse what was open afterwards."""
    account(con, is_active=False)
    version(con, True, "2026-01-01", "2026-03-01", "2026-03-02")
    version(con, False, "2026-03-02", "2026-03-09", "2026-03-10")
    version(con, True, "2026-03-10", "2026-03-19", "2026-03-20")
    version(con, False, "2026-03-20", "2026-03-31", None)

    assert outcome(con) == "closed_late"


def test_a_deleted_account_is_closed_when_the_list_no_longer_shows_it(con: duckdb.DuckDBPyConnection) -> None:
    """Absence from a complete list is a closing with a time."""
    version(con, True, "2026-01-01", "2026-03-01", "2026-03-02", "absent")
    assert outcome(con) == "closed_in_time"

    con.execute("update account_history set last_seen_at = timestamp '2026-03-20', ended_at = timestamp '2026-03-21'")
    assert outcome(con) == "closed_late"


def test_no_account_is_said_only_of_a_complete_list_that_shows_all(con: duckdb.DuckDBPyConnection) -> None:
    """A partial list, or one that shows some accounts only, proves no absence."""
    assert outcome(con) == "no_account"

    con.execute("update applications set coverage = 'provisioned_only'")
    assert outcome(con) == "cannot_tell"
    con.execute("update applications set coverage = 'all', verdict = 'short'")
    assert outcome(con) == "cannot_tell"
    con.execute("update applications set verdict = null, type = 'none'")
    assert outcome(con) == "cannot_tell"


def test_an_ambiguous_account_that_could_be_the_leavers_leaves_the_outcome_open_to_doubt(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Namesakes do not count; contradicting keys do."""
    con.execute("insert into match_candidates values ('crm', '9', 'w1', 'name')")
    assert outcome(con) == "no_account"

    con.execute("insert into match_candidates values ('crm', '9', 'w1', 'email')")
    assert outcome(con) == "cannot_tell"


def test_the_worst_of_several_accounts_wins(con: duckdb.DuckDBPyConnection) -> None:
    """One closed account does not hide an open one."""
    account(con, is_active=False, deactivated_at="2026-03-01 10:00:00")
    account(con, is_active=True, account_id="2")

    assert outcome(con) == "open"


def test_sums_that_do_not_add_up_are_refused(con: duckdb.DuckDBPyConnection) -> None:
    """An account that is counted twice stops the ledger."""
    account(con, is_active=True)
    account(con, is_active=True)

    with pytest.raises(StoreError, match="does not add up"):
        ledger.read(con)


def test_each_account_falls_into_the_first_bucket_that_applies(con: duckdb.DuckDBPyConnection) -> None:
    """A register entry does not hide a leaver, and without a complete roster nobody is called unmatched."""
    account(con, is_active=True, kind="service")
    account(con, is_active=False, account_id="2")
    account(con, is_active=True, account_id="3", worker_id=None, match_confidence="none", kind="unknown")
    account(con, is_active=True, account_id="4", worker_id=None, match_confidence="none", kind="shared")
    found = {name: count for name, count in ledger.read(con).accounts.items() if count}
    assert found == {"matched_leaver": 1, "inactive": 1, "unmatched": 1, "shared": 1, "total": 4}

    con.execute("update settings set roster_complete = false")
    assert ledger.read(con).accounts["undetermined"] == 1
