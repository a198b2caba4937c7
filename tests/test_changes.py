"""What a scan judged by is recorded, and the report tells what is not as it was in the scan before."""

import hashlib
import json
from pathlib import Path

import pytest
from in_process import orphanscan

from scanner import changes, config_record
from scanner.store import scans

ROOT = Path(__file__).parents[1]
RULE = "contract-ended-still-active"
CONFIG = """
[rules]
disable = {off}
[report]
formats = ["html"]
frameworks = ["gdpr"]
[waivers]
file = "waivers.toml"
[[notify]]
id = "chat"
type = "webhook"
url = {{ command = ["pass", "canary-argument"] }}
secret = {{ env = "CHAT_SECRET" }}
"""
WAIVER = """[[waiver]]
rule = "contract-ended-still-active"
account = "keiko.tanaka"
reason = "Hands over"
approver = "jonas.weiss@tarnwick.example"
granted_on = 2026-11-01
"""


def scan(folder: Path, day: str) -> None:
    """Collect and check, without a report."""
    for words in (("collect", "--as-of", f"{day}T06:00:00Z"), ("check",)):
        done = orphanscan(folder, *words)
        assert done.returncode in (0, 1), done.stderr


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a company with two scans, between which owner, clock, a receiver, a waiver and a parameter changed."""
    folder = tmp_path_factory.mktemp("changes")
    assert orphanscan(folder, "init", ".").returncode == 0
    config = folder / "orphanscan.toml"
    off = [rule.stem for rule in (ROOT / "rules").rglob("*.sql") if rule.stem != RULE]
    config.write_text(config.read_text() + CONFIG.format(off=off))
    (folder / "waivers.toml").write_text("")
    scan(folder, "2026-11-20")
    config.write_text(
        config.read_text()
        .replace("bjorn.dahlgren@tarnwick.example", "jonas.weiss@tarnwick.example")
        .replace("Europe/London", "Europe/Berlin")
        .replace("canary-argument", "canary-other")
        + "confidential = true\n[rules.params.leaver-still-active]\nsla_hours = 48\n"
    )
    (folder / "waivers.toml").write_text(WAIVER)
    scan(folder, "2026-11-21")
    return folder


def test_each_key_that_changed_is_told_with_what_it_was_and_is(company: Path) -> None:
    """The configuration by its keys, the file with when it was written and whose it is, and the waiver."""
    state = company / "orphanscan-state"
    background = changes.since_last(state, scans.get(state, "latest"))

    told = {(one.kind, one.name): (one.before, one.after) for one in background.changes}
    settings = {name: value for (kind, name), value in told.items() if kind == "setting"}
    assert settings == {
        "application.crm.owner": ('"bjorn.dahlgren@tarnwick.example"', '"jonas.weiss@tarnwick.example"'),
        "organization.timezone": ('"Europe/London"', '"Europe/Berlin"'),
        "notify.chat.confidential": ("", "true"),
    }
    before, after = told["configuration", ""]
    assert before != after
    assert "UTC, owned by" in after
    ((name, value),) = [(name, value) for (kind, name), value in told.items() if kind == "waiver"]
    assert name.endswith(f"of {RULE}")
    assert value == ("", "in force, until 2027-04-30")


def test_the_report_shows_them_without_people_and_no_secret_is_kept(company: Path) -> None:
    """At L1 an owner is withheld; the words of a command are nowhere in the state folder."""
    done = orphanscan(company, "report")
    assert done.returncode == 0, done.stderr
    page = max((company / "orphanscan-state" / "scans").iterdir()) / "reports" / "gdpr.html"

    text = page.read_text()
    assert "setting organization.timezone" in text
    assert "&#34;Europe/Berlin&#34;" in text or '"Europe/Berlin"' in text
    assert "setting application.crm.owner" in text
    assert "jonas.weiss" not in text
    kept = {path: path.read_bytes() for path in (company / "orphanscan-state").rglob("*") if path.is_file()}
    assert [path for path, data in kept.items() if b"canary-" in data] == []


def test_a_key_tells_no_secret() -> None:
    """Commands by their first word, addresses without user and query, references by name, what others get as a hash."""
    raw = {
        "application": [{"id": "crm", "base_url": "https://me:canary@crm.example/scim?key=canary", "n": [1, 2]}],
        "kinds": [{"pattern": "svc-*"}],
        "auth": {"token_env": "CRM_TOKEN", "token_command": ["pass", "canary"]},
        "url": {"command": ["vault", "canary"]},
        "rest": {"query": {"include": "canary"}},
        "settings": {"site": "canary", "door": {"pin": 7}},
    }

    digest, nested = (hashlib.sha256(said).hexdigest()[:12] for said in (b'"canary"', b'{"pin": 7}'))
    assert config_record.keys(raw) == {
        "application.crm.id": '"crm"',
        "application.crm.base_url": '"https://crm.example/scim?..."',
        "application.crm.n": "[1, 2]",
        "kinds.0.pattern": '"svc-*"',
        "auth.token_env": '"CRM_TOKEN"',
        "auth.token_command": '["pass", "..."]',
        "url.command": '["vault", "..."]',
        "rest.query.include": f'"sha256:{digest}"',
        "settings.site": f'"sha256:{digest}"',
        "settings.door": f'"sha256:{nested}"',
    }


def test_evidence_of_before_says_nothing_of_keys_rather_than_that_all_are_new(company: Path) -> None:
    """A scan without the record, as of an earlier program or purged, is compared by the rest."""
    state = company / "orphanscan-state"
    first, latest = (scans.get(state, path.name) for path in sorted((state / "scans").iterdir()))
    record = state / "scans" / first.id / "evidence" / "configuration.json"
    kept = record.read_bytes()
    record.unlink()
    try:
        kinds = {one.kind for one in changes.since_last(state, latest).changes}
    finally:
        record.write_bytes(kept)

    assert "setting" not in kinds
    assert {"configuration", "waiver"} <= kinds
    assert json.loads(kept)["keys"]["organization.timezone"] == '"Europe/London"'
