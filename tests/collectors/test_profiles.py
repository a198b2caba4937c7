"""Vendor profiles: read strictly, and decisive only in what a document confirms."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from servers import TOKEN, Behaviour, hostile, user

from scanner import docs_vendors
from scanner.collectors import SOURCES, profiles
from scanner.collectors.discovery import Discovery, Hints, discover
from scanner.collectors.http import Session
from scanner.collectors.interface import no_progress
from scanner.collectors.profiles import Deactivation, Profile, Rates
from scanner.config import COVERAGES, Application, Limits
from scanner.credentials import Auth, Secret
from scanner.errors import ConfigError

SHIPPED = Path(profiles.__file__).parent / "profiles"
HEAD = 'name = "Acme"\ncoverage = "all"\nsources = ["acme.example/scim"]\n'
CONFIG = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0},
    "filter": {"supported": True, "maxResults": 200},
    "etag": {"supported": "False"},
    "authenticationSchemes": [{"type": "oauthbearertoken", "name": "OAuth Bearer Token"}, {"type": "httpbasic"}],
    "pagination": {
        "cursor": True,
        "index": False,
        "defaultPaginationMethod": "cursor",
        "defaultPageSize": 50,
        "maxPageSize": 500,
        "cursorTimeout": 3600,
    },
}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)


def written(folder: Path, text: str) -> Path:
    """Return a profile of that text."""
    file = folder / "acme.toml"
    file.write_text(text)
    return file


@contextmanager
def answering(answers: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Run a server that knows some paths, and yield its address and the paths that it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            asked.append(self.path)
            found = answers.get(self.path)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def application(base_url: str, **changes: Any) -> Application:
    """Return an application with the test's credential."""
    auth = Auth("bearer", Secret("env", "ORPHANSCAN_TEST_TOKEN"))
    limits = Limits(max_seconds=20, timeout_seconds=5, retries=0)
    return Application(id="crm", name="CRM", type="scim", base_url=base_url, auth=auth, limits=limits, **changes)


def discovered(answers: dict[str, Any], profile: Profile) -> Discovery:
    """Ask a server with these answers."""
    with answering(answers) as (url, _), Session(application(url)) as session:
        return discover(session, profile)


@pytest.mark.parametrize("name", profiles.names())
def test_every_shipped_profile_loads(name: str) -> None:
    """It says what it is, for whom it speaks and where that is written."""
    profile = profiles.load(name)

    assert profile.id == name
    assert profile.coverage in COVERAGES
    assert profile.sources
    assert (SHIPPED / f"{name}.toml").read_text().startswith("#"), "a comment says what the file is about"


def test_the_promised_vendors_are_there() -> None:
    """A configuration may name each of them."""
    assert {
        *("generic", "okta", "entra", "slack", "aws-identity-center", "salesforce", "github-emu", "atlassian"),
        "snowflake",
    } <= set(profiles.names())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """As the keys of the configuration are."""
    with pytest.raises(ConfigError, match="did you mean 'generic'"):
        profiles.load("genric")


def test_what_a_file_leaves_out_is_as_in_generic(tmp_path: Path) -> None:
    """Three keys are enough for a profile."""
    profile, generic = profiles.read(written(tmp_path, HEAD)), profiles.load("generic")

    assert (profile.id, profile.name, profile.coverage) == ("acme", "Acme", "all")
    assert profile.said == {"name", "coverage", "sources"}
    for key in ("max_page_size", "paging", "discovery", "requests_per_minute", "deactivation", "max_start_index"):
        assert attrgetter(key)(profile) == attrgetter(key)(generic)


def test_generic_assumes_no_more_than_the_standard() -> None:
    """Whoever changes it changes every profile."""
    generic = profiles.load("generic")

    assert generic.requests_per_minute == Rates()
    assert generic.deactivation == Deactivation("unknown", None, "unknown", None, "")
    assert (generic.paging, generic.max_start_index, generic.discovery) == (
        "discover",
        None,
        ("/ServiceProviderConfig",),
    )
    assert (generic.sends_start_index, generic.continue_by_id, generic.members) == (True, False, "list")
    assert (generic.coverage, generic.placeholder_users) == ("provisioned_only", ())


