"""From an audit file to what the reports say."""

import duckdb
import pytest

from scanner import record
from scanner.store.audit import SQL


@pytest.mark.parametrize(
    ("emails", "owner", "found"),
    [
        (["jane@acme.example"], " Jane@Acme.example", "w0"),
        (["jane@acme.example", "JANE@acme.example"], "jane@acme.example", None),
        (["jane@acme.example"], "team@acme.example", None),
        ([""], "", None),
    ],
)
def test_owner_is_the_one_person_with_that_address(emails: list[str], owner: str, found: str | None) -> None:
    """An address that two people share, or nobody has, names no owner; nothing is never an address."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        con.execute(
            "insert into audit.applications (app, name, owner, data, type) values ('crm', 'CRM', ?, [], 'scim')",
            [owner],
        )
        for n, email in enumerate(emails):
            con.execute("insert into audit.workers (worker_id, email) values (?, ?)", [f"w{n}", email])
        con.execute("insert into audit.accounts (app, account_id, is_active) values ('crm', '1', true)")

        (fact,) = record.applications(con)

    assert fact.owner_worker_id == found
    assert (fact.accounts, fact.active_accounts) == (1, 1)
