import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_world import World, configured, loaded, rows, staged, values

from scanner.config import Application, Roster
from scanner.errors import StoreError
from scanner.model import Collected, Source, Verdict
from scanner.policy import ApprovedDomain, Link, Policies, PrivilegedEntitlement, RegisterEntry
from scanner.settings import KindPattern, Matching
from scanner.store import load as loading
from scanner.store.load import load

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
AS_OF = datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_settings_are_written_in_the_form_that_sql_compares(tmp_path: Path) -> None:
    """Patterns, domains and words are lower case, instants are UTC, and every known application is there."""
    berlin = timezone(timedelta(hours=2))
    policies = Policies(
        links=(Link("crm", "1", "P1", "boss", datetime(2026, 3, 1, 12, tzinfo=berlin), "seen"),),
        service_register=(RegisterEntry("crm", None, "bot", "service", "P1", None, "sync", None),),
        approved_domains=(ApprovedDomain("Partner.Example", "contract"),),
        privileged_entitlements=(PrivilegedEntitlement("*", "*Admin*"),),
    )
    world = World(
        users={"crm": []},
        applications=(
            Application("crm", "CRM", "scim", external_id="person_id", attributes={"mfa": "mfa"}),
            Application("safe", "Safe", "none", reason="paper"),
        ),
        rosters=(Roster("hr", tmp_path / "hr.csv", statuses={"Auf-Reisen": "on_leave"}),),
    )
    config = replace(
        configured(tmp_path, world),
        matching=Matching(None, {"Old.Example": "Acme.example"}, (KindPattern("SVC-*", "service"),)),
        email_domains=("Acme.Example",),
    )
    with duckdb.connect() as con:
        load(con, [staged(tmp_path, "crm", "application", {"users": world.users})], config, policies, AS_OF)
        assert rows(con, "application_settings", "*") == [
            ("crm", "person_id", "complete", {"mfa": "mfa"}),
            ("safe", None, "unknown", {}),
        ]
        assert rows(con, "roster_settings", "*") == [("hr", "%Y-%m-%d", "UTC", {"auf reisen": "on_leave"}, {})]
        assert rows(con, "kind_patterns", "*") == [("*", "svc-*", "service")]
        assert rows(con, "domain_aliases", "*") == [("old.example", "acme.example")]
        assert rows(con, "links", "*") == [("crm", "1", "P1", "boss", datetime(2026, 3, 1, 10), "seen")]
        assert rows(con, "service_register", "*") == [("crm", None, "bot", "service", "P1", None, "sync", None)]
        assert rows(con, "approved_domains", "*") == [
            ("acme.example", "organization", None),
            ("partner.example", "policy", "contract"),
        ]
        assert rows(con, "privileged_entitlements", "*") == [("*", "*admin*")]


def test_only_staging_tables_are_left_and_the_connection_is_as_before(tmp_path: Path) -> None:
    """No raw or temporary table survives, and neither time zone nor row order of the connection changes."""
    before = "set TimeZone = 'Asia/Tokyo'; set preserve_insertion_order = false"
    with loaded(tmp_path, World(users={"crm": [{"id": "1"}]}, workers={"hr": []}, before=before)) as con:
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        assert tables == {
            *("roster_settings", "application_settings", "kind_patterns", "domain_aliases", "links"),
            *("service_register", "approved_domains", "privileged_entitlements", "role_allowances"),
            *("catalogue", "duty_functions", "duty_conflicts", "retentions", "legal_holds"),
            *("n_sign_ins", "n_mfa", "n_assignments", "n_approvals", "n_reviews"),
            *("n_rejects", "n_notes", "n_employments", "n_workers", "n_accounts", "n_entitlements", "n_grants"),
            *("m_shared_keys", "m_matches", "m_candidates"),
        }
        assert con.execute(
            "select current_setting('TimeZone'), current_setting('preserve_insertion_order')"
        ).fetchall() == [("Asia/Tokyo", False)]