@pytest.mark.parametrize("name", profiles.names())
def test_an_unconfirmed_fact_never_decides(name: str) -> None:
    """Whatever reads a shipped profile gets the value of generic, and people get the claim."""
    profile, generic = profiles.load(name), profiles.load("generic")

    assert set(profile.claims) == set(profile.unconfirmed)
    assert not profile.said & set(profile.claims)
    for key in profile.unconfirmed:
        assert attrgetter(key)(profile) == attrgetter(key)(generic)


def test_every_fact_can_be_unconfirmed(tmp_path: Path) -> None:
    """A profile that is sure of nothing is generic under another name."""
    claims = """
coverage_note = "Everybody."
base_url = "https://acme.example/scim"
max_page_size = 7
paging = "cursor"
sends_start_index = false
max_start_index = 9
continue_by_id = true
discovery = ["/Config"]
groups = false
members = "single"
requests_per_minute = { users = 3 }
placeholder_users = ["nobody"]
unconfirmed = [
    "coverage", "coverage_note", "base_url", "max_page_size", "paging", "sends_start_index", "max_start_index",
    "continue_by_id", "discovery", "groups", "members", "requests_per_minute", "placeholder_users",
    "deactivation.inactive", "deactivation.reversible", "deactivation.delete", "deactivation.still_listed",
    "deactivation.second_writer_note",
]
[deactivation]
inactive = "licence"
reversible = false
delete = "permanent"
still_listed = true
second_writer_note = "Do not."
"""
    profile, generic = profiles.read(written(tmp_path, HEAD + claims)), profiles.load("generic")

    kept = {"id", "name", "unconfirmed", "sources", "claims", "said"}
    for field in Profile.__dataclass_fields__.keys() - kept:
        assert getattr(profile, field) == getattr(generic, field), field
    assert profile.claims["coverage"] == "all"
    assert profile.claims["max_page_size"] == 7
    assert profile.claims["requests_per_minute"] == Rates(users=3)
    assert profile.claims["deactivation.delete"] == "permanent"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("max_page_sise = 5", "max_page_sise: unknown key; did you mean max_page_size?"),
        ("[deactivation]\nrevrsible = true", "deactivation.revrsible: unknown key; did you mean reversible?"),
        ('max_page_size = "5"', "max_page_size: must be a whole number, not text"),
        ("max_page_size = true", "max_page_size: must be a whole number, not true or false"),
        ("max_page_size = 0", "max_page_size: must be from 1 to"),
        ('groups = "yes"', "groups: must be true or false, not text"),
        ('paging = "curser"', 'paging: "curser" is not one of index, cursor, discover'),
        ('members = ["list"]', "members: must be text, not a list"),
        ('max_start_index = "none"', 'max_start_index: must be a whole number, not text; or "unknown"'),
        ("requests_per_minute = 0", "requests_per_minute.total: must be from 1"),
        ("requests_per_minute = { user = 1 }", "requests_per_minute.user: unknown key; did you mean users?"),
        ("discovery = []", "discovery: must not be empty"),
        ('discovery = ["https://other.example/"]', "discovery: item 1 must be a path"),
        ('discovery = ["/a", "/b", "/c", "/d", "/e"]', "discovery: must hold at most 4 paths"),
        ("deactivation = 1", "deactivation: must be a table, not a whole number"),
        ('unconfirmed = ["max_pages"]', 'unconfirmed: item 1 "max_pages" is no key that can be unconfirmed; did you'),
        ('unconfirmed = ["paging"]', 'unconfirmed: names "paging", for which the file has no value'),
        ('unconfirmed = ["quirks"]', "is no key that can be unconfirmed"),
        ("groups = ", "not valid TOML"),
    ],
)
def test_a_wrong_key_or_type_is_named(line: str, said: str, tmp_path: Path) -> None:
    """With the file, the key and the nearest known one."""
    with pytest.raises(ConfigError) as caught:
        profiles.read(written(tmp_path, f"{HEAD}{line}\n"))

    assert said in str(caught.value)
    assert "acme.toml" in str(caught.value)


