from datetime import datetime
from pathlib import Path
from typing import Any

from load_world import World, loaded, rows, values

from scanner.config import Application

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ACME = "urn:acme:1.0:User"


def _users(folder: Path, users: list[Any], column: str, attributes: dict[str, str] | None = None) -> dict[str, Any]:
    """Load users of one application; returns account id -> column."""
    app = Application("crm", "CRM", "scim", attributes=attributes or {})
    with loaded(folder, World(users={"crm": users}, applications=(app,))) as con:
        return values(con, "n_accounts", "account_id", column)


def test_plain_user_is_taken_over_whole(tmp_path: Path) -> None:
    """Every standard attribute lands in its column; what was not said is null."""
    user = {
        "id": "u1",
        "externalId": "E-1",
        "userName": " Ada@Acme.example ",
        "displayName": "Ada Blum",
        "active": True,
        "userType": "Employee",
        "title": "Nurse",
        "emails": [{"value": "ada@acme.example", "type": "work", "primary": True}],
        "meta": {"created": "2025-01-02T03:04:05Z", "lastModified": "2026-01-02T03:04:05+01:00", "version": 'W/"1"'},
        ENTERPRISE: {"employeeNumber": "0042", "department": " Ward 7", "manager": {"value": "u9"}},
    }
    with loaded(tmp_path, World(users={"crm": [user, {"id": "u2"}]})) as con:
        assert con.execute("select * from n_accounts order by account_no").fetchall() == [
            (
                *(1, "crm", "u1", " Ada@Acme.example ", "ada@acme.example", [], "Ada Blum", "E-1", "0042"),
                *(
                    "Ward 7",
                    "Nurse",
                    "u9",
                    True,
                    "Employee",
                    None,
                    None,
                    datetime(2025, 1, 2, 3, 4, 5),
                    None,
                    None,
                    None,
                ),
                *(datetime(2026, 1, 2, 2, 4, 5), None, 'W/"1"', None),
            ),
            (2, "crm", "u2", None, None, [], *[None] * 18),
        ]


def test_active_in_every_spelling(tmp_path: Path) -> None:
    """Any spelling of a boolean is read, anything else is unknown."""
    cases: list[tuple[Any, bool | None]] = [
        (True, True),
        (False, False),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        (" false ", False),
        (1, True),
        (0, False),
        ("0", False),
        (None, None),
        ("", None),
        ("perhaps", None),
        ([], None),
        ({"value": True}, None),
    ]
    users = [{"id": f"{at:02d}", "active": sent} for at, (sent, _) in enumerate(cases)]
    found = _users(tmp_path, users, "is_active")
    assert list(zip((sent for sent, _ in cases), found.values(), strict=True)) == cases


def test_emails_in_every_shape(tmp_path: Path) -> None:
    """Primary first, then type work, then the first one; the rest are other addresses."""
    cases: list[tuple[Any, str | None, list[str]]] = [
        (None, None, []),
        ([], None, []),
        ([{"value": "a@x.example"}], "a@x.example", []),
        (["a@x.example", "b@x.example"], "a@x.example", ["b@x.example"]),
        ("a@x.example", "a@x.example", []),
        ({"value": " a@x.example ", "type": "work"}, "a@x.example", []),
        ('[{"value": "a@x.example"}]', "a@x.example", []),
        ([{"Value": "a@x.example", "Primary": True}], "a@x.example", []),
        ([{"value": "h@x.example"}, {"value": "w@x.example", "type": "Work"}], "w@x.example", ["h@x.example"]),
        (
            [
                {"value": "w@x.example", "type": "work"},
                {"value": "p@x.example", "primary": "True"},
                {"value": "q@x.example", "primary": True},
            ],
            "p@x.example",
            ["q@x.example", "w@x.example"],
        ),
        ([{"value": "A@x.example"}, {"value": "a@X.example"}, {"value": ""}, {}, None], "A@x.example", []),
        ([{"value": "a@x.example"}, "b@x.example"], "a@x.example", ["b@x.example"]),
        ([{"type": "work"}, "not an address"], None, []),
        (7, None, []),
    ]
    users = [{"id": f"{at:02d}", "emails": sent} for at, (sent, _, _) in enumerate(cases)]
    with loaded(tmp_path, World(users={"crm": users})) as con:
        found = rows(con, "n_accounts", "email", "other_emails", by="account_id")
    assert [(sent, *told) for (sent, _, _), told in zip(cases, found, strict=True)] == cases


