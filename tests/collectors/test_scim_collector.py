"""The SCIM collector against servers that behave, and one that does not."""

import json
import logging
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import TOKEN, Behaviour, HostileServer, group, hostile, scim2, user

from scanner.collectors import SOURCES, http
from scanner.collectors.interface import no_progress
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.model import Collected, Verdict

SECRET = Secret("env", "ORPHANSCAN_TEST_TOKEN")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def application(base_url: str, **changes: Any) -> Application:
    """Return an application with the test's credential."""
    limits = Limits(max_seconds=20, timeout_seconds=5, retries=3)
    values = {"auth": Auth("bearer", SECRET), "limits": limits, **changes}
    return Application(id="crm", name="CRM", type="scim", base_url=base_url, **values)


def collect(app: Application, into: Path) -> Collected:
    """Collect one application."""
    return SOURCES["scim"].collect(app, into, no_progress)


def rows(collected: Collected, kind: str = "users") -> list[dict[str, Any]]:
    """Return what was staged."""
    return [json.loads(line) for line in collected.files[kind].read_bytes().split(b"\n") if line]


def run(server: HostileServer, into: Path, behaviour: Behaviour, **changes: Any) -> Collected:
    """Collect from the hostile server."""
    server.behaviour = behaviour
    return collect(application(server.base_url, **changes), into)


def many(count: int) -> list[dict[str, Any]]:
    """Return that many users."""
    return [user(number) for number in range(count)]


@pytest.mark.parametrize("cursor", [False, True])
def test_reads_a_real_server_completely(tmp_path: Path, cursor: bool) -> None:
    """Users and groups of scim2-server arrive, whether it pages by index or by cursor."""
    with scim2(cursor=cursor) as base_url, httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        ids = []
        for number in range(23):
            body = {key: value for key, value in user(number).items() if key != "id"}
            ids.append(client.post(f"{base_url}/Users", json=body).json()["id"])
        body = {key: value for key, value in group(1, ids[:2]).items() if key != "id"}
        client.post(f"{base_url}/Groups", json=body)
        collected = collect(application(base_url, limits=Limits(page_size=10)), tmp_path)

    source = collected.source
    assert (source.verdict, source.stated, source.collected, source.detail) == (Verdict.COMPLETE, 23, 23, "")
    assert sorted(ids) == sorted(row["id"] for row in rows(collected))
    assert sorted(ids[:2]) == sorted(m["value"] for m in rows(collected, "groups")[0]["members"])
    assert ("cursor" in source.query) is cursor
    assert source.coverage == "provisioned_only"
    assert len(source.sha256) == 64


@pytest.mark.parametrize(
    "quirks",
    [
        "",
        "no_total",
        "total_is_page",
        "string_total",
        "negative_total",
        "wrap_pages",
        "lower_resources",
        "short_pages",
        "pretty",
        "gzip",
        "utf8",
        "odd_case",
        "ignore_count",
        "count_1_refused",
        "beyond_is_400",
        "cursor",
        "cursor cursor_ugly_chars",
        "cursor expired_cursor",
        "cursor no_total",
        "cursor_promised",
        "drift_insert",
        "drift_delete",
        "groups_without_members",
        "count_refused",
        "zero_based",
        "zero_based no_total",
        "start_capped filter_by_id",
    ],
)
def test_proves_a_list_that_loses_no_row(server: HostileServer, tmp_path: Path, quirks: str) -> None:
    """A server's quirks cost requests, never rows and never the proof."""
    users = [user(f"{number:03}") for number in range(95)]
    behaviour = Behaviour(users, [group("a/b", ["u-1"])], frozenset(quirks.split()), cap=40)
    collected = run(server, tmp_path, behaviour)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert sorted(row["id"] for row in behaviour.users) == sorted(row["id"] for row in rows(collected))
    assert all("userName" in row and "active" in row for row in rows(collected))
    assert [[member["value"] for member in row["members"]] for row in rows(collected, "groups")] == [["u-1"]]
    assert collected.source.collected == len(behaviour.users)