def test_session_time_zone_does_not_matter(tmp_path: Path) -> None:
    """Instants come out the same whatever zone the connection has."""
    users = [{"id": "1", "meta": {"created": "2026-03-01T10:00:00", "lastModified": "2026-03-01T10:00:00+01:00"}}]
    world = World(
        users={"crm": users},
        workers={"hr": [{"line": 2, "employee_number": "1", "hire_date": "2020-01-01"}]},
        before="set TimeZone = 'America/New_York'",
    )
    with loaded(tmp_path, world) as con:
        assert rows(con, "n_accounts", "created_at", "last_modified_at") == [
            (datetime(2026, 3, 1, 10), datetime(2026, 3, 1, 9))
        ]
        assert rows(con, "n_workers", "hired_at") == [(datetime(2020, 1, 1),)]


def test_empty_and_failed_sources(tmp_path: Path) -> None:
    """Empty files and sources without files give empty tables, not errors."""
    world = World(users={"crm": []}, groups={"crm": []}, workers={"hr": []})
    config = configured(tmp_path, world)
    collected = [
        staged(tmp_path, "crm", "application", {"users": world.users, "groups": world.groups}),
        staged(tmp_path, "hr", "roster", {"workers": world.workers}),
        Collected(Source(id="gone", kind="application", type="scim", verdict=Verdict.FAILED)),
    ]
    with duckdb.connect() as con:
        load(con, collected, config, Policies(), AS_OF)
        for table in ("n_accounts", "n_workers", "n_grants", "n_rejects"):
            assert con.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_damaged_lines_cost_only_themselves(tmp_path: Path) -> None:
    """Where DuckDB refuses a file, that file is read line by line; what is no JSON object is rejected."""
    users: list[Any] = [
        {"id": "1", "userName": "ok"},
        b'{"id": "2", "userName": "half \\ud800 pair"}',
        b'{"id": "3", "userName": "bad \xff byte"}',
        b'{"id": "4", "userName": ',
        b"[1, 2]",
        b'"text"',
        b"",
        b'{"id": "5", "id": "6", "userName": "twice"}',
        b'{"id": "7", "active": NaN, "userName": "nan"}',
        b'{"id": 1' + b"0" * 5000 + b', "userName": "long"}',
        b'{"id": "8", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": "9", "userName": "nul\\u0000"}',
        {"id": "last", "userName": "ok"},
    ]
    with loaded(tmp_path, World(users={"crm": users, "erp": [{"id": "e1"}]})) as con:
        found = values(con, "n_accounts", "account_id[:9]", "username")
        assert rows(con, "n_rejects", "source_id", "kind", "line", "reason") == [
            ("crm", "users", 4, "the line is not valid JSON"),
            ("crm", "users", 5, "the line is not a JSON object"),
            ("crm", "users", 6, "the line is not a JSON object"),
            ("crm", "users", 11, "the line is not valid JSON"),
        ]
    assert found == {
        "1": "ok",
        "100000000": "long",
        "2": "half � pair",
        "3": "bad � byte",
        "6": "twice",
        "7": "nan",
        "9": "nul\0",
        "e1": None,
        "last": "ok",
    }
    assert not list(tmp_path.rglob("*.clean"))
    assert not list(tmp_path.rglob("*.short"))


def test_damaged_groups_and_workers(tmp_path: Path) -> None:
    """Groups and workers take the same patient path, long group lines included."""
    members = [{"value": str(number)} for number in range(400)] + [{"value": "x", "display": "\ud800"}]
    world = World(
        users={"crm": [{"id": "7"}]},
        groups={"crm": [{"id": "g", "displayName": "\udc00", "members": members}, b"nonsense"]},
        workers={"hr": [{"line": 2, "employee_number": "1", "full_name": "A\ud800"}, b"{"]},
    )
    with loaded(tmp_path, world) as con:
        assert rows(con, "n_grants", "account_id", "entitlement") == [("7", "group:g")]
        assert rows(con, "n_entitlements", "name") == [("\ufffd",)]
        assert rows(con, "n_workers", "full_name") == [("A\ufffd",)]
        assert [(source, kind) for source, kind in rows(con, "n_rejects", "source_id", "kind")] == [
            ("crm", "groups"),
            ("hr", "workers"),
        ]