def test_display_name_falls_back(tmp_path: Path) -> None:
    """The first name that says something is shown, unchanged."""
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({"displayName": "Ada"}, "Ada"),
        ({"displayName": "N/A", "name": {"formatted": "Ada Blum"}}, "Ada Blum"),
        ({"name": {"givenName": "Ada", "familyName": "Blum"}}, "Ada Blum"),
        ({"name": {"givenName": "N/A", "familyName": "N/A"}}, None),
        ({"name.formatted": "Ada Blum"}, "Ada Blum"),
        ({"name": "Ada Blum"}, "Ada Blum"),
        ({"name": ["Ada"]}, None),
        ({"name": {"formatted": "محمد بن علي"}}, "محمد بن علي"),
        ({"displayName": "José é 李小龙 Мария"}, "José é 李小龙 Мария"),
    ]
    users = [{"id": f"{at:02d}", **user} for at, (user, _) in enumerate(cases)]
    found = _users(tmp_path, users, "display_name")
    assert list(zip((user for user, _ in cases), found.values(), strict=True)) == cases


def test_employee_number_keeps_zeros_in_any_spelling(tmp_path: Path) -> None:
    """The enterprise extension is found in any letter case, nested or flattened; a number is taken as written."""
    users: dict[str, list[Any]] = {
        "nested": [{"id": "1", ENTERPRISE: {"employeeNumber": "007"}}, {"id": "2", ENTERPRISE: {"employeeNumber": 42}}],
        "case": [{"id": "1", ENTERPRISE.lower(): {"EMPLOYEENUMBER": "007"}}],
        "flat": [{"id": "1", f"{ENTERPRISE}:employeeNumber": "007"}],
        "dotted": [{"id": "1", f"{ENTERPRISE}.employeeNumber": "007"}],
    }
    with loaded(tmp_path, World(users=users)) as con:
        assert rows(con, "n_accounts", "app", "employee_number") == [
            ("case", "007"),
            ("dotted", "007"),
            ("flat", "007"),
            ("nested", "007"),
            ("nested", "42"),
        ]


def test_instants(tmp_path: Path) -> None:
    """Every spelling becomes UTC; sentinels, nonsense and the future (a day of clock skew apart) are unknown."""
    cases: list[tuple[Any, datetime | None]] = [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10)),
        ("2026-03-01T10:00:00.1234567Z", datetime(2026, 3, 1, 10, 0, 0, 123456)),
        ("2026-03-01T10:00:00.5+02:00", datetime(2026, 3, 1, 8, 0, 0, 500000)),
        ("2026-03-01T10:00:00-0530", datetime(2026, 3, 1, 15, 30)),
        ("2026-03-01 10:00:00 +02:00", datetime(2026, 3, 1, 8)),
        ("2026-03-01t10:00:00z", datetime(2026, 3, 1, 10)),
        ("2026-03-01T10:00:00+02:00[Europe/Berlin]", datetime(2026, 3, 1, 8)),
        ("2026-03-01T10:00:00", datetime(2026, 3, 1, 10)),
        ("2026-03-01", datetime(2026, 3, 1)),
        (1772359200000, datetime(2026, 3, 1, 10)),
        ("1772359200", datetime(2026, 3, 1, 10)),
        ("N/A", None),
        ("", None),
        (None, None),
        (0, None),
        ("never", None),
        ("infinity", None),
        ("0001-01-01T00:00:00Z", None),
        ("1601-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("2026-13-45T00:00:00Z", None),
        ("2026-04-01T21:00:00Z", datetime(2026, 4, 1, 21)),
        ("2026-04-02T00:00:00Z", None),
        (["2026-03-01"], None),
    ]
    users = [{"id": f"{at:02d}", "lastLogin": sent} for at, (sent, _) in enumerate(cases)]
    found = _users(tmp_path, users, "last_sign_in_at", {"last_sign_in_at": "lastLogin"})
    assert list(zip((sent for sent, _ in cases), found.values(), strict=True)) == cases


