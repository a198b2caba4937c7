"""A state folder with scans as `findings.json` tells them, and a configuration with receivers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scanner import config_file, notices
from scanner.config import Config
from scanner.notices import Delivery, Post, Sealed, Told

KEY = bytes(range(32))
BEGAN = datetime(2026, 11, 1, 6, tzinfo=UTC)
MANIFEST = "ab" * 32
EVIL = "x\r\nBcc: all@acme.example <!channel> |a=b\\ {noformat} [code]<b>*y*_z_[c](http://evil.example)\u202e\x1b[2J"

FRAME = """
[organization]
name = "Acme <&> *bold*"
timezone = "UTC"
[[roster]]
id = "hr"
path = "hr.csv"
[[application]]
id = "crm"
type = "scim_file"
path = "crm.json"
owner = "jane@acme.example"
[[application]]
id = "erp"
type = "scim_file"
path = "erp.json"
owner = "raj@acme.example"
[[application]]
id = "wiki"
type = "scim_file"
path = "wiki.json"
"""


def finding(number: int, state: str = "new", **more: object) -> dict[str, Any]:
    """Return an entry of `findings.json`."""
    return {
        "fingerprint": f"{number:064x}",
        "rule": "leaver-still-active",
        "severity": "high",
        "verdict": "fail",
        "state": state,
        "app": "crm",
        "account_id": f"acc-{number}",
        "username": f"user{number}@acme.example",
        "entitlement": None,
        "worker_id": f"w-{number}",
        "reason": "Work of {worker} ended 30 days ago, and {account} is still active.",
        "evidence": {},
        "first_seen": "",
        "first_seen_at": BEGAN.isoformat(),
        "remedy": "Deactivate the account.",
        **more,
    }


def evil(number: int = 1, **more: object) -> dict[str, Any]:
    """Return a finding whose every text is hostile."""
    texts = {"username": EVIL, "account_id": EVIL, "reason": f"{EVIL} {{account}}", "remedy": EVIL}
    return finding(number, **(texts | more))


def upcoming(number: int, **more: object) -> dict[str, Any]:
    """Return a termination that is still to come."""
    reason = "Work ends in 5 days. Open accounts: 3."
    return finding(number, rule="upcoming-leaver", severity="info", app=None, account_id=None, reason=reason, **more)


@dataclass
class World:
    """Scans one after the other, one a day."""

    folder: Path
    receivers: str
    scans: list[Sealed] = field(default_factory=list)

    @property
    def config(self) -> Config:
        """Read the configuration."""
        path = self.folder / "orphanscan.toml"
        path.write_text(FRAME + self.receivers)
        path.chmod(0o600)
        return config_file.load(path)

    def scan(self, findings: Sequence[Mapping[str, Any]] = (), verdicts: Mapping[str, str] | None = None) -> Sealed:
        """Add a scan of the next day."""
        day = len(self.scans)
        as_of = BEGAN + timedelta(days=day)
        scan_id = f"{as_of:%Y%m%dT%H%M%SZ}-{day:04x}"
        told = verdicts or {}
        sources = [("hr", "roster"), ("crm", "application"), ("erp", "application")]
        rules = {entry["rule"]: entry["rule"] == "upcoming-leaver" for entry in findings}
        document = {
            "scan": {
                "id": scan_id,
                "as_of": as_of.isoformat(),
                "started_at": as_of.isoformat(),
                "finished_at": (as_of + timedelta(seconds=90)).isoformat(),
                "complete": not told,
            },
            "sources": [
                {"id": one, "kind": kind, "verdict": told.get(one, "complete"), "collected": 10, "detail": "it broke"}
                for one, kind in sources
            ],
            "rules": [{"id": rule, "title": f"Title of {rule}", "result": "exceptions", "lead": lead}
                      for rule, lead in rules.items()],
            "findings": list(findings),
        }  # fmt: skip
        folder = self.folder / "scans" / scan_id
        folder.mkdir(parents=True)
        (folder / "findings.json").write_text(json.dumps(document))
        sealed = Sealed(Told(scan_id, day + 1, as_of, MANIFEST, not told), folder)
        self.scans.append(sealed)
        return sealed

    def note(self) -> tuple[Post, ...]:
        """Take up what the scans changed, as a run does before it sends."""
        return notices.note(self.config, self.scans, KEY)

    def tell(self, *, ended: bool = True) -> dict[str, Delivery]:
        """Note and send; return receiver -> delivery."""
        found = notices.deliver(self.config, self.note(), self.scans[-1], ended=ended)
        return {one.receiver: one for one in found}


def begun(folder: Path, receivers: str) -> World:
    """Return a world whose receivers have had their first notice, which tells nothing but that they begin."""
    world = World(folder, receivers)
    world.scan()
    world.tell()
    return world
