"""`diff`, `history`, `waivers` and `--new-only`, on a company that is scanned some times."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from in_process import orphanscan

from scanner import rules

KEPT = ("leaver-still-active", "orphaned-account", "disabled-keeps-privilege")
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class Company:
    """A folder with one application and a roster, and the command line run on it in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        off = json.dumps([rule.id for rule in rules.find() if rule.id not in KEPT])
        self.write("privileged.toml", '[[entitlement]]\nentitlement = "*admin*"\n')
        self.write("waivers.toml", "# nothing accepted yet\n")
        self.write(
            "orphanscan.toml",
            '[organization]\nname = "Acme"\ntimezone = "UTC"\nemail_domains = ["acme.example"]\n'
            '[[roster]]\nid = "hr"\npath = "hr.csv"\nmax_shrink_percent = 90\n'
            '[[application]]\nid = "crm"\ntype = "scim_file"\npath = "users.json"\ncoverage = "all"\n'
            '[policy]\nprivileged_entitlements = "privileged.toml"\n[waivers]\nfile = "waivers.toml"\n'
            f'[report]\nformats = ["html"]\nframeworks = ["sox"]\n[rules]\ndisable = {off}\n',
        )

    def write(self, name: str, text: str) -> None:
        """Write a file that only its owner may write."""
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def files(self, accounts: Mapping[str, bool], leavers: Mapping[str, str], groups: Mapping[str, list[str]]) -> None:
        """Write what HR and the application export; whoever has a name that begins with x is not in HR."""
        users = [
            {"id": f"id-{name}", "userName": name, "active": active, "emails": [{"value": f"{name}@acme.example"}]}
            for name, active in accounts.items()
        ]
        resources = users + [
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "id": f"g-{name}",
                "displayName": name,
                "members": [{"value": f"id-{member}"} for member in members],
            }
            for name, members in groups.items()
        ]
        self.write("users.json", json.dumps({"totalResults": len(resources), "Resources": resources}))
        rows = [
            f"E-{name},{name}@acme.example,{'terminated' if name in leavers else 'active'},{leavers.get(name, '')}"
            for name in (*accounts, "boss")
            if not name.startswith("x")
        ]
        self.write("hr.csv", "\n".join(["employee_number,email,status,termination_date", *rows, ""]))

    def run(self, *words: str, expect: int = 0) -> tuple[str, str]:
        """Run the command line and return what it printed."""
        done = orphanscan(self.folder, *words)
        assert done.returncode == expect, f"{words} gave {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def document(self, *words: str, expect: int = 0) -> Any:
        """Return what a command prints with --json."""
        return json.loads(self.run(*words, "--json", expect=expect)[0])

    def scan(self, day: int, *, expect: int = 1) -> str:
        """Collect and check as of noon of a day before today, counted back; returns what was told."""
        self.run("collect", "--as-of", noon(day))
        return self.run("check", expect=expect)[1]

    def findings(self, *words: str) -> dict[str, tuple[str, str]]:
        """Return account -> rule and state."""
        found = self.document("findings", *words)["findings"]
        return {one["account_id"].removeprefix("id-"): (one["rule"], one["state"]) for one in found}


