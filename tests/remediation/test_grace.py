"""Mark now, act later, and tell the owner meanwhile: through the commands, on a real server and a real webhook."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from company import Company, found, outcomes, people
from live import Start, off

sys.path.append(str(Path(__file__).parents[1] / "notices"))
from listeners import http  # found by the line above

NOTIFY = """
[[notify]]
id = "siem"
type = "webhook"
url = { env = "HOOK_URL" }
secret = { env = "HOOK_KEY" }
owners = ["olga@corp.example"]
"""


def aged(company: Company, days: float) -> None:
    """Let so many days go by since every mark."""
    marks = company.state / "plans" / "marks.json"
    kept = json.loads(marks.read_text())
    at = datetime.now(UTC) - timedelta(days=days)
    marks.write_text(json.dumps(dict.fromkeys(kept, at.isoformat())))


def test_a_rule_with_a_grace_period_marks_tells_and_acts_when_it_is_over(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner is told once; nothing is sent before the end; a finding that a scan shows after it is acted on."""
    server = start()
    with http() as hook:
        monkeypatch.setenv("HOOK_URL", f"{hook.url}/hook")
        monkeypatch.setenv("HOOK_KEY", "whsec_" + "QUJD" * 11)
        company = found(
            tmp_path / "co", {"crm": server.base_url}, remediation="grace_days = {leaver-still-active = 7}\n" + NOTIFY
        )
        company.hr(people(40, [2]))
        as_of = f"{datetime.now(UTC) - timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}"
        company.run("scan", "--as-of", as_of, "--exit-zero", "--notices", "off", expect=0)

        assert "Waiting: Marked; the grace period is not over." in company.run("plan", expect=0).stdout
        first = waiting(company)
        assert "holds nothing to apply" in company.run("approve", "--key", "dana.pem", expect=5).stderr

        assert waiting(company)["acts_from"] == first["acts_from"]
        (post,) = hook.posts
        (told,) = post.json["changes"]
        assert (told["kind"], told["owner"], told["app"]) == ("marked", "olga@corp.example", "crm")
        assert f"from {datetime.fromisoformat(first['acts_from']):%Y-%m-%d %H:%M} UTC on" in told["text"]

        aged(company, 6.9)
        assert waiting(company)["acts_from"] != first["acts_from"]
        aged(company, 7.1)
        (due,) = [one for one in company.plan()["actions"] if one["kind"] == "deactivate"]
        assert (due["decision"], due["acts_from"]) == ("automatic", None)
        company.approve()
        assert outcomes(company.document("apply")) == {"user2": "done"}
    assert off(server) == {"user2"}


def waiting(company: Company) -> dict[str, Any]:
    """Return the one change of a plan, which waits."""
    (action,) = [one for one in company.plan()["actions"] if one["kind"] == "deactivate"]
    assert action["decision"] == "waiting"
    return action