@pytest.mark.parametrize(
    ("quirks", "visible", "verdict", "words"),
    [
        ("", 50, Verdict.CAPPED, "stops at 50 of 130"),
        ("", 70, Verdict.SHORT, "states 130 users but lists 70"),
        ("beyond_is_400", 100, Verdict.CAPPED, "stops at 100"),
        ("beyond_is_400", 90, Verdict.FAILED, "Start index too big"),
        ("start_capped", None, Verdict.FAILED, "Start index too big"),
        ("no_total", 50, Verdict.CAPPED, "states no total"),
        ("cursor_only_said no_total", None, Verdict.CAPPED, "stops at exactly 50"),
        ("total_is_page", 50, Verdict.CAPPED, "states no total"),
        ("ignore_startindex", None, Verdict.SHORT, "repeats them"),
        ("ignore_startindex no_total", None, Verdict.UNKNOWN, "for ever"),
        ("ignore_startindex total_is_page", None, Verdict.UNKNOWN, "for ever"),
        ("cursor repeated_cursor", None, Verdict.SHORT, "repeated a cursor"),
        ("cursor repeated_cursor no_total", None, Verdict.UNKNOWN, "repeated a cursor"),
        ("cursor always_expired", None, Verdict.FAILED, "expired 3 times"),
        ("drift_always", None, Verdict.DRIFT, "changed while it was read"),
        ("drift_always no_total", None, Verdict.DRIFT, "two readings differ"),
    ],
)
def test_names_a_list_that_is_not_proven(
    server: HostileServer, tmp_path: Path, quirks: str, visible: int | None, verdict: Verdict, words: str
) -> None:
    """What was read is kept, and the verdict says why it is not the whole."""
    cap = 50 if "cursor_only_said" in quirks else 45
    behaviour = Behaviour(many(130), [], frozenset(quirks.split()), cap=cap, visible=visible)
    collected = run(server, tmp_path, behaviour)

    assert verdict is collected.source.verdict, collected.source.detail
    assert words in collected.source.detail
    ids = [row["id"] for row in rows(collected)]
    assert len(ids) == len(set(ids)) == collected.source.collected > 0


def test_counts_repeated_ids_once(server: HostileServer, tmp_path: Path) -> None:
    """Rows that a server sends several times are counted as duplicates and staged once."""
    people = many(30)
    collected = run(server, tmp_path, Behaviour(people[:10] + people, []))

    assert (
        collected.source.verdict,
        collected.source.collected,
        collected.source.duplicates,
    ) == (Verdict.COMPLETE, 30, 10)
    assert len(rows(collected)) == 30


def test_one_id_for_two_users_is_not_proven(server: HostileServer, tmp_path: Path) -> None:
    """Where two users go by one id, one of them would be hidden: the verdict says so, however often it is read."""
    users = [*many(20), {**user(3), "userName": "somebody.else@corp.example"}]
    collected = run(server, tmp_path, Behaviour(users, []))

    assert collected.source.verdict is Verdict.UNKNOWN
    assert "1 ids each stand for several users" in collected.source.detail
    assert collected.source.collected == 20


def test_a_made_up_user_is_no_list(server: HostileServer, tmp_path: Path) -> None:
    """A product that shows one invented row until a feature is enabled is not taken for an empty application."""
    behaviour = Behaviour([{**user(1), "userName": "Synthesis_User"}], [])
    collected = run(server, tmp_path, behaviour, profile="snowflake")

    assert collected.source.verdict is Verdict.UNKNOWN
    assert "made-up user" in collected.source.detail


def test_behind_the_greatest_start_index_the_list_goes_on_by_id(server: HostileServer, tmp_path: Path) -> None:
    """Where the profile knows the greatest start index, nothing behind it is asked by index, and no row is lost."""
    users = [user(f"{number:05}") for number in range(2350)]
    behaviour = Behaviour(users, [], frozenset({"filter_by_id"}))
    collected = run(server, tmp_path, behaviour, profile="salesforce")

    assert (collected.source.verdict, collected.source.collected) == (Verdict.COMPLETE, 2350)
    starts = [int(r.partition("startIndex=")[2].partition("&")[0]) for r in behaviour.seen if "/Users?start" in r]
    assert max(starts) <= 2000
    assert [r for r in behaviour.seen if "filter=id%20gt" in r]


def test_an_inflated_total_is_short(server: HostileServer, tmp_path: Path) -> None:
    """A total that counts rows which never come leaves the list unproven."""
    behaviour = Behaviour(raw=json.dumps({"totalResults": 14, "Resources": [user(1)] * 14}).encode())
    collected = run(server, tmp_path, behaviour)

    assert (collected.source.verdict, collected.source.collected) == (Verdict.SHORT, 1)