def test_what_every_file_needs_is_missed(tmp_path: Path) -> None:
    """All at once."""
    with pytest.raises(ConfigError) as caught:
        profiles.read(written(tmp_path, ""))

    assert re.findall(r"(\w+): missing", str(caught.value)) == ["name", "coverage", "sources"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No traceback for a folder in its place."""
    with pytest.raises(ConfigError, match=r"acme\.toml: cannot be read"):
        profiles.read(tmp_path / "acme.toml")


@pytest.mark.parametrize(
    ("said", "rates"),
    [
        ("60", Rates(total=60)),
        ('"unknown"', Rates()),
        ("{ total = 1000, single = 300 }", Rates(total=1000, single=300)),
        ("{ users = 400, groups = 10, single = 40 }", Rates(users=400, groups=10, single=40)),
    ],
)
def test_rates_are_one_number_or_several(said: str, rates: Rates, tmp_path: Path) -> None:
    """Some vendors limit lists and single reads apart."""
    assert profiles.read(written(tmp_path, f"{HEAD}requests_per_minute = {said}\n")).requests_per_minute == rates


def test_coverage_of_the_configuration_wins(tmp_path: Path) -> None:
    """The profile's coverage label is only a default."""
    with hostile() as server:
        server.behaviour = Behaviour([user(1)], [])
        collect = SOURCES["scim"].collect
        by_profile = collect(application(server.base_url, profile="slack"), tmp_path / "a", no_progress)
        by_hand = collect(application(server.base_url, profile="slack", coverage="all"), tmp_path / "b", no_progress)

    assert by_profile.source.coverage == profiles.load("slack").coverage
    assert by_hand.source.coverage == "all"


def test_a_server_tells_all_that_doctor_shows() -> None:
    """Flags have three values, numbers and names are checked."""
    found = discovered({"/ServiceProviderConfig": CONFIG}, profiles.load("generic"))

    assert found == Discovery(
        cursor=True,
        index=False,
        max_page_size=200,
        hints=Hints(
            path="/ServiceProviderConfig",
            filter=True,
            patch=True,
            bulk=False,
            etag=False,
            sort=None,
            max_results=200,
            auth_schemes=("OAuth Bearer Token", "httpbasic"),
            cursor_paging=True,
            index_paging=False,
            default_paging="cursor",
            default_page_size=50,
            max_page_size=500,
            cursor_timeout_seconds=3600,
        ),
    )


def test_the_plural_path_of_a_profile_is_tried() -> None:
    """In the order of the profile, and no further than the first that answers."""
    profile = profiles.load("slack")
    with answering({"/ServiceProviderConfigs": CONFIG}) as (url, asked), Session(application(url)) as session:
        found = discover(session, profile)
    assert asked == ["/ServiceProviderConfig", "/ServiceProviderConfigs"]
    assert found.hints.path == "/ServiceProviderConfigs"

    with answering({"/ServiceProviderConfig": CONFIG}) as (url, asked), Session(application(url)) as session:
        discover(session, profile)
    assert asked == ["/ServiceProviderConfig"]


@pytest.mark.parametrize("key", ["Resources", "resources"])
def test_a_configuration_in_a_list_is_unwrapped(key: str) -> None:
    """SCIM 1.1 answers the plural path with a list of one."""
    found = discovered({"/ServiceProviderConfigs": {"totalResults": 1, key: [CONFIG]}}, profiles.load("salesforce"))

    assert found.hints.path == "/ServiceProviderConfigs"
    assert found.max_page_size == 200
    assert found.cursor is False, "the profile pages by index"


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a": ' * 100_000,
        b'{"patch": {"supported": true}, "filler": "' + b"x" * 1_000_001 + b'"}',
        {"Resources": []},
        {"Resources": [CONFIG, CONFIG]},
        {"Resources": ["text"]},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "403", "patch": {"supported": True}},
    ],
    ids=lambda junk: str(junk)[:20],
)
def test_junk_tells_nothing_and_the_next_path_is_tried(junk: object) -> None:
    """The profile then answers in place of the server."""
    profile = profiles.load("slack")

    assert discovered({"/ServiceProviderConfig": junk}, profile) == Discovery(False, True, 1000)
    further = discovered({"/ServiceProviderConfig": junk, "/ServiceProviderConfigs": CONFIG}, profile)
    assert further.hints.path == "/ServiceProviderConfigs"


