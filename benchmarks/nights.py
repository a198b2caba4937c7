"""A year of nightly scans of an almost unchanged company: `python -m benchmarks.nights`.

What grows: the size of the store against that after the first scan, and the time of a scan against the second one.
Nothing is read over the network and no report is drawn; everything else is what a scan does. Each night a few accounts
change, a few come and go, and a third of all people sign in.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from scanner import config_file, rules
from scanner import scan as scanning
from scanner.collectors.interface import no_progress
from scanner.policy import read_policies

FIRST = datetime(2025, 10, 1, 4, tzinfo=UTC)
RULES = ("leaver-still-active", "orphaned-account", "dormant-account", "disabled-keeps-privilege", "too-many-admins")
"""The others cost the same every night, and would only make the run longer."""
GROUPS = 100
EDGE = 8
"""Nights at either end that are scans in full: the times of these are compared."""
SHOWN = (1, 2, 3, 10, 30, 90, 180, 270, 365)


@dataclass(frozen=True, slots=True)
class Night:
    """What one scan cost."""

    number: int
    store_bytes: int
    seconds: float
    cpu_seconds: float
    findings: int | None
    """None: collected only."""


class Company:
    """A list of accounts and a roster, which change a little each night."""

    def __init__(self, folder: Path, accounts: int, share: float) -> None:
        self.folder, self.share = folder, share
        self.random = random.Random(7)
        self.users = [self._user(n) for n in range(accounts)]
        self.next = accounts
        off = json.dumps([rule.id for rule in rules.find() if rule.id not in RULES])
        files = {
            "orphanscan.toml": '[organization]\nname = "Acme"\ntimezone = "UTC"\nemail_domains = ["acme.example"]\n'
            '[[roster]]\nid = "hr"\npath = "hr.csv"\n'
            '[[application]]\nid = "crm"\ntype = "scim_file"\npath = "users.json"\ncoverage = "all"\n'
            'attributes = {last_sign_in_at = "urn:acme:1.0:User:lastLogin"}\n'
            f'[policy]\nprivileged_entitlements = "privileged.toml"\n[rules]\ndisable = {off}\n',
            "privileged.toml": '[[entitlement]]\nentitlement = "Group 1*"\n',
        }
        for name, text in files.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)

    def _user(self, n: int) -> dict[str, Any]:
        return {
            "id": f"{n:08x}-{n * 2654435761 % 2**32:08x}",
            "userName": f"user{n}@acme.example",
            "externalId": f"E{n:06}",
            # One in a hundred belongs to nobody, one in two hundred to a leaver.
            "number": n,
            "active": n % 50 != 49,
            "displayName": f"Person {n}",
            "emails": [{"value": f"user{n}@acme.example", "primary": True}],
            "groups": [{"value": f"g{(n * k) % GROUPS}"} for k in range(1, 4)],
            "urn:acme:1.0:User": {"lastLogin": (FIRST - timedelta(days=n % 120)).isoformat()},
        }

    def night(self, at: datetime) -> None:
        """Change what changes from one night to the next."""
        for user in self.random.sample(self.users, len(self.users) // 3):
            user["urn:acme:1.0:User"]["lastLogin"] = at.isoformat()
        few = max(1, round(len(self.users) * self.share / 3))
        for user in self.random.sample(self.users, few):
            user["active"] = not user["active"]
        for user in self.random.sample(self.users, few):
            user["displayName"] = f"Person {user['number']} {at:%d%m}"
        for position in self.random.sample(range(len(self.users)), few):
            self.users[position] = self._user(self.next)
            self.next += 1

    def write(self) -> None:
        """Write both files as their systems would export them."""
        shown = [{key: value for key, value in user.items() if key not in ("groups", "number")} for user in self.users]
        members: dict[str, list[dict[str, str]]] = {f"g{g}": [] for g in range(GROUPS)}
        for user in self.users:
            for group in {one["value"] for one in user["groups"]}:
                members[group].append({"value": user["id"]})
        schema = ["urn:ietf:params:scim:schemas:core:2.0:Group"]
        groups = [
            {"schemas": schema, "id": name, "displayName": f"Group {name[1:]}", "members": held}
            for name, held in members.items()
        ]
        everything = [*shown, *groups]
        document = {"totalResults": len(everything), "Resources": everything}
        (self.folder / "users.json").write_text(json.dumps(document))
        lines = ["employee_number,email,status,termination_date"]
        for user in self.users:
            n = user["number"]
            if n % 100 != 98:
                left = n % 200 == 7
                lines.append(f"E{n:06},user{n}@acme.example,{'terminated,2025-08-01' if left else 'active,'}")
        (self.folder / "hr.csv").write_text("\n".join(lines) + "\n")


def nights(folder: Path, accounts: int, count: int, share: float, every: int) -> Iterator[Night]:
    """Yield one night after the other; rules run on the first and last eight, and on every so manieth between."""
    company = Company(folder, accounts, share)
    config = config_file.load(folder / "orphanscan.toml")
    for number in range(1, count + 1):
        at = FIRST + timedelta(days=number)
        if number > 1:
            company.night(at)
        company.write()
        is_judged = number <= EDGE or number > count - EDGE or number % every == 0
        began, cpu = time.perf_counter(), time.process_time()
        outcome = scanning.run(
            config,
            read_policies(config),
            as_of=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            listeners=scanning.Listeners(progress=no_progress),
            only_collect=not is_judged,
        )
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        if number > 1 and not outcome.scan.complete:
            raise SystemExit(f"night {number} is not complete: {[s.detail for s in outcome.sources]}")
        size = (config.state / "store.duckdb").stat().st_size
        found = sum(len(result.findings) for result in outcome.record.results) if outcome.record else None
        yield Night(number, size, seconds, cpu, found)
        shutil.rmtree(outcome.folder)  # evidence is one folder a scan, and no part of this question


def main() -> int:
    """Run the nights and tell the ratios; exit 1 if one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nights", description=__doc__)
    parser.add_argument("--accounts", type=int, default=5000)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--share", type=float, default=0.001, help="of the accounts that change each night")
    parser.add_argument("--full-every", type=int, default=1, help="run the rules on every so manieth night only")
    options = parser.parse_args()
    print(f"{options.accounts:,} accounts, {options.share:.2%} of them change each night")
    print(f"{'night':>6}{'store MB':>10}{'x first':>9}{'seconds':>9}{'cpu s':>7}{'findings':>10}")
    found: list[Night] = []
    with tempfile.TemporaryDirectory(prefix="orphanscan-nights-") as folder:
        for night in nights(Path(folder), options.accounts, options.nights, options.share, options.full_every):
            found.append(night)
            if night.number in SHOWN or night.number == options.nights:
                times = night.store_bytes / found[0].store_bytes
                print(
                    f"{night.number:>6}{night.store_bytes / 1e6:>10.2f}{times:>9.2f}{night.seconds:>9.2f}"
                    f"{night.cpu_seconds:>7.2f}{night.findings if night.findings is not None else '-':>10}",
                    flush=True,
                )
    early, late = found[1:EDGE], found[1 - EDGE :]
    grown = found[-1].store_bytes / found[0].store_bytes
    slower = median(night.cpu_seconds for night in late) / median(night.cpu_seconds for night in early)
    print(
        f"store {grown:.2f} times the first (goal below 3); a scan takes {slower:.2f} times the CPU of the second"
        f" (goal below 1.5; medians of 7 nights)"
    )
    return 0 if grown < 3 and slower < 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
