"""What `doctor --app` sees of a server, and what it foresees of a scan."""

from collections.abc import Iterator

import pytest
from servers import Behaviour, HostileServer, group, hostile, user

from scanner.collectors.study import study
from scanner.config import Application


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


@pytest.mark.parametrize(
    ("quirks", "topic", "words", "is_doubted"),
    [
        ("", "paging", "by index; asked for 100 rows, it sent 40: its page cap", False),
        ("", "next page", "goes on where the first ended", False),
        ("", "a scan", "about 3 pages of users, in about 1 s, and proves them by the stated total", False),
        ("no_total", "total", "not stated, so a scan reads the list twice", False),
        ("no_total", "a scan", "is complete if two readings of the list agree", False),
        ("ignore_startindex", "next page", "it repeats the first page", True),
        ("cursor", "paging", "by cursor", False),
        ("count_refused", "paging", "it takes no count, and sent 10 rows", False),
        ("start_capped filter_by_id", "last page", "a scan goes on by `id gt` instead", False),
        ("start_capped", "last page", "position 95 is refused", True),
        ("zero_based", "last page", "it counts positions from 0", False),
        ("total_is_page", "total", "40 users stated, but more stand behind them", False),
        ("total_is_page", "a scan", "is complete if two readings of the list agree", False),
        ("cursor cursor_empty_pages", "next page", "empty, with a cursor that goes on", False),
        ("groups_absent only_users", "groups", "the application offers none", False),
        ("groups_absent", "groups", "memberships are missing", True),
        ("", "rows", "40 with ids", False),
        ("groups_refused", "groups", "memberships are missing", True),
        ("", "PATCH", "it does not say; active = false: unknown, not known whether it can be undone", False),
        ("", "discovery", "it does not describe itself", False),
        ("cursor", "discovery", "/ServiceProviderConfig: cursors yes", False),
        ("groups_without_members", "groups", "each is read by itself", False),
    ],
)
def test_says_what_a_scan_would_meet(
    server: HostileServer, quirks: str, topic: str, words: str, is_doubted: bool
) -> None:
    """Each trait of a server is named, and only what hides rows makes the forecast doubtful."""
    users = [user(f"{number:03}") for number in range(95)]
    server.behaviour = Behaviour(users, [group(1, ["u-001"])], frozenset(quirks.split()), cap=40, token=None)
    seen = {remark.topic: remark for remark in study(Application("crm", "CRM", "scim", base_url=server.base_url))}

    assert words in seen[topic].text
    assert seen["a scan"].is_doubt is is_doubted
    assert all(request.startswith("GET ") for request in server.behaviour.seen)
    assert not any("user001" in remark.text for remark in seen.values())


@pytest.mark.parametrize(
    ("rows", "profile", "words"),
    [
        ([user(1), {**user(2), "id": None}], "generic", "1 of 2 are no objects or have no id"),
        ([user(1), user(1, userName="else@corp.example")], "generic", "2 users go by 1 ids"),
        ([user(1, userName="SYNTHESIS_USER")], "snowflake", "only a made-up user"),
    ],
)
def test_rows_that_prove_nothing_make_the_forecast_doubtful(
    server: HostileServer, rows: list[dict[str, object]], profile: str, words: str
) -> None:
    """What the first page shows to be wrong is told before a scan meets it."""
    server.behaviour = Behaviour(rows, [group(1, ["u-1"])], token=None)
    app = Application("crm", "CRM", "scim", base_url=server.base_url, profile=profile)
    seen = {remark.topic: remark for remark in study(app)}

    assert words in seen["rows"].text
    assert seen["rows"].is_doubt
    assert "see rows" in seen["a scan"].text
