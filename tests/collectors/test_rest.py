"""Accounts from REST APIs that the configuration describes, over real requests to loopback."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract import CANARY
from replay import Reply, Request, pages_by_link, refused, replay

from scanner.collectors import http
from scanner.collectors.interface import no_progress
from scanner.collectors.listing import Listing
from scanner.collectors.rest import collect_rest, rows_of
from scanner.collectors.rest_paging import Asker, next_link
from scanner.collectors.rest_source import Lists
from scanner.config import Application, Limits
from scanner.connections import GrantList, RestSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected, Verdict

LIMITS = Limits(page_size=3, max_seconds=20, retries=2, parallel=2)
COLUMNS = {"account_id": "id", "username": "login", "status": "state"}
PAGE = RestSettings(path="/users", items="data", paging="page", size_parameter="per_page", count="total")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REST_TOKEN", CANARY)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)


def people(number: int) -> list[dict[str, Any]]:
    """Return records as a server sends them."""
    return [{"id": n, "login": f"user{n}", "state": "Active" if n % 2 else "Disabled"} for n in range(1, number + 1)]


def application(origin: str, rest: RestSettings = PAGE, **more: Any) -> Application:
    """Return an application at a server."""
    settings: dict[str, Any] = {
        "base_url": origin,
        "auth": Auth("bearer", Secret("env", "REST_TOKEN")),
        "columns": COLUMNS,
        "time_zone": "UTC",
        "limits": LIMITS,
    }
    return Application("crm", "CRM", "rest", rest=rest, **{**settings, **more})


def users(collected: Collected) -> dict[str, dict[str, Any]]:
    """Return the staged users by id."""
    return {one["id"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}


def numbered(rows: list[Any], request: Request, *, total: int | None = None, first: int = 1) -> Reply:
    """Answer by page number."""
    size = int(request.query.get("per_page", 3))
    start = (int(request.query.get("page", first)) - first) * size
    return Reply({"data": rows[start : start + size]} | ({} if total is None else {"total": total}))


def at_offset(rows: list[Any], request: Request) -> Reply:
    """Answer by position."""
    start, size = int(request.query.get("offset", 0)), int(request.query.get("limit", 3))
    return Reply({"data": rows[start : start + size], "total": len(rows)})


def by_cursor(rows: list[Any], request: Request) -> Reply:
    """Answer by a value that has to be sent back, of characters that want escaping."""
    start, size = int(request.query.get("cursor", "c&/=+0")[5:]), int(request.query.get("limit", 3))
    more = {"next": f"c&/=+{start + size}"} if start + size < len(rows) else {"next": ""}
    return Reply({"data": rows[start : start + size], "meta": more})


def by_next(rows: list[Any], request: Request) -> Reply:
    """Answer with the address of the next page, relative to the server."""
    start, size = int(request.query.get("skip", 0)), int(request.query.get("limit", 3))
    more = {"next": f"/users?skip={start + size}&limit={size}"} if start + size < len(rows) else {}
    return Reply({"data": rows[start : start + size], **more})


STYLES: dict[str, tuple[RestSettings, Callable[[list[Any], Request], Reply]]] = {
    "none": (RestSettings(path="/users"), lambda rows, request: Reply(rows)),
    "page": (PAGE, lambda rows, request: numbered(rows, request, total=len(rows))),
    "page_unstated": (replace(PAGE, count=None), numbered),
    "page_from_0": (replace(PAGE, first=0), lambda rows, request: numbered(rows, request, total=len(rows), first=0)),
    "offset": (
        RestSettings(path="/users", items="data", paging="offset", size_parameter="limit", count="total"),
        at_offset,
    ),
    "cursor": (
        RestSettings(path="/users", items="data", paging="cursor", size_parameter="limit", next="meta.next"),
        by_cursor,
    ),
    "next": (RestSettings(path="/users", items="data", paging="next", size_parameter="limit", next="next"), by_next),
    "link": (
        RestSettings(path="/users", paging="link", size_parameter="limit"),
        lambda rows, request: pages_by_link(rows, request, size_parameter="limit", most=3),
    ),
}


def listed(origin: str, rest: RestSettings, folder: Path, limits: Limits = LIMITS) -> tuple[Listing, set[str]]:
    """Read a list, without what comes after it."""
    app = application(origin, rest, limits=limits)
    with http.Session(app) as session:
        api = Lists(app, session, Asker(session, hashlib.sha256()), folder, no_progress)
        ids = {one["id"] for one in api.all(rest, rows_of(app, set()), "users")}
    assert api.main is not None
    return api.main, ids


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("style", sorted(STYLES))
def test_each_way_of_paging_brings_every_account_once(style: str, count: int, tmp_path: Path) -> None:
    """Lists that end within a page, with a page and on several."""
    rest, answer = STYLES[style]
    with replay(lambda request: answer(people(count), request)) as server:
        listing, ids = listed(server.origin, rest, tmp_path)

    assert (listing.verdict, listing.detail) == (Verdict.COMPLETE, "")
    assert ids == {str(n) for n in range(1, count + 1)}


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"none"}))
def test_an_error_half_way_is_never_complete(style: str, tmp_path: Path) -> None:
    """A right that is taken away while the list is read: what came is kept, and the verdict says why."""
    rest, answer = STYLES[style]
    asked: list[Request] = []

    def once(request: Request) -> Reply:
        asked.append(request)
        return refused() if len(asked) == 2 else answer(people(7), request)

    with replay(once) as server:
        listing, ids = listed(server.origin, rest, tmp_path)

    assert listing.verdict is Verdict.FAILED
    assert "answered 403: the credential may not read this" in listing.detail
    assert ids == {"1", "2", "3"}


@pytest.mark.parametrize("style", ["cursor", "next", "link"])
def test_a_list_that_leads_back_to_itself_is_never_complete(style: str, tmp_path: Path) -> None:
    """The second page names itself as the next."""
    rest, answer = STYLES[style]

    def loop(request: Request) -> Reply:
        reply = answer(people(7), request)
        if request.query.keys() & {"cursor", "skip", "after"}:
            again = answer(people(7), replace(request, query={"limit": "3"}))
            rows = reply.body["data"] if isinstance(reply.body, dict) else reply.body
            body = {**again.body, "data": rows} if isinstance(again.body, dict) else rows
            return Reply(body, headers=again.headers)
        return reply

    with replay(loop) as server:
        listing, ids = listed(server.origin, rest, tmp_path)

    assert listing.verdict is Verdict.UNKNOWN
    assert "repeated a cursor" in listing.detail
    assert len(ids) == 6


@pytest.mark.parametrize("style", ["cursor", "next", "link"])
def test_a_next_page_in_another_place_is_not_taken_for_the_end(style: str, tmp_path: Path) -> None:
    """With a wrong path to the cursor, every reading would end after the first page, in the same way each time."""
    rest, answer = STYLES[style]
    wrong = replace(rest, next="paging.after", paging="next" if style == "link" else style, items=rest.items)
    with replay(lambda request: answer(people(7), request)) as server:
        listing, ids = listed(server.origin, wrong, tmp_path)

    assert listing.verdict is Verdict.CAPPED
    assert "says no way to the next" in listing.detail
    assert ids == {"1", "2", "3"}


def test_a_first_page_is_not_taken_for_a_list_without_pages(tmp_path: Path) -> None:
    """A server that pages by itself, where nobody has said how."""
    with replay(lambda request: Reply(people(25))) as server:
        listing, _ = listed(server.origin, RestSettings(path="/users"), tmp_path)

    assert listing.verdict is Verdict.CAPPED
    assert listing.detail == "exactly 25 rows may be a first page, and no way to a next one was seen"


@pytest.mark.parametrize(
    ("rest", "rows", "verdict", "words"),
    [
        (PAGE, lambda request: numbered(people(6), request, total=9), Verdict.SHORT, "states 9 users but lists 6"),
        (PAGE, lambda request: Reply({"data": people(3), "total": 9}), Verdict.SHORT, "repeats them"),
        (replace(PAGE, count=None), lambda request: Reply({"data": people(3)}), Verdict.UNKNOWN, "for ever"),
        (PAGE, lambda request: Reply(b"<html>sign in</html>"), Verdict.FAILED, "a log-in page"),
        (PAGE, lambda request: Reply(b'{"data": [{"id": 1'), Verdict.FAILED, "not JSON, or ends too early"),
        (PAGE, lambda request: Reply({"users": []}), Verdict.FAILED, "holds nothing at data"),
        (PAGE, lambda request: Reply({"data": {"id": 1}}), Verdict.FAILED, "holds no array at data"),
        (
            PAGE,
            lambda request: numbered([*people(2), {"login": "nobody"}, 7], request, total=4),
            Verdict.SHORT,
            "2 rows among the users are no objects or have no id",
        ),
    ],
)
def test_a_list_that_is_not_whole_says_why(
    rest: RestSettings, rows: Callable[[Request], Reply], verdict: Verdict, words: str, tmp_path: Path
) -> None:
    """Totals that are not reached, servers that ignore the page, and answers that are no list."""
    with replay(rows) as server:
        listing, _ = listed(server.origin, rest, tmp_path)

    assert listing.verdict is verdict
    assert words in listing.detail


def test_a_list_that_changes_between_two_readings_is_drift(tmp_path: Path) -> None:
    """No total is stated, and somebody is gone at the second reading."""
    rest, answer = STYLES["link"]
    asked: list[Request] = []

    def shrinking(request: Request) -> Reply:
        asked.append(request)
        return answer(people(4 if len(asked) > 2 else 5), request)

    with replay(shrinking) as server:
        listing, ids = listed(server.origin, rest, tmp_path)

    assert listing.verdict is Verdict.DRIFT
    assert len(ids) == 5


@pytest.mark.parametrize(
    "place", ["https://elsewhere.example/users?after=3", "//elsewhere.example/", "http://[", "ftp://x/"]
)
def test_a_link_to_another_origin_is_not_followed(place: str, tmp_path: Path) -> None:
    """The credential would go with it."""
    rest = STYLES["link"][0]
    with replay(lambda request: Reply(people(3), headers={"Link": f'<{place}>; rel="next"'})) as server:
        listing, _ = listed(server.origin, rest, tmp_path)

    assert listing.verdict is Verdict.FAILED
    assert "link" in listing.detail
    assert len(server.seen) == 1


def test_a_link_with_a_user_name_in_it_is_not_followed(tmp_path: Path) -> None:
    """It would be sent in place of the credential."""
    rest = STYLES["link"][0]

    def link(request: Request) -> Reply:
        there = request.origin.replace("http://", "http://eve:x@")
        return Reply(people(3), headers={"Link": f'<{there}/users?after=3>; rel="next"'})

    with replay(link) as server:
        listing, _ = listed(server.origin, rest, tmp_path)

    assert listing.verdict is Verdict.FAILED
    assert len(server.seen) == 1


def test_a_throttled_list_is_read_to_its_end(tmp_path: Path) -> None:
    """429 with Retry-After in the middle: asked again, nothing is lost."""
    rest, answer = STYLES["link"]
    asked: list[Request] = []

    def throttled(request: Request) -> Reply:
        asked.append(request)
        if len(asked) in (2, 4):
            return Reply({"message": "slow down"}, 429, {"Retry-After": "0"})
        return answer(people(7), request)

    with replay(throttled) as server:
        listing, ids = listed(server.origin, rest, tmp_path)

    assert (listing.verdict, len(ids)) == (Verdict.COMPLETE, 7)


def test_an_expired_cursor_has_the_list_begun_anew(tmp_path: Path) -> None:
    """Once is bad luck; a list whose cursors expire each time is not whole."""
    rest, answer = STYLES["cursor"]
    asked: list[Request] = []

    def expiring(request: Request) -> Reply:
        asked.append(request)
        if "cursor" in request.query and len(asked) in fails:
            return Reply({"error": {"code": "Directory_ExpiredPageToken", "message": "expired"}}, 400)
        return answer(people(7), request)

    with replay(expiring) as server:
        fails: Any = (2,)
        once, ids = listed(server.origin, rest, tmp_path)
        fails = range(10**6)
        always, _ = listed(server.origin, rest, tmp_path)

    assert (once.verdict, len(ids)) == (Verdict.COMPLETE, 7)
    assert always.verdict is Verdict.FAILED
    assert "expired 3 times" in always.detail


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('<https://a.example/x?after=1>; rel="next"', "https://a.example/x?after=1"),
        ('<https://a.example/x>; rel="self", <https://a.example/y>; rel="next"', "https://a.example/y"),
        ('<https://a.example/y,z;1>; title="a, b"; rel=next', "https://a.example/y,z;1"),
        ('</y>; rel="prev next"', "/y"),
        ('<https://a.example/x>; rel="last"', None),
        ('<https://a.example/x>; rel="nextish"', None),
        ("", None),
        ("garbage", None),
    ],
)
def test_the_header_link_is_read_as_rfc_8288_writes_it(header: str, link: str | None) -> None:
    """Several links, several relations in one, parameters with or without quotes."""
    assert next_link(header) == link


NESTED = RestSettings(path="/users", items="data", count="total")


def test_accounts_and_what_they_hold_become_resources(tmp_path: Path) -> None:
    """Fields by dotted paths, roles from a nested list, and the verdict on all of it."""
    rows = [
        {
            "id": 7,
            "login": "ada",
            "state": "Active",
            "mfa": {"on": True},
            "roles": [{"name": "Admins"}, {"name": "AP"}],
        },
        {"id": "u-2", "login": "bo", "state": "weird", "roles": []},
        {"id": 3, "login": "cy", "state": "Disabled"},
    ]
    columns = {**COLUMNS, "mfa": "mfa.on", "role": "roles.name"}
    with replay(lambda request: Reply({"data": rows, "total": 3})) as server:
        collected = collect_rest(application(server.origin, NESTED, columns=columns), tmp_path, no_progress)

    found, source = users(collected), collected.source
    assert source.verdict is Verdict.SHORT
    assert "1 row with a status word that nobody has explained ('weird': name them in statuses" in source.detail
    assert (source.stated, source.collected, source.rejected) == (3, 2, 1)
    assert [one["value"] for one in found["7"]["roles"]] == ["AP", "Admins"]
    assert (found["7"]["mfa"], found["7"]["active"], found["3"]["active"]) == ("true", True, False)
    assert source.query == "GET /users"
    assert (tmp_path / "answers.ndjson").read_text().count("GET /users") == source.pages
    assert sorted(one.name for one in tmp_path.iterdir()) == ["answers.ndjson", "users.ndjson"]


GRANTS: dict[str, tuple[GrantList, Callable[[Request], Reply]]] = {
    "for each account": (
        GrantList("/users/{id}/roles", entitlement="role.id", name="role.name"),
        lambda request: Reply([{"role": {"id": "r1", "name": "Admins"}}] if request.path == "/users/1/roles" else []),
    ),
    "in one list": (
        GrantList("/memberships", items="rows", account="user", entitlement="role", name="label"),
        lambda request: Reply({"rows": [{"user": 1, "role": "r1", "label": "Admins"}]}),
    ),
    "for each entitlement": (
        GrantList("/roles", name="name", members="/roles/{id}/users", account="user.id"),
        lambda request: Reply([{"id": "r1", "name": "Admins"}] if request.path == "/roles" else [{"user": {"id": 1}}]),
    ),
}


@pytest.mark.parametrize("form", sorted(GRANTS))
def test_grants_come_from_further_requests(form: str, tmp_path: Path) -> None:
    """And where one of them is refused, the accounts stand and the source is short."""
    listed, answer = GRANTS[form]
    rest = replace(NESTED, grants=(listed,))
    denied: list[str] = []

    def whole(request: Request) -> Reply:
        if request.path == "/users":
            return Reply({"data": people(2), "total": 2})
        return refused() if request.path in denied else answer(request)

    with replay(whole) as server:
        app = application(server.origin, rest)
        good = collect_rest(app, tmp_path / "good", no_progress)
        denied.append(server.seen[-1].path)
        bad = collect_rest(app, tmp_path / "bad", no_progress)

    assert (good.source.verdict, good.source.detail) == (Verdict.COMPLETE, "")
    assert users(good)["1"]["roles"] == [{"value": "r1", "display": None if "members" in form else "Admins"}]
    assert bad.source.verdict is Verdict.SHORT
    assert "answered 403" in bad.source.detail
    assert set(users(bad)) == {"1", "2"}


ROLES = GrantList("/roles", members="/roles/{id}/users", members_items="data")


def members(request: Request, count: int, more: dict[str, str]) -> Reply:
    """Answer as a server whose roles have many holders, the further pages of which stand in `more`."""
    if request.path == "/users":
        return Reply({"data": people(2), "total": 2})
    if request.path == "/roles":
        return Reply([{"id": "few"}, {"id": "many"}])
    if request.path == "/roles/few/users" or "after" in request.query:
        return Reply({"data": [{"id": 1}]})
    size = int(request.query.get("limit", count))
    return Reply({"data": [{"id": n} for n in range(1, min(count, size) + 1)], **(more if size <= count else {})})


@pytest.mark.parametrize(
    ("count", "size_parameter", "more", "told"),
    [
        (100, None, {"paging": "after"}, "exactly 100 rows may be a first page"),
        (101, "limit", {"paging": "after"}, "does it stand elsewhere in the answer?"),
        (101, None, {"paging": "after"}, ""),
        (100, None, {"next": "/roles/many/users?after=1"}, ""),
        (100, "limit", {"next": "/roles/many/users?after=1"}, ""),
    ],
)
def test_a_next_page_of_short_lists_in_another_place_is_noticed(
    count: int, size_parameter: str | None, more: dict[str, str], told: str, tmp_path: Path
) -> None:
    """Else a role would lose its holders behind the first page, and nobody would know. The longest list is asked."""
    rest = replace(NESTED, paging="next", next="next", size_parameter=size_parameter, grants=(ROLES,))
    with replay(lambda request: members(request, count, more)) as server:
        app = application(server.origin, rest, limits=replace(LIMITS, page_size=count))
        source = collect_rest(app, tmp_path, no_progress).source

    assert (told in source.detail) if told else "members" not in source.detail
    assert source.verdict is (Verdict.SHORT if told else Verdict.COMPLETE), source.detail


def test_a_field_that_vanished_is_told(tmp_path: Path) -> None:
    """A permission that was taken away trims fields without an error: the list is not whole then."""
    rows = [{"id": 1, "login": "ada"}]
    with replay(lambda request: Reply({"data": rows, "total": 1})) as server:
        collected = collect_rest(application(server.origin, NESTED), tmp_path, no_progress)

    assert collected.source.verdict is Verdict.SHORT
    assert "no record holds 'state', which the column map names for status" in collected.source.detail


def test_a_server_that_repeats_the_credential_leaves_no_trace(tmp_path: Path) -> None:
    """In a name, in a link, in an error: nothing of it is kept or told."""
    rows = [{"id": 1, "login": CANARY, "state": "Active"}, {"id": 2, "login": f"x{CANARY[::-1]}", "state": CANARY}]
    with replay(lambda request: Reply({"data": rows, "total": 2})) as server:
        collected = collect_rest(application(server.origin, NESTED), tmp_path / "a", no_progress)
    with replay(lambda request: Reply({"message": f"bad token {CANARY}"}, 401)) as server:
        failed = collect_rest(application(server.origin, NESTED), tmp_path / "b", no_progress)

    assert "the credential is missing, wrong or expired" in failed.source.detail
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    assert CANARY not in kept + repr(collected) + repr(failed)
