"""What is told to whom, and that nothing is lost or told twice."""

import json
from pathlib import Path

import pytest
from config_files import errors
from listeners import Http
from world import BEGAN, KEY, MANIFEST, World, begun, finding, upcoming

from scanner import notices
from scanner.model import Severity
from scanner.notices import Mark, waiting

HOOK = """
[[notify]]
id = "hook"
type = "webhook"
url = { env = "HOOK_URL" }
secret = { env = "HOOK_KEY" }
"""


@pytest.fixture
def hook(listener: Http, monkeypatch: pytest.MonkeyPatch) -> Http:
    """Return the server behind HOOK."""
    monkeypatch.setenv("HOOK_URL", f"{listener.url}/hook?key=canary-url-1f7e33")
    monkeypatch.setenv("HOOK_KEY", "whsec_" + "QUJD" * 11)
    return listener


def kinds(hook: Http) -> list[list[tuple[str, str]]]:
    """Return kind and application of the changes of every message."""
    return [[(change["kind"], change["app"]) for change in one.json["changes"]] for one in hook.posts]


def test_only_what_changed_is_told_and_nothing_when_nothing_changed(hook: Http, tmp_path: Path) -> None:
    """New, resolved and reopened findings, once each; an open one is not told again."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1), finding(2, "open")])
    world.tell()
    world.scan([finding(1, "open"), finding(2, "open")])
    world.tell()
    world.scan([finding(1, "resolved"), finding(2, "reopened", app="erp")])
    world.tell()

    assert kinds(hook) == [[("new", "crm")], [("reopened", "erp"), ("resolved", "crm")]]
    assert hook.posts[0].json["scan"] == {
        "id": world.scans[1].told.scan_id, "number": 2, "as_of": "2026-11-02T06:00:00+00:00", "complete": True,
        "manifest_sha256": MANIFEST,
    }  # fmt: skip


def test_the_first_notice_says_how_much_is_open_and_not_what(hook: Http, tmp_path: Path) -> None:
    """A new receiver is not flooded; with include_existing it gets everything."""
    world = World(tmp_path, HOOK)
    world.scan([finding(1), finding(2, "baseline"), finding(3, severity="critical", app="erp")])
    world.tell()
    world.receivers = HOOK.replace('"hook"', '"other"') + "include_existing = true\n"
    world.tell()

    first, other = hook.posts
    texts = {change["owner"]: change["text"] for change in first.json["changes"]}
    assert texts["jane@acme.example"] == "From now on changes are told here. Open now: 2 high."
    assert texts["raj@acme.example"].endswith("Open now: 1 critical.")
    assert [change["kind"] for change in other.json["changes"]] == ["existing"] * 3


def test_a_finding_is_told_once_more_when_it_becomes_overdue(hook: Http, tmp_path: Path) -> None:
    """After as many days as its severity allows, by the clock of the scans."""
    world = begun(tmp_path, HOOK + "overdue_days = { high = 2 }\n")
    for state in ("new", "open", "open", "open"):
        world.scan([finding(1, state)])
        world.tell()

    assert kinds(hook) == [[("new", "crm")], [("overdue", "crm")]]


def test_a_waiver_that_ended_is_told_as_reopened(hook: Http, tmp_path: Path) -> None:
    """The life of the finding calls it open; who reads notices has not heard of it for long."""
    world = begun(tmp_path, HOOK)
    for state in ("waived", "open", "open"):
        world.scan([finding(1, state)])
        world.tell()

    assert kinds(hook) == [[("reopened", "crm")]]


def test_a_source_that_is_not_complete_is_told_and_when_it_is_again(hook: Http, tmp_path: Path) -> None:
    """Not every night anew."""
    world = begun(tmp_path, HOOK)
    for verdicts in ({"crm": "short"}, {"crm": "failed"}, {}):
        world.scan(verdicts=verdicts)
        world.tell()

    assert kinds(hook) == [[("source_incomplete", "crm")], [("source_complete", "crm")]]
    assert hook.posts[0].json["changes"][0]["text"] == "application crm: short; it broke"


def test_a_termination_to_come_is_told_to_confidential_receivers_only(hook: Http, tmp_path: Path) -> None:
    """Neither the rule that is about it, nor a row of evidence that dates it, nor a count of it reaches another."""
    told = [
        upcoming(1),
        finding(2, evidence={"terminated_at": "2027-01-31T00:00:00+00:00"}),
        finding(3, evidence={"terminated_at": "not a date"}),
        finding(4, evidence={"terminated_at": "2026-10-01T00:00:00+00:00"}),
    ]
    prom = f'[[notify]]\nid = "prom"\ntype = "metrics"\npath = "{tmp_path}/all.prom"\n'
    secret = HOOK.replace('"hook"', '"hr"') + "confidential = true\n"
    world = begun(tmp_path, HOOK + "include_existing = true\n" + secret + prom)
    world.scan(told)
    world.tell()
    by_number = {len(one.json["changes"]): one for one in hook.posts}

    assert set(by_number) == {1, 4}
    assert b"upcoming" not in by_number[1].body
    assert "Work ends in 5 days" in by_number[4].body.decode()
    assert 'findings{rule="upcoming-leaver' not in (tmp_path / "all.prom").read_text()
    world.receivers = prom + HOOK.replace('"hook"', '"late"')
    world.tell()
    assert hook.posts[-1].json["changes"][0]["text"].endswith("Open now: 1 high.")


def test_owners_of_applications_cannot_be_made_confidential(write: object) -> None:
    """One line of configuration must not tell a team that a colleague will go."""
    mail = """
    [[notify]]
    id = "mail"
    type = "email"
    host = "mail.acme.example"
    sender = "scan@acme.example"
    to = ["sec@acme.example"]
    to_owners = true
    confidential = true
    """
    from world import FRAME

    (line,) = errors(write(FRAME + mail))  # type: ignore[operator]

    assert "owners of applications never hear of terminations to come" in line


@pytest.mark.parametrize("privacy", ["L1", "L2"])
def test_names_follow_the_privacy_profile(privacy: str, hook: Http, tmp_path: Path) -> None:
    """L1 has pseudonyms, no e-mail in a reason, and a reference that cannot be computed from a guessed id."""
    world = begun(tmp_path, HOOK + f'privacy = "{privacy}"\n')
    world.scan([finding(1, reason="{account} of {worker}, known as boss@acme.example, is active.")])
    world.tell()
    said = hook.posts[0].body.decode()

    assert ("user1@acme.example" in said) == (privacy == "L2")
    assert ("boss@acme.example" in said) == (privacy == "L2")
    assert f"{1:064x}" not in said
    assert hook.posts[0].json["changes"][0]["key"].startswith("F-")


def test_what_could_not_be_sent_is_sent_after_the_next_scan(hook: Http, tmp_path: Path) -> None:
    """One message with both; what was resolved before anybody heard of it is never told."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1), finding(2)])
    hook.answer = lambda request: (500, {}, {})
    failed = world.tell()["hook"]
    assert failed.is_failed
    assert "to be tried again after the next scan" in failed.detail
    del hook.requests[:]
    hook.answer = lambda request: (200, {}, {})
    world.scan([finding(1, "open"), finding(2, "resolved"), finding(3, app="erp")])
    world.tell()
    world.tell()

    assert kinds(hook) == [[("new", "crm"), ("new", "erp")]]


