"""The demo's SCIM servers: real, guarded and filled over the protocol."""

import sys

import httpx
import pytest

from scanner.demo.seed import seed
from scanner.demo.servers import ACTIVITY, require_extra, resource_id, serve
from scanner.errors import ConfigError, SourceError

DOCUMENT = {
    "users": [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ACTIVITY],
            "userName": f"user{number}@acme.example",
            "active": number % 2 == 0,
            "roles": [{"value": "FI_ADMIN"}],
            ACTIVITY: {"lastSignIn": "2026-11-01T10:00:00Z"},
        }
        for number in range(3)
    ],
    "groups": [{"displayName": "Staff", "members": ["user0@acme.example", "user2@acme.example"]}],
}


@pytest.fixture(scope="module")
def server():
    """Run a seeded server."""
    with serve("crm", "right-token") as running:
        assert seed(running, DOCUMENT) == (3, 1)
        yield running


def ask(server, path, token="right-token"):
    """Return the answer to a GET request."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(server.base_url + path, headers=headers, trust_env=False)


@pytest.mark.parametrize("token", ["", "wrong-token"])
def test_a_token_is_demanded(server, token):
    """Without the right token nothing is told."""
    assert ask(server, "/Users", token).status_code == 401


def test_seeded_users_come_back(server):
    """Users have the seeded values, the extension's too, and ids that are the same in every run."""
    users = {user["userName"]: user for user in ask(server, "/Users").json()["Resources"]}

    assert set(users) == {user["userName"] for user in DOCUMENT["users"]}
    assert users["user1@acme.example"]["active"] is False
    assert users["user1@acme.example"][ACTIVITY] == {"lastSignIn": "2026-11-01T10:00:00Z"}
    assert users["user1@acme.example"]["id"] == resource_id("crm", "user1@acme.example")


def test_seeded_members_are_users(server):
    """A group's members are the ids of its users."""
    [group] = ask(server, "/Groups").json()["Resources"]

    assert [member["value"] for member in group["members"]] == [
        resource_id("crm", "user0@acme.example"),
        resource_id("crm", "user2@acme.example"),
    ]


def test_a_server_can_page_by_cursor():
    """With `by_cursor` the list comes in pages that name the next one."""
    with serve("ehr", "right-token", by_cursor=True) as running:
        seed(running, DOCUMENT)
        first = ask(running, "/Users?cursor&count=2").json()
        second = ask(running, f"/Users?cursor={first['nextCursor']}&count=2").json()

    assert (len(first["Resources"]), len(second["Resources"])) == (2, 1)
    assert "nextCursor" not in second


def test_a_refused_seed_is_told(server):
    """Seeding the same users twice fails with the reason."""
    with pytest.raises(SourceError, match="uniqueness"):
        seed(server, DOCUMENT)


def test_a_server_ends_with_its_context():
    """After the context nothing listens any more."""
    with serve("crm", "t") as running:
        pass

    with pytest.raises(httpx.ConnectError):
        ask(running, "/Users", "t")


def test_missing_extra_names_the_remedy(monkeypatch):
    """Without the extra, the error says what to install."""
    monkeypatch.setitem(sys.modules, "scim2_server.testserver.application", None)

    with pytest.raises(ConfigError, match=r"pip install 'orphanscan\[demo\]'"):
        require_extra()