def test_mapped_attributes_are_found(tmp_path: Path) -> None:
    """A mapped path is followed as the server spells it; quotes in it are only characters."""
    cases: list[tuple[str, dict[str, Any]]] = [
        ("lastLogin", {"lastLogin": "2026-03-01T10:00:00Z"}),
        ("lastLogin", {"LASTLOGIN": "2026-03-01T10:00:00Z"}),
        ("activity.lastLogin", {"activity": {"lastLogin": "2026-03-01T10:00:00Z"}}),
        ("activity.lastLogin", {"activity.lastLogin": "2026-03-01T10:00:00Z"}),
        (f"{ACME}:lastLogin", {ACME: {"lastLogin": "2026-03-01T10:00:00Z"}}),
        (f"{ACME}:activity.lastLogin", {ACME.upper(): {"Activity": {"lastlogin": "2026-03-01T10:00:00Z"}}}),
        ("meta.created", {"meta": {"created": "2026-03-01T10:00:00Z"}}),
        ("urn:ietf:params:scim:schemas:core:2.0:User:meta.created", {"meta": {"created": "2026-03-01T10:00:00Z"}}),
        ("odd\"key.with'quote", {'odd"key': {"with'quote": "2026-03-01T10:00:00Z"}}),
        ("userName", {"userName": "2026-03-01T10:00:00Z"}),
    ]
    applications = tuple(
        Application(f"app{at:02d}", "App", "scim", attributes={"last_sign_in_at": path})
        for at, (path, _) in enumerate(cases)
    )
    users = {app.id: [{"id": "1", **user}] for app, (_, user) in zip(applications, cases, strict=True)}
    with loaded(tmp_path, World(users=users, applications=applications)) as con:
        found = values(con, "n_accounts", "app", "last_sign_in_at")
    assert found == {app.id: datetime(2026, 3, 1, 10) for app in applications}


def test_mapped_kind_mfa_owner_and_dates(tmp_path: Path) -> None:
    """Each mapped field has its vocabulary; a value outside of it is unknown."""
    users = [
        {"id": "1", "userType": "Break-Glass", ACME: {"mfa": "enabled", "owner": "ada@acme.example"}},
        {"id": "2", "userType": "Employee", ACME: {"mfa": False, "off": "2026-01-01T00:00:00Z"}},
        {"id": "3", ACME: {"mfa": "sometimes"}},
    ]
    app = Application(
        "crm",
        "CRM",
        "scim",
        attributes={
            "kind": "userType",
            "mfa": f"{ACME}:mfa",
            "owner": f"{ACME}:owner",
            "deactivated_at": f"{ACME}:off",
        },
    )
    with loaded(tmp_path, World(users={"crm": users}, applications=(app,))) as con:
        found = rows(con, "n_accounts", "user_type", "declared_kind", "mfa", "owner", "deactivated_at", by="account_no")
    assert found == [
        ("Break-Glass", "break_glass", True, "ada@acme.example", None),
        ("Employee", None, False, None, datetime(2026, 1, 1)),
        (None, None, None, None, None),
    ]


def test_ids_are_text_and_case_sensitive(tmp_path: Path) -> None:
    """Numbers become text, letter case and odd characters stay."""
    users = [{"id": 5}, {"id": "a+b&c/d"}, {"id": "A"}, {"id": "a"}]
    assert list(_users(tmp_path, users, "app")) == ["5", "A", "a", "a+b&c/d"]


def test_same_id_twice_keeps_the_last_row(tmp_path: Path) -> None:
    """Two rows of one user are one account, the later row counts, and the duplicate is noted."""
    users = [
        {"id": "1", "userName": "ada", "active": True},
        {"id": "2", "userName": "bo"},
        {"id": "1", "userName": "ADA ", "active": False},
    ]
    with loaded(tmp_path, World(users={"crm": users})) as con:
        assert values(con, "n_accounts", "account_id", "is_active") == {"1": False, "2": None}
        assert rows(con, "n_notes", "source_id", "note", "n") == [("crm", "duplicate users", 1)]
        assert rows(con, "n_rejects", "*") == []


def test_one_id_for_two_users_is_rejected(tmp_path: Path) -> None:
    """Where one id names two users, neither can be trusted."""
    users = [{"id": "1", "userName": "ada"}, {"id": "2", "userName": "bo"}, {"id": "1", "userName": "eve"}]
    with loaded(tmp_path, World(users={"crm": users, "erp": [{"id": "1", "userName": "cy"}]})) as con:
        assert rows(con, "n_accounts", "app", "account_id") == [("crm", "2"), ("erp", "1")]
        assert rows(con, "n_rejects", "source_id", "kind", "line", "reason") == [
            ("crm", "users", 3, "one id, two users")
        ]


def test_users_without_id_are_rejected(tmp_path: Path) -> None:
    """A row without id cannot be an account; its place in the list is told."""
    with loaded(tmp_path, World(users={"crm": [{"id": "1"}, {"userName": "x"}, {"id": " "}, {"id": None}]})) as con:
        assert rows(con, "n_accounts", "account_id") == [("1",)]
        assert rows(con, "n_rejects", "line", "reason") == [(line, "the user has no id") for line in (2, 3, 4)]
