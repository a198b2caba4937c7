"""Accounts from databases: a real PostgreSQL server, and SQLite files."""

import json
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from contract import CANARY
from postgresql import connect
from rig_databases import ROWS, SETTINGS, fill, postgresql, server, sqlite

from scanner.connections import DatabaseSettings
from scanner.model import Collected, Verdict

PROFILE = DatabaseSettings(profile="postgresql_roles")


def held(collected: Collected, account: str) -> dict[str, set[tuple[str, str]]]:
    """Return what an account holds: kind -> (value, direct or indirect)."""
    users = {one["id"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}
    return {
        kind: {(one["value"], one.get("type") or "direct") for one in users[account][kind] or []}
        for kind in ("groups", "roles", "entitlements")
    }


@pytest.fixture(scope="module")
def roles() -> None:
    """Make a nest of roles: ann is in clerks, clerks are in owners, owners are superusers."""
    with connect(server()) as con:
        for statement in (
            *("create role owners superuser", "create role clerks", "create role ann login", "create role bob login"),
            *("grant owners to clerks", "grant clerks to ann", "alter role bob createrole"),
        ):
            con.execute(statement)


@pytest.mark.usefixtures("roles")
def test_roles_of_the_server_are_accounts_groups_and_attributes(tmp_path: Path) -> None:
    """Who may log in, what it is a member of over any number of steps, and which of it is power."""
    collected = postgresql(tmp_path, PROFILE)
    source = collected.source

    assert source.verdict is Verdict.COMPLETE, source.detail
    assert (source.stated, source.collected) == (4, 4)  # admin, reader, ann, bob
    assert held(collected, "ann")["groups"] == {("clerks", "direct"), ("owners", "indirect")}
    assert held(collected, "bob")["entitlements"] == {("createrole", "direct")}
    entries = [json.loads(line) for line in collected.files["entitlements"].read_text().splitlines()]
    privileged = {one["entitlement"] for one in entries if one["is_privileged"]}
    assert {"entitlement:superuser", "entitlement:createrole", "group:owners"} <= privileged
    assert not {"entitlement:createdb", "group:clerks"} & privileged


def test_a_statement_that_writes_is_refused_by_the_server(tmp_path: Path) -> None:
    """Also inside of a select: the transaction can only read."""
    fill(ROWS)
    with connect(server()) as con:
        con.execute(
            "create or replace function sneak() returns text language sql as"
            " $$ insert into users values ('x', 'x', 'x') returning 'x' $$"
        )
        con.execute("grant insert on users to reader")
    sneaky = replace(SETTINGS, accounts="select id as account_id, name as username, sneak() as status from users")

    source = postgresql(tmp_path, sneaky).source

    assert source.verdict is Verdict.FAILED
    assert "read-only transaction" in source.detail
    with connect(server()) as con:
        assert con.execute("select count(*) from users").fetchone() == (3,)


def test_a_policy_that_hides_rows_is_an_error(tmp_path: Path) -> None:
    """Rows that are trimmed in silence would read as accounts that do not exist."""
    fill(ROWS)
    with connect(server()) as con:
        con.execute("alter table users enable row level security")
        con.execute("create policy some_rows on users for select to reader using (id = '007')")

    source = postgresql(tmp_path).source

    assert source.verdict is Verdict.FAILED
    assert "row-level security" in source.detail


def test_a_slow_statement_is_ended_by_the_server(tmp_path: Path) -> None:
    """It does not hold up the scan, and the sentence says what happened."""
    fill(ROWS)
    slow = replace(SETTINGS, count="select 3 from pg_sleep(60)", statement_seconds=1)

    source = postgresql(tmp_path, slow).source

    assert source.verdict is Verdict.FAILED
    assert "statement timeout" in source.detail


def test_count_and_rows_see_one_snapshot(tmp_path: Path) -> None:
    """What others commit meanwhile changes neither."""
    fill(ROWS)

    def commit(*_: object) -> None:
        with connect(server()) as con:
            con.execute("insert into users values (gen_random_uuid()::text, 'late', 'Active')")

    import scanner.collectors.database as module

    counted = module._count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_count", lambda *words: (counted(*words), commit())[0])
        source = postgresql(tmp_path).source

    assert (source.verdict, source.stated, source.collected) == (Verdict.COMPLETE, 3, 3), source.detail


def test_a_wrong_password_is_one_sentence_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the right one nor the wrong one is repeated."""
    server()
    monkeypatch.setenv("CONTRACT_DB", "wr0ng-" + CANARY)

    source = postgresql(tmp_path).source

    assert source.verdict is Verdict.FAILED
    assert "password authentication failed" in source.detail
    assert "wr0ng" not in source.detail


def test_over_a_network_the_server_has_to_prove_itself(tmp_path: Path) -> None:
    """A server without TLS gets no password, unless the configuration allows that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    away = replace(SETTINGS, url=f"postgresql://{address}:{server()}/postgres")

    refused = postgresql(tmp_path, away).source
    allowed = postgresql(tmp_path, away, allow_http=True).source

    assert "server does not support SSL" in refused.detail
    assert "pg_hba.conf" in allowed.detail


def test_numbers_dates_and_lists_of_a_driver_are_text(tmp_path: Path) -> None:
    """Ids keep their digits, instants are UTC, an array is several grants."""
    odd = DatabaseSettings(
        accounts="select 9007199254740993 as account_id, true as status, timestamp '2026-01-01 10:00' as created_at,"
        " timestamptz '2026-01-01 10:00+02' as last_sign_in_at, array['a', 'b'] as role, null::text as email"
    )
    collected = postgresql(tmp_path, odd, time_zone="Asia/Tokyo")

    (user,) = map(json.loads, collected.files["users"].read_text().splitlines())
    assert (user["id"], user["active"]) == ("9007199254740993", True)
    assert (user["created_at"], user["last_sign_in_at"]) == ("2026-01-01T01:00:00Z", "2026-01-01T08:00:00Z")
    assert [one["value"] for one in user["roles"]] == ["a", "b"]


def test_a_count_that_is_too_low_is_not_believed(tmp_path: Path) -> None:
    """More accounts than the database counts: nobody can tell which is right."""
    source = sqlite(tmp_path, ROWS, count="select 2").source

    assert source.verdict is Verdict.UNKNOWN
    assert "counts 2 accounts but lists 3" in source.detail


def test_a_sqlite_file_is_opened_for_reading_only(tmp_path: Path) -> None:
    """Nothing is written, not even beside it; a file that is none is one sentence."""
    first = sqlite(tmp_path, ROWS).source
    before = (tmp_path / "erp.db").read_bytes()
    again = sqlite(tmp_path, None).source

    assert first.sha256 == again.sha256
    assert (tmp_path / "erp.db").read_bytes() == before
    (tmp_path / "erp.db").write_bytes(b"no database" * 100)
    assert "not a database" in sqlite(tmp_path, None).source.detail
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "erp.db").execute("select 1 from users")