def noon(back: int) -> str:
    """Return an instant so many and a half days before today."""
    return (TODAY - timedelta(days=back, hours=12)).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(back: int) -> str:
    """Return a date so many days before today."""
    return f"{TODAY - timedelta(days=back):%Y-%m-%d}"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company after five scans: accounts come, are accepted, close, and fire again."""
    made = Company(tmp_path_factory.mktemp("company"))
    staff = dict.fromkeys(("ann", "bob", "cat", "dan"), True)
    admins = {"admins": ["ann"]}
    made.files(staff | {"xold": True}, {}, admins)
    made.scan(20)
    made.files(staff | {"xold": True, "xnew": True}, {"bob": day(40)}, admins)
    made.write(
        "waivers.toml",
        "# accepted in the spring\n"
        f'[[waiver]]\nrule = "orphaned-account"\naccount = "xold"\nreason = "Archive"\napprover = "boss"\n'
        f'ticket = "RISK-1"\ngranted_on = {day(25)}\nexpires_on = {day(7)}\n\n'
        f'[[waiver]]\nrule = "orphaned-account"\napp = "crm"\naccount = "xn*"\nreason = "Trial"\napprover = "boss"\n'
        f"granted_on = {day(16)}\n",
    )
    made.scan(15)
    made.files(staff | {"bob": False, "xold": True, "xnew": True}, {"bob": day(40)}, admins)
    made.scan(10, expect=0)
    made.told = made.scan(5)  # type: ignore[attr-defined]
    made.run("scan", "--new-only", "--as-of", noon(4), expect=0)
    made.files(staff | {"bob": True, "xnew": True}, {"bob": day(40)}, {"admins": ["ann", "xnew"]})
    made.scan(1)
    return made


def test_waived_findings_do_not_count_until_the_waiver_ends_or_lapses(company: Company) -> None:
    """Exit codes of the fixture say so; the last scan reopens what a new privilege lets lapse."""
    assert company.findings("--status", "reopened") == {
        "bob": ("leaver-still-active", "reopened"),
        "xnew": ("orphaned-account", "reopened"),
    }
    assert company.findings("--status", "resolved") == {"xold": ("orphaned-account", "resolved")}
    document = json.loads(
        (company.folder / "orphanscan-state" / "scans" / latest(company) / "findings.json").read_text()
    )
    assert [(one["line"], one["status"], one["lapsed"][0]["because"][:39]) for one in document["waivers"][1:]] == [
        (11, "lapsed", "The account holds a privileged entitlem")
    ]
    told = company.told  # type: ignore[attr-defined]
    assert "waivers: 1 in force, 1 expired; accepted findings: 1" in told
    assert f"line 2: orphaned-account, account xold: expired on {day(7)}; 1 finding fires again" in told
    assert "waivers" in told.split("can silence a finding")[1].split("rule ")[0]


def test_the_evidence_holds_the_file_and_what_it_did(company: Company) -> None:
    """A replay needs nothing else, and both are sealed."""
    for scan in (company.folder / "orphanscan-state" / "scans").iterdir():
        listed = {one["path"] for one in json.loads((scan / "evidence" / "manifest.json").read_text())["files"]}
        assert {"policy/waivers.toml", "waivers.json"} <= listed
    folder = company.folder / "orphanscan-state" / "scans" / latest(company)
    applied = json.loads((folder / "evidence" / "waivers.json").read_text())
    assert [(one["approver"], one["status"]) for one in applied] == [("boss", "expired"), ("boss", "lapsed")]


def latest(company: Company) -> str:
    """Return the id of the last scan."""
    return str(company.document("findings")["scan"]["id"])


def test_diff_tells_what_changed_between_two_scans(company: Company) -> None:
    """By default the last two; any two, in their order; population, rules and waivers beside the findings."""
    scans = [one["scan"] for one in company.document("history")["scans"]]
    told = company.document("diff")

    what = {(one["event"], one["username"]) for one in told["findings"]}
    assert what == {("reopened", "bob"), ("waiver_ended", "xnew"), ("resolved", "xold")}
    (crm,) = told["population"]
    assert (crm["accounts_before"], crm["accounts"], crm["came"], crm["went"]) == (6, 5, 0, 1)
    assert (crm["active_before"], crm["active"]) == (5, 5)
    assert [(one["rule"], one["before"][:8], one["after"][:6]) for one in told["waivers"]] == [
        ("orphaned-account", "in force", "lapsed")
    ]

    whole = company.document("diff", scans[0], scans[-1])
    assert {(one["event"], one["username"]) for one in whole["findings"]} == {
        ("new", "bob"),
        ("new", "xnew"),
        ("resolved", "xold"),
    }
    middle = company.document("diff", scans[0], scans[2])
    assert {(one["event"], one["username"]) for one in middle["findings"]} == {
        ("came_and_went", "bob"),
        ("waived", "xnew"),
        ("waived", "xold"),
    }
    assert "is the later one" in company.run("diff", scans[2], scans[0], expect=2)[1]
    assert "both names stand for" in company.run("diff", scans[2], scans[2], expect=2)[1]
    assert "resolved" in company.run("diff")[0]
    assert "diff" in company.run("export", "access-log")[0]


def test_history_counts_scan_by_scan_and_tells_how_long_closing_took(company: Company) -> None:
    """The numbers of each scan are those of its findings, and every change has a cause."""
    told = company.document("history")

    totals = [sum(one["exceptions"].values()) for one in told["scans"]]
    assert totals == [1, 1, 0, 1, 1, 2]
    assert [one["waived"] for one in told["scans"]] == [0, 2, 2, 1, 1, 0]
    assert [one["came"] for one in told["scans"]] == [
        {"baseline": 1},
        {"people": 1},
        {},
        {"waivers": 1},
        {},
        {"people": 1, "waivers": 1},
    ]
    assert [one["went"] for one in told["scans"]] == [{}, {"waivers": 1}, {"people": 1}, {}, {}, {"people": 1}]
    assert (told["total"]["resolved"], told["total"]["closed"], told["total"]["mean_days_to_close"]) == (2, 1, 5.0)
    by = {one["name"]: one for one in company.document("history", "--by", "rule")["by_rule"]}
    assert (by["leaver-still-active"]["mean_days_to_close"], by["leaver-still-active"]["reopened"]) == (5.0, 1)
    assert by["orphaned-account"]["mean_days_to_close"] is None
    out, err = company.run("history", "--by", "app")
    assert "crm" in out
    assert "over 1 of 2 closings" in err
    assert len(company.document("history", "--scans", "2")["scans"]) == 2


def test_new_only_lists_and_counts_what_the_scan_before_did_not_show(company: Company) -> None:
    """The listing has new and reopened findings; a night without news ends with 0, though there are findings."""
    assert set(company.findings("--new-only")) == {"bob", "xnew"}
    assert "choose one of" in company.run("findings", "--new-only", "--status", "open", expect=2)[1]


def test_waivers_check_tells_what_does_nothing_and_what_ends_soon(company: Company) -> None:
    """Exit 1 where one does not do what it was written for."""
    told = company.document("waivers", "check", expect=1)

    assert [(one["line"], one["problem"]) for one in told["problems"]] == [
        (2, f"expired on {day(7)}; 0 findings fire again"),
        (
            11,
            "no longer holds for 1 finding: The account holds a privileged entitlement since"
            f" {TODAY - timedelta(days=1, hours=12):%Y-%m-%d} that it did not hold before.",
        ),
    ]
    assert [one["status"] for one in company.document("waivers", "list")["waivers"]] == ["expired", "lapsed"]


def test_a_waiver_is_added_from_a_finding_and_a_wrong_one_is_refused(company: Company) -> None:
    """Comments stay; the entry names the account by id; dates that make no sense are usage errors."""
    fingerprint = next(
        one["fingerprint"]
        for one in company.document("findings")["findings"]
        if one["rule"] == "leaver-still-active" and one["state"] == "reopened"
    )
    before = (company.folder / "waivers.toml").read_text()
    words = ("waivers", "add", "--finding", fingerprint[:12], "--reason", "Handover", "--approver", "boss")

    made = company.document(*words, "--days", "10")["waiver"]

    text = (company.folder / "waivers.toml").read_text()
    assert text.startswith(before)
    assert 'account = "id-bob"' in text
    assert (made["status"], made["findings"]) == ("in_force", [fingerprint])
    company.run(*words, expect=2)
    assert "still to come" in company.run(*words, "--granted-on", day(-3), expect=2)[1]
    assert "is over" in company.run(*words, "--expires-on", day(3), expect=2)[1]
    assert "begins no fingerprint" in company.run(*words[:3], "ffffffffffff", *words[4:], expect=2)[1]
    assert (company.folder / "waivers.toml").read_text() == text
    assert "ends on" in company.run("waivers", "check", expect=1)[0]
    company.write("waivers.toml", before)