@pytest.mark.parametrize("name", profiles.names())
def test_a_server_that_tells_nothing_is_read_by_its_profile(name: str) -> None:
    """An absent configuration is no error."""
    profile = profiles.load(name)

    assert discovered({}, profile) == Discovery(profile.paging == "cursor", True, profile.max_page_size)


def test_odd_values_are_what_the_server_did_not_say() -> None:
    """Wrong types, absurd numbers and unknown words decide nothing."""
    odd = {
        "filter": {"supported": "maybe", "maxResults": 10**4000},
        "patch": True,
        "bulk": {"supported": 1},
        "sort": [],
        "authenticationSchemes": {"name": 5},
        "pagination": {
            "cursor": "yes",
            "index": None,
            "defaultPaginationMethod": ["cursor"],
            "defaultPageSize": -1,
            "maxPageSize": True,
            "cursorTimeout": float("nan"),
        },
    }

    found = discovered({"/ServiceProviderConfig": odd}, profiles.load("generic"))

    assert found == Discovery(False, True, 1000, Hints(path="/ServiceProviderConfig"))


def test_names_compare_without_case_and_numbers_may_be_text() -> None:
    """RFC 7643 section 2.1 says the first, servers do the second."""
    odd = {"PATCH": {"Supported": "True"}, "Filter": {"MAXRESULTS": "30"}, "Pagination": {"Cursor": "TRUE"}}

    found = discovered({"/ServiceProviderConfig": odd}, profiles.load("generic"))

    assert (found.hints.patch, found.max_page_size, found.cursor) == (True, 30, True)


def test_names_of_schemes_are_cut_and_free_of_secrets() -> None:
    """They end up on a terminal."""
    names = [TOKEN, f"Bearer {TOKEN}", "\x1b[31mred\u202e", "x" * 5000, *(f"scheme {number}" for number in range(500))]
    schemes = [{"name": name} for name in names]

    found = discovered({"/ServiceProviderConfig": {"authenticationSchemes": schemes}}, profiles.load("generic"))

    shown = found.hints.auth_schemes
    assert len(shown) <= 10
    assert all(len(name) <= 60 and name.isprintable() and TOKEN[:12] not in name for name in shown)
    assert "scheme 0" in shown


def test_the_document_of_vendors_holds_the_profiles() -> None:
    """Run `make docs` after a change of a profile."""
    text = docs_vendors.TARGET.read_text()

    assert docs_vendors.refreshed(text) == text
    for name in profiles.names():
        profile = profiles.load(name)
        row = next(line for line in text.splitlines() if line.startswith(f"| [{name}](#{name}) |"))
        section = text.split(f"### {name}\n")[1].split("\n#")[0]
        assert profile.name in row
        assert row.count("(not confirmed)") == sum(key in docs_vendors.COLUMNS.values() for key in profile.unconfirmed)
        assert all(quirk in section for quirk in profile.quirks)
        assert all(f"`{key}`" in section for key in profile.unconfirmed)


def test_every_other_vendor_says_on_what_its_row_rests() -> None:
    """Seven columns, the last one of three words; and none of them claims to list everybody."""
    table = docs_vendors.TARGET.read_text().split("## Other vendors")[1].split("\n\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) > 25
    assert all(len(row) == 7 and row[-1] in ("documented", "reported", "unconfirmed") for row in rows), rows
