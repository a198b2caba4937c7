"""A small company with one live SCIM application, and the command line run on it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from in_process import orphanscan

from scanner import config_file, rules
from scanner import scan as scanning
from scanner.collectors.interface import no_progress
from scanner.policy import read_policies

READ = "canary-read-7c1f20ab94"
WRITE = "canary-write-5e83d1cc02"
ROOT = str(Path(__file__).parents[2])


def user(number: int, **more: object) -> dict[str, Any]:
    """Return a synthetic user of the SCIM application."""
    mail = f"user{number}@corp.example"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": mail,
        "active": True,
        "emails": [{"value": mail, "primary": True}],
        **more,
    }


@dataclass(frozen=True, slots=True)
class Company:
    """A folder with a configuration, a roster and policies."""

    folder: Path

    def copy(self, folder: Path, **settings: object) -> "Company":
        """Return a copy with all that was scanned, and with these settings of [remediation]."""
        shutil.copytree(self.folder, folder)
        config = folder / "orphanscan.toml"
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        config.write_text(config.read_text() + "".join(lines))
        return Company(folder)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "orphanscan-state"

    def run(self, *words: str, expect: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line in this process, where it need not start first; fail unless it ends as expected."""
        done = orphanscan(self.folder, *words, READ_TOKEN=READ, WRITE_TOKEN=WRITE)
        assert READ not in done.stdout + done.stderr
        assert WRITE not in done.stdout + done.stderr
        if expect is not None:
            assert done.returncode == expect, f"{words} gave {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def document(self, *words: str, expect: int | None = 0) -> Any:
        """Return what a command prints with --json."""
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def scan(self) -> None:
        """Scan without rendering reports; whatever was found."""
        os.environ |= {"READ_TOKEN": READ, "WRITE_TOKEN": WRITE}
        config = config_file.load(self.folder / "orphanscan.toml")
        listeners = scanning.Listeners(progress=no_progress)
        scanning.run(config, read_policies(config), as_of=None, listeners=listeners)

    def hr(self, rows: Iterable[str]) -> None:
        """Write the roster: number, e-mail, status, termination date."""
        text = "\n".join(["employee_number,email,status,termination_date", *rows, ""])
        (self.folder / "hr.csv").write_text(text)

    def plan(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """Make a plan and return it."""
        plan: dict[str, Any] = self.document("plan", *words, expect=expect)["plan"]
        return plan

    def approve(self, *names: str, expect: int = 0) -> None:
        """Approve the latest plan."""
        for name in names or ("dana",):
            self.run("approve", "--key", f"{name}.pem", expect=expect)


def people(count: int, leavers: Mapping[int, str] | Sequence[int]) -> list[str]:
    """Return roster rows, the approvers last; leavers ended their work on a day, by default 2026-01-31."""
    days = leavers if isinstance(leavers, Mapping) else dict.fromkeys(leavers, "2026-01-31")
    rows = [
        f"E{n},user{n}@corp.example,{'terminated' if n in days else 'active'},{days.get(n, '')}" for n in range(count)
    ]
    return [*rows, "E901,dana@corp.example,active,", "E902,omar@corp.example,active,"]


KEPT = ("leaver-still-active", "disabled-keeps-privilege", "dormant-account", "activity-after-leaving")
"""Rules that scans of these tests run; the others would only take time."""


def found(
    folder: Path, applications: Mapping[str, str], *, remediation: str = "", write: str = "", app: str = ""
) -> Company:
    """Found a company whose applications are at these base URLs, with two approvers."""
    folder.mkdir(parents=True, exist_ok=True)
    approvers = []
    for number, name in enumerate(("dana", "omar"), start=901):
        key = Ed25519PrivateKey.generate()
        pem = folder / f"{name}.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pem.chmod(0o600)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        approvers.append(f'[[approver]]\nname = "{name}"\nworker = "E{number}"\npublic_key = "{public}"\n')
    files = {
        "approvers.toml": "".join(approvers),
        "privileged.toml": '[[entitlement]]\nentitlement = "*admin*"\n',
        "register.toml": "",
        "orphanscan.toml": '[organization]\nname = "Acme"\ntimezone = "UTC"\nemail_domains = ["corp.example"]\n'
        '[[roster]]\nid = "hr"\npath = "hr.csv"\n'
        + "".join(_application(name, url, write, app) for name, url in applications.items())
        + '[policy]\nprivileged_entitlements = "privileged.toml"\nservice_register = "register.toml"\n'
        + '[report]\nformats = ["html"]\nframeworks = ["sox"]\n'
        + f"[rules]\ndisable = {json.dumps([rule.id for rule in rules.find() if rule.id not in KEPT])}\n"
        + f'[remediation]\napprovers = "approvers.toml"\n{remediation}',
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return Company(folder)


def _application(name: str, url: str, write: str, app: str) -> str:
    return (
        f'[[application]]\nid = "{name}"\ntype = "scim"\nbase_url = "{url}"\nowner = "olga@corp.example"\n{app}'
        f'auth = {{type = "bearer", token_env = "READ_TOKEN"}}\nlimits = {{retries = 1, timeout_seconds = 10}}\n'
        f'[application.write]\nauth = {{type = "bearer", token_env = "WRITE_TOKEN"}}\nown_accounts = []\n'
        f"settle_seconds = 0.3\n{write}\n"
    )


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    """Return user name -> outcome."""
    return {one["title"].split()[-1].split("@")[0]: one["outcome"] for one in document["results"]}


def client(token: str = WRITE) -> httpx.Client:
    """Return a client that looks at a server from outside."""
    return httpx.Client(headers={"Authorization": f"Bearer {token}"})