def test_a_message_that_was_taken_before_the_kill_goes_out_again_with_the_same_id(hook: Http, tmp_path: Path) -> None:
    """Killed between the delivery and its note: the receiver can tell that it has had the message."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1)])
    world.note()
    before = waiting.path(world.config.state, "hook").read_bytes()
    world.tell()
    waiting.path(world.config.state, "hook").write_bytes(before)
    world.tell()

    assert len({one.headers["webhook-id"] for one in hook.posts}) == 1
    assert len(hook.posts) == 2


def test_scans_that_ended_without_a_notice_are_told_later(hook: Http, tmp_path: Path) -> None:
    """Killed after the commit and before the notice: the next run takes up both scans."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1)])
    world.scan([finding(1, "open"), finding(2, app="erp")])
    world.tell()

    assert kinds(hook) == [[("new", "crm"), ("new", "erp")]]
    assert [c["scan_id"] for c in hook.posts[0].json["changes"]] == [one.told.scan_id for one in world.scans[1:]]


def test_a_wait_that_is_asked_for_is_kept_within_the_time(hook: Http, tmp_path: Path) -> None:
    """A passing refusal is tried again; one that asks for longer than there is time is left for the next scan."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1)])
    hook.script += [(503, {}, {}), (429, {"Retry-After": "0"}, {})]
    assert not world.tell()["hook"].is_failed
    world.scan([finding(2)])
    hook.script += [(429, {"Retry-After": "3600"}, {})]
    count = len(hook.requests)

    assert world.tell()["hook"].is_failed
    assert len(hook.requests) == count + 1


def test_nothing_is_sent_to_another_origin_and_no_secret_is_told(
    hook: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is refused, and a server that repeats the address gets its words masked."""
    world = begun(tmp_path, HOOK)
    world.scan([finding(1)])
    hook.script += [(307, {"Location": "http://127.0.0.2:9/other"}, {})]
    moved = world.tell()["hook"]
    hook.script += [(400, {}, {"message": "no such hook: hook?key=canary-url-1f7e33"})]
    refused = world.tell()["hook"]

    assert "is redirected" in moved.detail
    assert "400" in refused.detail
    assert "canary" not in moved.detail + refused.detail
    monkeypatch.setenv("HOOK_URL", "http://hooks.example/x")
    assert "must use https" in world.tell()["hook"].detail


