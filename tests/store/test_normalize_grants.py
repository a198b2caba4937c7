from pathlib import Path
from typing import Any

from load_world import World, loaded, rows


def _grants(folder: Path, users: list[Any], groups: list[Any]) -> list[tuple[Any, ...]]:
    with loaded(folder, World(users={"crm": users}, groups={"crm": groups})) as con:
        return rows(con, "n_grants", "account_id", "entitlement", "path", "source_side")


def test_roles_in_every_shape(tmp_path: Path) -> None:
    """Objects, texts, one bare value and JSON within a text all become direct grants."""
    cases: list[tuple[Any, list[tuple[str, str]]]] = [
        (None, []),
        ([], []),
        ([{"value": "admin", "display": "Administrator"}], [("role:admin", "Administrator")]),
        ([{"value": "a"}, {"value": "b", "display": ""}], [("role:a", "a"), ("role:b", "b")]),
        (["admin", "user", "admin"], [("role:admin", "admin"), ("role:user", "user")]),
        ("admin", [("role:admin", "admin")]),
        ({"value": "admin"}, [("role:admin", "admin")]),
        ([{"display": "Administrator"}], [("role:Administrator", "Administrator")]),
        ([{"value": "a"}, "b", 7, None, True], [("role:7", "7"), ("role:a", "a"), ("role:b", "b")]),
        ('["a", {"value": "b"}]', [("role:a", "a"), ("role:b", "b")]),
        (['{"id": "1", "value": "Admin", "displayName": "The admin"}'], [("role:Admin", "The admin")]),
        ([{"value": '{"id": "1", "value": "Admin"}'}], [("role:Admin", "Admin")]),
        ([{"value": "{not json"}], [("role:{not json", "{not json")]),
        ([{"type": "seat"}], [("role:seat", "seat")]),
        ([["nested"]], []),
        ({}, []),
    ]
    users = {f"app{at:02d}": [{"id": "1", "roles": roles}] for at, (roles, _) in enumerate(cases)}
    with loaded(tmp_path, World(users=users)) as con:
        for app, (roles, expected) in zip(users, cases, strict=True):
            table = f"(select * from n_entitlements where app = '{app}')"
            assert rows(con, table, "entitlement", "name") == expected, roles
            table = f"(select * from n_grants where app = '{app}')"
            assert rows(con, table, "entitlement", "path", "source_side") == [
                (entitlement, "direct", "user") for entitlement, _ in expected
            ], roles


def test_entitlements_and_roles_stay_apart(tmp_path: Path) -> None:
    """A role and an entitlement of the same value are two things."""
    user = {"id": "1", "roles": ["admin"], "entitlements": [{"value": "admin", "display": "Admin licence"}]}
    with loaded(tmp_path, World(users={"crm": [user]})) as con:
        assert rows(con, "n_entitlements", "*") == [
            ("crm", "entitlement:admin", "Admin licence", "entitlement"),
            ("crm", "role:admin", "admin", "role"),
        ]


def test_membership_told_by_user_group_or_both(tmp_path: Path) -> None:
    """The side that told a membership is kept; told twice, it is one grant."""
    users = [
        {"id": "1", "groups": [{"value": "g1", "display": "Other name"}]},
        {"id": "2"},
        {"id": "3", "groups": [{"value": "g1"}, {"value": "g9", "display": "Nine"}, "g8"]},
    ]
    groups = [{"id": "g1", "displayName": "One", "members": [{"value": "1"}, {"value": "2"}]}, {"id": "g2"}]
    with loaded(tmp_path, World(users={"crm": users}, groups={"crm": groups})) as con:
        assert rows(con, "n_grants", "account_id", "entitlement", "path", "source_side") == [
            ("1", "group:g1", "direct", "both"),
            ("2", "group:g1", "direct", "group"),
            ("3", "group:g1", "direct", "user"),
            ("3", "group:g8", "direct", "user"),
            ("3", "group:g9", "direct", "user"),
        ]
        assert rows(con, "n_entitlements", "entitlement", "name", "kind") == [
            ("group:g1", "One", "group"),
            ("group:g2", None, "group"),
            ("group:g8", None, "group"),
            ("group:g9", "Nine", "group"),
        ]


def test_member_references(tmp_path: Path) -> None:
    """A member may be given as id, path, bare text or user name."""
    members = [
        {"value": "u1"},
        "u1",
        {"value": "u1", "type": "User"},
        {"$ref": "https://crm.example/scim/v2/Users/u1"},
        {"value": "ADA@acme.example"},
        {"value": "ada@acme.example", "type": "user"},
        {"value": "u1", "type": "direct"},
    ]
    users = [{"id": "u1", "userName": "ada@acme.example"}, {"id": "u2", "userName": "bo"}]
    groups = [{"id": f"g{at}", "members": [member]} for at, member in enumerate(members)]
    assert _grants(tmp_path, users, groups) == [
        ("u1", f"group:g{at}", "direct", "group") for at, _ in enumerate(members)
    ]


def test_user_name_of_two_accounts_names_neither(tmp_path: Path) -> None:
    """A member given by a user name that two accounts have is not guessed, but noted."""
    users = [{"id": "1", "userName": "ada"}, {"id": "2", "userName": "Ada"}]
    groups = [{"id": "g", "members": [{"value": "ada"}, {"value": "gone"}]}]
    with loaded(tmp_path, World(users={"crm": users}, groups={"crm": groups})) as con:
        assert rows(con, "n_grants", "*") == []
        assert rows(con, "n_notes", "note", "n") == [("members that name no known account or group", 2)]
        assert rows(con, "n_rejects", "*") == []