def test_a_total_below_the_rows_is_not_believed(server: HostileServer, tmp_path: Path) -> None:
    """More rows than stated prove that the total says nothing."""
    behaviour = Behaviour(raw=json.dumps({"totalResults": 2, "Resources": many(5)}).encode())

    assert run(server, tmp_path, behaviour).source.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (b"null", "null"),
        (b"[]", "bare array"),
        (b"", "empty"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"totalResults": 3, "Resources": [{"id": "1"}', "ends too early"),
        (b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "no"}', "not a SCIM list"),
        (b'{"ok": true}', "not a SCIM list"),
        (b'{"totalResults": 3, "Resources": {"id": "1"}}', "an object where the list"),
        (b'{"totalResults": 3, "Resources": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", "nested too deeply"),
    ],
)
def test_refuses_what_is_no_list(server: HostileServer, tmp_path: Path, body: bytes, words: str) -> None:
    """An answer with status 200 that is no list fails the source with a clear sentence."""
    collected = run(server, tmp_path, Behaviour(raw=body))

    assert collected.source.verdict is Verdict.FAILED
    assert words in collected.source.detail
    assert "users" not in collected.files


def test_a_missing_list_with_a_total_is_short(server: HostileServer, tmp_path: Path) -> None:
    """Rows that are stated but not sent make the source short."""
    collected = run(server, tmp_path, Behaviour(raw=b'{"totalResults": 3, "Resources": null}'))

    assert (collected.source.verdict, collected.source.collected) == (Verdict.SHORT, 0)


def test_an_empty_list_is_complete_and_said_so(server: HostileServer, tmp_path: Path) -> None:
    """Nothing stated and nothing sent is a proven, remarkable, empty list."""
    source = run(server, tmp_path, Behaviour()).source

    assert (source.verdict, source.stated, source.detail) == (Verdict.COMPLETE, 0, "the list of users is empty")


def test_one_bad_row_does_not_lose_the_page(server: HostileServer, tmp_path: Path) -> None:
    """Rows without an id or shape are rejected and counted, their neighbours stay."""
    junk: list[Any] = [
        user(1),
        None,
        7,
        "text",
        [],
        {},
        {"id": None},
        {"id": ""},
        {"id": " "},
        {"id": True},
        {"id": {}},
    ]
    collected = run(
        server, tmp_path, Behaviour(raw=json.dumps({"totalResults": 12, "Resources": [*junk, user(2)]}).encode())
    )

    assert [row["id"] for row in rows(collected)] == ["u-1", "u-2"]
    assert (collected.source.verdict, collected.source.rejected) == (Verdict.SHORT, 10)
    assert "no objects or have no id" in collected.source.detail


def test_a_page_of_junk_does_not_hide_the_pages_behind_it(server: HostileServer, tmp_path: Path) -> None:
    """A page without one readable row is passed over, not taken for the end."""
    broken: list[Any] = [{"userName": f"x{number}"} for number in range(10)]
    collected = run(server, tmp_path, Behaviour([*many(10), *broken, user(77)], cap=10))

    assert (collected.source.collected, collected.source.rejected) == (11, 10)


def test_numbers_as_ids_are_ids(server: HostileServer, tmp_path: Path) -> None:
    """An id may come as a number; the row is staged as sent."""
    behaviour = Behaviour(raw=json.dumps({"totalResults": 2, "Resources": [user(1, id=1), user(2, id="2")]}).encode())
    collected = run(server, tmp_path, behaviour)

    assert [row["id"] for row in rows(collected)] == [1, "2"]
    assert collected.source.verdict is Verdict.COMPLETE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (rb"a\ud800b", "a\ufffdb"),
        (rb"a\udc00", "a\ufffd"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (b"a\xffb", "a\ufffdb"),
        (b"a\x01b", "a\x01b"),
    ],
)
def test_damaged_text_is_repaired_row_by_row(server: HostileServer, tmp_path: Path, name: bytes, expected: str) -> None:
    """Lone surrogates and bytes that are not UTF-8 become U+FFFD, and no row is lost."""
    row = b'{"id": "1", "userName": "' + name + b'"}'
    raw = b'\xef\xbb\xbf{"totalResults": 2, "Resources": [' + row + b', {"id": "2", "userName": "ok"}]}'
    collected = run(server, tmp_path, Behaviour(raw=raw))

    assert collected.source.verdict is Verdict.COMPLETE
    assert [expected, "ok"] == [row["userName"] for row in rows(collected)]


def test_odd_numbers_in_a_damaged_page_survive(server: HostileServer, tmp_path: Path) -> None:
    """Values that other parsers let pass do not fail the page."""
    raw = b'{"totalResults": 1, "Resources": [{"id": "1", "a": NaN, "b": 1e999, "c": ' + b"9" * 5000 + b"}]}"
    collected = run(server, tmp_path, Behaviour(raw=raw))

    assert collected.source.verdict is Verdict.COMPLETE
    assert rows(collected)[0]["a"] is None


def test_the_canonical_spelling_wins(server: HostileServer, tmp_path: Path) -> None:
    """Attribute names in odd letter case are rewritten; of two spellings the standard's own counts."""
    row = {"ID": "x", "id": "1", "USERNAME": "a", "Emails": [], "externalID": "e", "urn:Acme:User": {"X": 1}}
    collected = run(server, tmp_path, Behaviour(raw=json.dumps({"TotalResults": 1, "Resources": [row]}).encode()))

    assert rows(collected) == [{"id": "1", "userName": "a", "emails": [], "externalId": "e", "urn:Acme:User": {"X": 1}}]