def test_a_receiver_that_never_answers_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on when the time of the receiver is over, and the changes stay."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}/x")
        monkeypatch.setenv("HOOK_KEY", "QUJD" * 11)
        world = World(tmp_path, HOOK + "max_seconds = 1\n")
        world.scan([finding(1)])

        assert "gave no answer in time" in world.tell()["hook"].detail
    assert waiting.load(world.config.state, "hook").changes


def test_a_damaged_memory_is_named_and_harms_nothing(hook: Http, tmp_path: Path) -> None:
    """A half-written file is an error with advice; only `StoreError` comes out."""
    from scanner.errors import StoreError

    world = begun(tmp_path, HOOK)
    waiting.path(world.config.state, "hook").write_text('{"noted_scan": "2026')

    with pytest.raises(StoreError, match=r"hook\.json is damaged; remove it"):
        world.tell()


def test_a_flood_is_kept_within_bounds(hook: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gravest stay; how many are not sent, and where they are, is said once."""
    monkeypatch.setattr(waiting, "MOST", 3)
    world = begun(tmp_path, HOOK)
    world.scan([finding(n, severity="critical" if n == 9 else "low") for n in range(1, 10)])
    world.tell()

    document = hook.posts[0].json
    assert document["changes"][0]["severity"] == "critical"
    assert (len(document["changes"]), document["left_out"]) == (4, 6)
    (told,) = [change for change in document["changes"] if change["kind"] == "left_out"]
    assert told["text"].startswith("Further changes, the least grave, that are not sent: 6, as 3 are kept")
    assert f"`orphanscan findings {world.scans[-1].told.scan_id}`" in told["text"]

    world.scan([finding(n, "open") for n in range(1, 10)])
    world.tell()
    assert len(hook.posts) == 1


def test_owners_and_severities_choose_what_a_receiver_hears(hook: Http, tmp_path: Path) -> None:
    """What belongs to others, is too small, or is a lead does not reach it."""
    world = begun(tmp_path, HOOK + 'owners = ["RAJ@acme.example"]\nmin_severity = "high"\n')
    world.scan([finding(1), finding(2, app="erp"), finding(3, app="erp", severity="medium")], {"crm": "failed"})
    world.tell()

    assert kinds(hook) == [[("new", "erp")]]


def test_a_grace_period_is_told_once_to_the_owner(hook: Http, tmp_path: Path) -> None:
    """Who is told what will happen when; the next plan with the same end tells nothing."""
    world = begun(tmp_path, HOOK)
    mark = Mark(
        "a1", "deactivate", "crm", "acc-1", "user1@acme.example", f"{1:064x}", ("dormant-account",), Severity.LOW, BEGAN
    )
    for _ in range(2):
        posts = notices.note_marks(world.config, [mark], world.scans[-1], KEY)
        notices.deliver(world.config, posts, None, ended=None)

    (post,) = hook.posts
    (change,) = post.json["changes"]
    assert (change["kind"], change["owner"]) == ("marked", "jane@acme.example")
    assert "the account may be deactivated from 2026-11-01 06:00 UTC on, unless" in change["text"]
    assert "user1" not in json.dumps(post.json)