def test_unreadable_file_is_a_store_error(tmp_path: Path) -> None:
    """A staged file that is gone ends with a StoreError, not a traceback of the engine."""
    config = configured(tmp_path, World(users={"crm": []}))
    gone = Collected(
        Source(id="crm", kind="application", type="scim", verdict=Verdict.COMPLETE), {"users": tmp_path / "no.ndjson"}
    )
    with duckdb.connect() as con, pytest.raises(StoreError):
        load(con, [gone], config, Policies(), AS_OF)


def test_tiny_memory_limit_is_a_store_error(tmp_path: Path) -> None:
    """Too small a memory limit is told as such."""
    users = [{"id": str(number), "userName": "x" * 2000} for number in range(20_000)]
    world = World(users={"crm": users}, options={"memory_limit": "8MB", "max_temp_directory_size": "1MB"})
    with pytest.raises(StoreError, match="memory"), loaded(tmp_path, world):
        pass


def test_users_of_the_usual_shape_load_alike_beside_odd_ones(tmp_path: Path) -> None:
    """The quick way for the shapes of RFC 7643 and the patient way for everything else give the same accounts."""
    usual: list[dict[str, Any]] = [
        {"id": "a"},
        {"id": "b", "emails": [], "groups": None, "name": {"givenName": "Ada", "familyName": "Blum"}},
        {"id": "c", "emails": [{"value": "c@x", "primary": True}, {"value": "d@x"}], "roles": [{"value": 7}]},
        {"id": "d", "groups": [{"value": "g1", "display": "One", "type": "direct"}], "meta": {"version": "1"}},
        {"id": "e", "entitlements": [{"value": "~\u00e9"}], "active": False, ENTERPRISE: {"employeeNumber": 42}},
    ]
    odd = [
        {"id": "z", "emails": "z@x"},
        {"id": "z", "roles": ["admin"]},
        {"id": "z", "roles": [{"value": ""}]},
        {"id": "z", "groups": [{"value": '{"value": "g1"}'}]},
        {"id": "z", "entitlements": [None]},
        {"id": "z", "name": "Zoe"},
        {"id": "z", "meta": []},
    ]
    told = "account_id <> 'z'"
    tables = {
        "n_accounts": told,
        "n_grants": told,
        "n_entitlements": f"entitlement in (select entitlement from n_grants where {told})",
    }

    def read(users: list[dict[str, Any]], folder: Path) -> list[list[tuple[Any, ...]]]:
        folder.mkdir()
        with loaded(folder, World(users={"crm": users})) as con:
            return [
                con.execute(f"select * from {table} where {condition} order by all").fetchall()
                for table, condition in tables.items()
            ]

    expected = read(usual, tmp_path / "usual")
    assert [len(rows) for rows in expected] == [5, 3, 3]
    for number, row in enumerate(odd):
        assert read([*usual, row], tmp_path / str(number)) == expected


