"""The misbehaving proxy misbehaves as it says, and no other way."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.demo.proxy import PAGE, misbehave, spoil
from scanner.demo.seed import seed
from scanner.demo.servers import serve

USERS = [
    {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"u{number:03d}", "active": True}
    for number in range(110)
]
WITHHELD = ["u007", "u050"]


@pytest.fixture(scope="module")
def upstream():
    """Run a well-behaved server of 110 users."""
    with serve("wiki", "t") as server:
        seed(server, {"users": USERS, "groups": [{"displayName": "All", "members": ["u001"]}]})
        yield server


@pytest.fixture
def proxy(upstream):
    """Put a fresh proxy before it."""
    with misbehave(upstream, WITHHELD) as server:
        yield server


def ask(server, path, token="t"):
    """Return the answer to a GET request."""
    return httpx.get(server.base_url + path, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_a_patient_walk_gets_all_rows_but_not_all_people(proxy):
    """As many rows as stated come, in short pages, after throttling and a reset; two people are missing."""
    rows, throttled, resets, pages, start = [], [], 0, 0, 1
    while len(rows) < 110:
        try:
            answer = ask(proxy, f"/Users?startIndex={start}&count=100")
        except httpx.HTTPError:
            resets += 1
            continue
        if answer.status_code == 429:
            throttled.append(answer.headers["Retry-After"])
            continue
        page = answer.json()
        assert page["totalResults"] == 110
        assert len(page["Resources"]) == page["itemsPerPage"] <= PAGE
        rows += [user["userName"] for user in page["Resources"]]
        start += len(page["Resources"])
        pages += 1

    assert throttled == ["0"]
    assert resets == 1
    assert pages == 3
    assert len(rows) == 110
    assert set(rows) == {user["userName"] for user in USERS} - set(WITHHELD)


def test_the_page_after_the_last_is_empty(proxy):
    """A walk that goes on beyond the end is told so."""
    assert ask(proxy, "/Users?startIndex=111&count=100").json()["Resources"] == []


def test_credentials_are_the_clients_own(proxy):
    """The proxy adds no right of its own."""
    assert ask(proxy, "/Users", token="wrong").status_code == 401


def test_everything_else_passes(proxy):
    """Groups and the description of the service are left alone."""
    assert ask(proxy, "/Groups").json()["totalResults"] == 1
    assert ask(proxy, "/ServiceProviderConfig").status_code == 200


@given(st.integers(1, 300), st.data())
def test_the_number_of_rows_stays_while_people_are_withheld(total, data):
    """Whatever is withheld, as many rows are repeated, and nobody else is lost."""
    rows = [{"userName": f"u{number}"} for number in range(total)]
    withheld = data.draw(st.sets(st.sampled_from([row["userName"] for row in rows]), max_size=max(total // 2, 0)))

    spoiled = spoil(rows, withheld)

    assert len(spoiled) == total
    assert {row["userName"] for row in spoiled} == {row["userName"] for row in rows} - withheld