def test_same_id_for_a_user_and_a_group(tmp_path: Path) -> None:
    """Where users and groups share ids, the type or the path of a member decides."""
    users = [{"id": 1}, {"id": 2}]
    groups = [
        {"id": 1, "members": [{"value": 2}]},
        {"id": 2, "members": [{"value": 1, "type": "Group"}]},
        {"id": 3, "members": [{"value": 1, "$ref": "../Groups/1"}]},
        {"id": 4, "members": [{"value": 1, "type": "User"}]},
    ]
    assert _grants(tmp_path, users, groups) == [
        ("1", "group:4", "direct", "group"),
        ("2", "group:1", "direct", "group"),
        ("2", "group:2", "nested", "group"),
        ("2", "group:3", "nested", "group"),
    ]


def test_groups_in_groups_with_cycles(tmp_path: Path) -> None:
    """Nesting is followed to any depth, cycles end, and a direct membership beats a nested one."""
    depth = 60
    groups: list[Any] = [
        {"id": f"g{i:02d}", "members": [{"value": f"g{i + 1:02d}", "type": "Group"}]} for i in range(depth)
    ]
    groups.append({"id": f"g{depth}", "members": [{"value": "1"}, {"value": "g00", "type": "Group"}]})
    groups.append({"id": "self", "members": [{"value": "self"}, {"value": "2"}, {"value": "g00"}]})
    groups[0]["members"].append({"value": "1"})
    found = _grants(tmp_path, [{"id": "1"}, {"id": "2"}], groups)
    assert found == sorted(
        [
            ("1", "group:g00", "direct", "group"),
            *(("1", f"group:g{i:02d}", "nested", "group") for i in range(1, depth)),
            ("1", f"group:g{depth}", "direct", "group"),
            ("1", "group:self", "nested", "group"),
            ("2", "group:self", "direct", "group"),
        ]
    )


def test_direct_and_indirect_as_the_user_tells_it(tmp_path: Path) -> None:
    """The user's word on a membership counts; without it, the group knows whether it is nested."""
    users = [
        {"id": "1", "groups": [{"value": "top", "type": "indirect"}, {"value": "low", "type": "direct"}]},
        {"id": "2", "groups": [{"value": "top"}, {"value": "low"}]},
        {"id": "3", "groups": [{"value": "top", "type": "direct"}]},
    ]
    groups = [
        {"id": "top", "members": [{"value": "low", "type": "Group"}]},
        {"id": "low", "members": [{"value": "2"}, {"value": "3"}]},
    ]
    assert _grants(tmp_path, users, groups) == [
        ("1", "group:low", "direct", "user"),
        ("1", "group:top", "nested", "user"),
        ("2", "group:low", "direct", "both"),
        ("2", "group:top", "nested", "both"),
        ("3", "group:low", "direct", "group"),
        ("3", "group:top", "direct", "both"),
    ]


def test_user_that_writes_the_name_of_a_group(tmp_path: Path) -> None:
    """A group given by its unique name or by its path is the group; a name of two groups stays what it is."""
    users = [{"id": "1", "groups": ["one", {"value": "x", "$ref": "https://crm.example/Groups/g2"}, "Twice"]}]
    groups = [
        {"id": "g1", "displayName": "One"},
        {"id": "g2", "displayName": "Two"},
        {"id": "g3", "displayName": "Twice"},
        {"id": "g4", "displayName": "twice"},
    ]
    assert _grants(tmp_path, users, groups) == [
        ("1", "group:Twice", "direct", "user"),
        ("1", "group:g1", "direct", "user"),
        ("1", "group:g2", "direct", "user"),
    ]


def test_group_listed_twice_has_the_members_of_both_rows(tmp_path: Path) -> None:
    """A group in two rows, or without members, or in odd shapes, loses nobody."""
    groups = [
        {"id": "g", "members": [{"value": "1"}]},
        {"id": "g", "members": [{"value": "2"}]},
        {"id": "h", "members": None},
        {"id": "i", "members": {"value": "1"}},
        {"displayName": "no id", "members": ["1"]},
    ]
    with loaded(tmp_path, World(users={"crm": [{"id": "1"}, {"id": "2"}]}, groups={"crm": groups})) as con:
        assert rows(con, "n_grants", "account_id", "entitlement") == [
            ("1", "group:g"),
            ("1", "group:i"),
            ("2", "group:g"),
        ]
        assert rows(con, "n_rejects", "source_id", "kind", "line", "reason") == [
            ("crm", "groups", 5, "the group has no id")
        ]


def test_large_group_is_split_without_loss(tmp_path: Path) -> None:
    """A group whose line is long is read in pieces: every member arrives, the name stays."""
    users = [{"id": f"user-{i:05d}"} for i in range(3000)]
    group = {"displayName": "Älle", "id": "g", "members": [{"value": user["id"]} for user in users]}
    with loaded(tmp_path, World(users={"crm": users}, groups={"crm": [group]})) as con:
        assert con.execute("select count(*), count(distinct account_id) from n_grants").fetchall() == [(3000, 3000)]
        assert rows(con, "n_entitlements", "entitlement", "name") == [("group:g", "Älle")]


def test_applications_do_not_mix(tmp_path: Path) -> None:
    """Equal ids in two applications are different accounts and groups."""
    with loaded(
        tmp_path,
        World(
            users={"crm": [{"id": "1"}], "erp": [{"id": "1"}, {"id": "2"}]},
            groups={"crm": [{"id": "g", "members": ["1", "2"]}], "erp": [{"id": "g", "members": ["2"]}]},
        ),
    ) as con:
        assert rows(con, "n_grants", "app", "account_id") == [("crm", "1"), ("erp", "2")]
