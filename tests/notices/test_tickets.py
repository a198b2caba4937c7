"""Trackers: one ticket for a rule in an application, found again whatever was forgotten."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from listeners import Answer, Http, Request
from receivers import JIRA
from world import begun, evil, finding

from scanner.notices import waiting


class Jira:
    """Issues by label, as far as a tracker must know them."""

    def __init__(self) -> None:
        self.issues: dict[str, dict[str, Any]] = {}
        self.comments: list[tuple[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = request.path.partition("?")[0]
        if request.method == "POST" and path.endswith(("/search/jql", "/search")):
            label = re.findall(r'labels = "([\w-]+)"', request.json["jql"])[0]
            found = [key for key, one in self.issues.items() if label in one["labels"] and not one.get("done")]
            return 200, {}, {"issues": [{"key": key} for key in found]}
        if request.method == "POST" and path.endswith("/comment"):
            self.comments.append((path.split("/")[-2], request.json["body"]))
            return 201, {}, {}
        if request.method == "POST":
            key = f"SEC-{len(self.issues) + 1}"
            self.issues[key] = request.json["fields"]
            return 201, {}, {"key": key}
        one = self.issues.get(path.rpartition("/")[2])
        if one is None:
            return 404, {}, {}
        return 200, {}, {"fields": {"status": {"statusCategory": {"key": "done" if one.get("done") else "new"}}}}


def test_jira_has_one_issue_for_a_rule_in_an_application(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later changes are comments, a closed issue is followed by a new one, and a lost memory makes no second."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = jira = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url))
    world.scan([evil(1), evil(2), finding(3, app="erp")])
    world.tell()
    assert len(jira.issues) == 2
    world.scan([finding(1, "open"), finding(2, "resolved"), finding(4)])
    world.tell()
    assert (len(jira.issues), len(jira.comments)) == (2, 1)
    known = waiting.load(world.config.state, "jira")
    waiting.save(world.config.state, "jira", replace(known, tickets={}))
    world.scan([finding(5)])
    world.tell()
    assert (len(jira.issues), len(jira.comments)) == (2, 2)
    for issue in jira.issues.values():
        issue["done"] = True
    world.scan([finding(5, "resolved")])
    world.tell()
    assert len(jira.issues) == 2
    world.scan([finding(6)])
    world.tell()

    assert len(jira.issues) == 3
    nodes = jira.issues["SEC-1"]["description"]["content"]
    assert {text["type"] for node in nodes for text in node["content"]} == {"text"}


def test_a_changed_address_does_not_carry_a_token_off(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is bound to the first site; the second gets it only when it is acknowledged."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url))
    world.scan([finding(1)])
    world.tell()
    other = listener.url.replace("127.0.0.1", "localhost")
    world.receivers = JIRA.format(url=other)
    world.scan([finding(2)])
    count = len(listener.requests)
    refused = world.tell()["jira"]

    assert "its secret was first used with" in refused.detail
    assert len(listener.requests) == count
    world.receivers = JIRA.format(url=other).replace('TOKEN"', f'TOKEN", acknowledged_origins = ["{other}"]')
    assert not world.tell()["jira"].is_failed


def test_the_older_api_of_jira_gets_one_block_that_nothing_can_end(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wiki markup is not read within {noformat}."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = jira = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url) + 'api = "2"\n')
    world.scan([evil()])
    world.tell()

    assert jira.issues["SEC-1"]["description"].count("{noformat}") == 2
    assert all(one.path.startswith("/rest/api/2/") for one in listener.requests)


def test_servicenow_has_one_record_for_a_rule_in_an_application(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found again by its correlation id; further changes are work notes; no text is read as HTML."""
    monkeypatch.setenv("SNOW", "canary-snow-31")
    records: list[dict[str, Any]] = []

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            known = [one for one in records if one["correlation_id"] in request.path]
            return 200, {}, {"result": [{"sys_id": "0" * 32}] if known else []}
        if request.method == "POST":
            records.append(request.json)
        return 201, {}, {"result": {}}

    listener.answer = answer
    receiver = '[[notify]]\nid = "snow"\ntype = "servicenow"\nbase_url = "{}"\n'
    auth = 'auth = { type = "bearer", token_env = "SNOW" }\n'
    world = begun(tmp_path, receiver.format(listener.url) + auth)
    for number in (1, 2):
        world.scan([evil(number)])
        world.tell()

    patched = [one for one in listener.requests if one.method == "PATCH"]
    assert (len(records), len(patched)) == (1, 1)
    assert patched[0].path == f"/api/now/table/incident/{'0' * 32}"
    assert "[code]" not in json.dumps(records)