@pytest.mark.parametrize(
    ("quirks", "verdict", "words"),
    [
        ("groups_refused", Verdict.SHORT, "memberships are missing"),
        ("groups_absent", Verdict.SHORT, "memberships are missing"),
        ("groups_absent only_users", Verdict.COMPLETE, "offers no groups"),
    ],
)
def test_groups_decide_with_the_users(
    server: HostileServer, tmp_path: Path, quirks: str, verdict: Verdict, words: str
) -> None:
    """Refused groups leave the users usable and the source short, unless the server says that it has none."""
    collected = run(server, tmp_path, Behaviour(many(3), [], frozenset(quirks.split())))

    assert (verdict, 3) == (collected.source.verdict, len(rows(collected)))
    assert words in collected.source.detail


def test_groups_that_cannot_be_read_singly_make_the_source_short(server: HostileServer, tmp_path: Path) -> None:
    """A group whose members stay unread is counted, and keeps its place without members."""
    quirks = frozenset(["groups_without_members"])
    collected = run(server, tmp_path, Behaviour(many(3), [group(1, ["u-1"]), group("gone", ["u-2"])], quirks))

    assert collected.source.verdict is Verdict.SHORT
    assert "1 of 2 groups could not be read singly" in collected.source.detail
    assert [len(row.get("members", [])) for row in rows(collected, "groups")] == [1, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.ndjson", "groups.ndjson", "users.ndjson"]


def test_a_second_reading_finds_what_a_shifting_list_hid(server: HostileServer, tmp_path: Path) -> None:
    """Rows that came and went while the total stood still are found by reading again."""
    behaviour = Behaviour(many(30), [], frozenset(["drift_swap"]), cap=10)
    collected = run(server, tmp_path, behaviour)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert sorted(row["id"] for row in rows(collected)) == sorted(row["id"] for row in behaviour.users)


def test_what_was_read_before_a_failure_is_kept(server: HostileServer, tmp_path: Path) -> None:
    """A server that dies midway leaves its first pages and a sentence with both numbers."""
    behaviour = Behaviour(many(100), [], cap=40, faults=deque(["ok", *["reset"] * 9]))
    collected = run(server, tmp_path, behaviour)

    assert (collected.source.verdict, len(rows(collected))) == (Verdict.FAILED, 40)
    assert "40 of 100 users were read" in collected.source.detail


@pytest.mark.parametrize("echo", ["echo_token", "rows"])
def test_the_secret_appears_nowhere(
    server: HostileServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, echo: str
) -> None:
    """A server that repeats the credential gets it into no verdict, log or file."""
    caplog.set_level(logging.DEBUG)
    behaviour = Behaviour([user(1, displayName=f"x {TOKEN}")], [], frozenset([echo]))
    collected = run(server, tmp_path, behaviour)

    staged = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    for text in (repr(collected), caplog.text, staged):
        assert TOKEN not in text
        assert TOKEN[:16] not in text
    assert all(character.isprintable() for character in collected.source.detail)
    assert len(collected.source.detail) < 601


def test_a_missing_secret_fails_the_source_alone(server: HostileServer, tmp_path: Path) -> None:
    """A credential that cannot be read is a verdict, not an exception."""
    missing = Auth("bearer", Secret("env", "ORPHANSCAN_TEST_UNSET"))
    collected = run(server, tmp_path, Behaviour(), auth=missing)

    assert collected.source.verdict is Verdict.FAILED
    assert "ORPHANSCAN_TEST_UNSET" in collected.source.detail


def test_staged_files_are_private(server: HostileServer, tmp_path: Path) -> None:
    """Nobody but the owner may read what was staged."""
    collected = run(server, tmp_path / "crm", Behaviour(many(2), []))

    assert {0o600} == {path.stat().st_mode & 0o777 for path in collected.files.values()}
    assert sorted(path.name for path in (tmp_path / "crm").iterdir()) == [
        "answers.ndjson",
        "groups.ndjson",
        "users.ndjson",
    ]


def test_progress_is_told_after_each_page(server: HostileServer, tmp_path: Path) -> None:
    """The progress callback learns how many rows have been read of how many."""
    told: list[tuple[str, str, int, int | None]] = []
    server.behaviour = Behaviour(many(5), [], cap=2)
    SOURCES["scim"].collect(application(server.base_url), tmp_path, lambda *args: told.append(args))

    assert told[:3] == [("crm", "users", 2, 5), ("crm", "users", 4, 5), ("crm", "users", 5, 5)]
    assert told[-1][1] == "groups"
