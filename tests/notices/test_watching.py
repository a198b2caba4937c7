"""What those hear who watch orphanscan itself: metrics, heartbeats, and the check that `doctor` makes."""

from pathlib import Path

import pytest
from listeners import Http
from post_office import Mailbox
from prometheus_client.parser import text_string_to_metric_families
from receivers import CHAT, JIRA, syslog
from world import World, begun, finding

from scanner import notices


def test_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    """Parsed by its own library; the file is replaced, readable for the exporter, and nothing is left beside it."""
    (tmp_path / "prom").mkdir()
    path = tmp_path / "prom" / "orphanscan.prom"
    world = begun(tmp_path, f'[[notify]]\nid = "prom"\ntype = "metrics"\npath = "{path}"\n')
    rule = 'own"rule\\x\ny'
    world.scan([finding(1), finding(2, rule=rule), finding(3, "resolved"), finding(4, "waived")], {"hr": "short"})
    world.tell()
    families = {one.name: one.samples for one in text_string_to_metric_families(path.read_text())}

    found = {sample.labels["rule"]: sample.value for sample in families["orphanscan_findings"]}
    assert found == {"leaver-still-active": 1, rule: 1}
    assert families["orphanscan_scan_complete"][0].value == 0
    assert families["orphanscan_scan_number"][0].value == 2
    assert {s.labels["source"]: s.value for s in families["orphanscan_source_complete"]} == {
        "hr": 0,
        "crm": 1,
        "erp": 1,
    }
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_heartbeat_tells_an_end_from_a_failure(chat: Http, tmp_path: Path) -> None:
    """Another address when the scan did not end as it should; the query stays at the end."""
    world = World(tmp_path, CHAT.replace("slack", "heartbeat"))
    world.scan()
    world.tell()
    world.tell(ended=False)

    assert [one.path for one in chat.requests] == [
        "/services/T000/canary-chat-77",
        "/services/T000/canary-chat-77/fail",
    ]


def test_a_check_reaches_every_receiver_and_sends_nothing(
    chat: Http, post_office: tuple[Mailbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `doctor` asks: a mail server for a sign-in, a chat for its host, a tracker for its project."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    box, receiver = post_office
    prom = f'[[notify]]\nid = "prom"\ntype = "metrics"\npath = "{tmp_path}/x.prom"\n'
    world = World(tmp_path, receiver + CHAT + JIRA.format(url=chat.url) + prom + syslog("tcp://127.0.0.1:9"))
    config = world.config
    by_id = {one.id: one for one in config.notify}

    said = [notices.check(config, by_id[name]) for name in ("mail", "chat", "jira", "prom")]
    assert said[0] == "127.0.0.1 answers and the sign-in is accepted"
    assert said[2].endswith("the project SEC is there")
    with pytest.raises(Exception, match="could not be sent"):
        notices.check(config, by_id["siem"])
    assert (chat.posts, box.envelopes) == ([], [])
    assert not (tmp_path / "x.prom").exists()