def test_what_needs_more_memory_gets_all_that_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading begins in little memory; a statement for which that does not suffice is repeated in all of it."""
    monkeypatch.setattr(loading, "_LEAST_BYTES", 4_000_000)
    users = [{"id": f"u{n}", "userName": f"user{n}@acme.example", "displayName": "x" * 200} for n in range(5000)]
    options = {"memory_limit": "200MB", "max_temp_directory_size": "1MB"}
    with loaded(tmp_path, World(users={"crm": users}, options=options)) as con:
        assert con.execute("select count(*) from n_accounts").fetchall() == [(5000,)]
        assert con.execute("select current_setting('memory_limit') > '190'").fetchall() == [(True,)]


def test_twenty_thousand_users_within_256_mb(tmp_path: Path) -> None:
    """20,000 users of 1.7 KB and 100,000 memberships fit into a limit of 256 MB."""
    users = [_large_user(number) for number in range(20_000)]
    groups = [
        {"id": f"g{one}", "displayName": f"Group {one}", "members": [{"value": user["id"]} for user in users[one::20]]}
        for one in range(20)
    ]
    world = World(
        users={"crm": users},
        groups={"crm": groups},
        database=str(tmp_path / "work.duckdb"),
        options={"memory_limit": "256MB", "temp_directory": str(tmp_path / "spill"), "threads": "2"},
    )
    with loaded(tmp_path, world) as con:
        assert con.execute(
            "select count(*), count(distinct email), count(employee_number) from n_accounts"
        ).fetchone() == (
            20_000,
            20_000,
            20_000,
        )
        assert con.execute(
            "select count(*), count(*) filter (where source_side = 'both') from n_grants"
        ).fetchone() == (
            120_000,
            20_000,
        )


def _large_user(number: int) -> dict[str, Any]:
    mail = f"user{number}@acme.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "userName": mail,
        "name": {"givenName": "User", "familyName": str(number)},
        "active": number % 7 != 0,
        "emails": [{"value": mail, "type": "work", "primary": True}],
        "roles": [{"value": "member"}],
        "groups": [{"value": f"g{(number + step) % 20}", "type": "direct"} for step in range(0, 20, 4)],
        "addresses": [{"formatted": "x" * 1100}],
        "meta": {"created": "2020-01-01T00:00:00Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": f"{number:07d}"},
    }


_NAMES = st.sampled_from(["Ada Blum", "Bo Čapek", "李 小龙", "Мария Иванова", "محمد", ""])
_DATES = st.sampled_from([None, "2015-01-01", "2020-06-30", "2026-03-31", "2027-01-01"])
_PEOPLE = st.fixed_dictionaries(
    {
        "employee_number": st.sampled_from(["1", "2", "02", "30", None]),
        "person_id": st.sampled_from([None, "P1", "P2"]),
        "full_name": _NAMES,
        "email": st.sampled_from([None, "a@acme.example", "B@acme.example", "b@acme.example"]),
        "status": st.sampled_from([None, "active", "leave", "left", "future"]),
        "hire_date": _DATES,
        "termination_date": _DATES,
        "department": st.sampled_from([None, "Sales", "Legal"]),
        "manager": st.sampled_from([None, "P1", "2", "a@acme.example"]),
    }
)
_USERS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "userName": st.sampled_from(["ada", "ADA", "bo", "李", None]),
        "emails": st.sampled_from([None, ["a@acme.example"], [{"value": "b@acme.example"}, "c@acme.example"]]),
        "active": st.sampled_from([True, "False", None]),
        "groups": st.sampled_from([None, ["g1"], [{"value": "g2", "type": "indirect"}]]),
    }
)
_TABLES = {
    "n_accounts": "*",
    "n_workers": "*",
    "n_grants": "*",
    "n_entitlements": "*",
    "n_employments": "* exclude (line)",
    "n_rejects": "* exclude (line)",
    "n_notes": "*",
}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(_PEOPLE, max_size=8),
    users=st.lists(_USERS, max_size=6, unique_by=lambda user: user["id"]),
    seed=st.integers(0, 2**16),
)
def test_order_of_lines_never_matters(
    tmp_path: Path, people: list[dict[str, Any]], users: list[dict[str, Any]], seed: int
) -> None:
    """Shuffled rosters and lists give the same people, accounts, grants and numbers."""
    groups = [
        {"id": "g1", "displayName": "One", "members": ["ada", {"value": "g2"}, *(user["id"] for user in users[:2])]},
        {"id": "g2", "displayName": "Two", "members": [{"value": "g1"}, *(user["id"] for user in users[2:])]},
    ]

    def read(order: random.Random | None) -> dict[str, Any]:
        lists = [[dict(row) for row in one] for one in (people, users, groups)]
        for one in lists if order else ():
            order.shuffle(one) if order else None
        staff = [{**row, "line": line} for line, row in enumerate(lists[0], 2)]
        world = World(users={"crm": lists[1]}, groups={"crm": lists[2]}, workers={"hr": staff})
        with loaded(tmp_path, world) as con:
            return {table: rows(con, table, columns) for table, columns in _TABLES.items()}

    straight = read(None)
    assert read(random.Random(seed)) == straight, json.dumps([people, users])
