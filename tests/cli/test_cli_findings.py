"""`findings`, `rules` and `frameworks`: what they list, and how it can be narrowed."""

import csv
import io
import json

import pytest
from in_process import orphanscan as run


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Write the starter, scan it without reports, and return its folder."""
    folder = tmp_path_factory.mktemp("findings")
    for words in (["init"], ["collect", "--as-of", "2026-11-20T06:00:00Z"], ["check"]):
        done = run(folder, *words)
        assert done.returncode in (0, 1), done.stderr
    return folder


def listed(folder, *words):
    """Return (severity, rule, app) of the findings that `--json` lists."""
    done = run(folder, "findings", "--json", *words)

    assert done.returncode == 0, done.stderr
    return [(one["severity"], one["rule"], one["app"]) for one in json.loads(done.stdout)["findings"]]


def test_the_worst_come_first(work):
    """All findings are listed by severity, then rule."""
    assert listed(work) == [
        ("critical", "contract-ended-still-active", "crm"),
        ("critical", "leaver-still-active", "crm"),
        ("critical", "orphaned-account", "crm"),
        ("critical", "service-account-without-owner", "crm"),
        ("high", "disabled-keeps-privilege", "crm"),
        ("high", "duplicate-accounts", "crm"),
        ("high", "population-incomplete", "warehouse"),
    ]


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        (["--severity", "high", "--app", "crm"], ["disabled-keeps-privilege", "duplicate-accounts"]),
        (["--rule", "orphaned-account", "--rule", "duplicate-accounts"], ["orphaned-account", "duplicate-accounts"]),
        (["--app", "warehouse"], ["population-incomplete"]),
        (["--status", "new"], []),
        (["--status", "baseline", "--severity", "critical", "--rule", "leaver-still-active"], ["leaver-still-active"]),
    ],
)
def test_filters_narrow_the_list(work, words, rules):
    """Values of one filter add up, filters narrow each other."""
    assert [rule for _, rule, _ in listed(work, *words)] == rules


def test_a_scan_is_named_by_latest_or_a_prefix(work):
    """An id, its beginning and `latest` are the same scan; anything else is told."""
    (scan,) = (work / "orphanscan-state" / "scans").iterdir()

    assert listed(work, scan.name) == listed(work, scan.name[:6]) == listed(work, "latest") == listed(work)
    unknown = run(work, "findings", "2019")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "there is no scan '2019'" in unknown.stderr


def test_the_state_folder_is_enough(work, tmp_path):
    """Whoever was given the state folder alone needs no configuration."""
    assert listed(tmp_path, "--state", str(work / "orphanscan-state")) == listed(work)


def test_people_see_names_in_the_reasons(work):
    """The table shows user names and whole reasons, the count goes to stderr."""
    done = run(work, "findings", "--rule", "leaver-still-active")

    (scan,) = (work / "orphanscan-state" / "scans").iterdir()
    assert done.stdout.splitlines() == [
        "severity  state     rule                 application  account        reason",
        "critical  baseline  leaver-still-active  crm          dmitri.volkov  "
        "Work ended 416 days ago, and the account is still active.",
    ]
    assert done.stderr == f"1 of 7 findings in scan {scan.name}\n"


def write_findings(work, state, *changes):
    """Copy the store and put other findings into its scan; return the folder."""
    state.mkdir()
    (source,) = (work / "orphanscan-state" / "scans").iterdir()
    (state / "store.duckdb").write_bytes((work / "orphanscan-state" / "store.duckdb").read_bytes())
    target = state / "scans" / source.name
    target.mkdir(parents=True)
    (target / "evidence").mkdir()
    document = json.loads((source / "findings.json").read_text())
    first = next(one for one in document["findings"] if one["rule"] == "contract-ended-still-active")
    document["findings"] = [first | change for change in changes]
    (target / "findings.json").write_text(json.dumps(document))
    return target


def test_text_of_servers_cannot_harm_a_terminal_or_a_spreadsheet(work, tmp_path):
    """Control characters are not printed, and a name that is a formula is text in a spreadsheet."""
    evil = {
        "username": "=cmd|'/c calc'!A1\x1b[2J",
        "reason": "{account} of {worker} and {manager}.",
        "verdict": "unknown",
    }
    write_findings(work, tmp_path / "state", evil)

    shown = run(tmp_path, "findings", "--state", "state").stdout
    (row,) = csv.DictReader(io.StringIO(run(tmp_path, "findings", "--state", "state", "--csv").stdout))

    assert "\x1b" not in shown
    assert "=cmd|'/c calc'!A1[2J of hr:0011 and -." in shown
    assert ", unknown" in shown
    assert row["username"] == "'=cmd|'/c calc'!A1[2J"


def test_a_scan_that_was_not_checked_or_is_damaged_is_told(work, tmp_path):
    """The sentence names the command that helps."""
    folder = write_findings(work, tmp_path / "state")

    (folder / "findings.json").write_text("{")
    damaged = run(tmp_path, "findings", "--state", "state")
    (folder / "findings.json").write_text('{"schema": "orphanscan.findings/9"}')
    other = run(tmp_path, "findings", "--state", "state")
    (folder / "findings.json").unlink()
    unchecked = run(tmp_path, "findings", "--state", "state")

    assert [one.returncode for one in (damaged, other, unchecked)] == [6, 6, 6]
    assert "cannot be read" in damaged.stderr
    assert "was written by another version of orphanscan" in other.stderr
    assert unchecked.stderr == (
        f"error: scan {folder.name} was collected but not checked; run `orphanscan check {folder.name}`\n"
    )


def test_rules_are_listed_with_what_the_configuration_changes(tmp_path):
    """A rule that is switched off or loosened is seen in the list."""
    assert run(tmp_path, "init").returncode == 0
    with (tmp_path / "orphanscan.toml").open("a") as file:
        file.write('[rules]\ndisable = ["dormant-account"]\n[rules.params.leaver-still-active]\nsla_hours = 8\n')

    rules = {rule["id"]: rule for rule in json.loads(run(tmp_path, "rules", "list", "--json").stdout)}
    shown = run(tmp_path, "rules", "list").stdout

    assert not rules["dormant-account"]["enabled"]
    assert rules["leaver-still-active"]["changed"] == {"sla_hours": 8}
    assert rules["orphaned-account"]["enabled"]
    assert "sla_hours = 8" in shown
    assert "disabled" in shown


def test_a_rule_is_shown_whole(tmp_path):
    """Why, remedy, needs and SQL; a name that is nearly right is helped."""
    shown = run(tmp_path, "rules", "show", "orphaned-account")
    unknown = run(tmp_path, "rules", "show", "orphand-account")

    assert shown.stdout.startswith("orphaned-account (high): ")
    assert "\nNeeds: complete rosters, complete lists of accounts\n" in shown.stdout
    assert "select" in shown.stdout
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == (
        "error: there is no rule orphand-account; did you mean orphaned-account?; see `orphanscan rules list`\n"
    )


def test_rules_are_tested_by_their_cases(tmp_path):
    """Cases that come out as written end with 0; one that does not is named and ends with 1."""
    (tmp_path / "orphaned-account.toml").write_text(
        '[[case]]\nname = "flags nobody, wrongly expected to"\n[[case.flagged]]\naccount_id = "x"\n'
    )

    good = run(tmp_path, "rules", "test", "duplicate-accounts", "--json")
    bad = run(tmp_path, "rules", "test", "orphaned-account", "--cases", ".")

    assert good.returncode == 0
    assert all(case["passed"] for case in json.loads(good.stdout))
    assert bad.returncode == 1
    assert bad.stdout.startswith("orphaned-account: flags nobody, wrongly expected to: did not flag")
    assert bad.stdout.endswith("0 of 1 cases came out as written\n")


def test_frameworks_are_listed_and_shown(tmp_path):
    """Each control says which rule tests it and why, or that none does."""
    listed = json.loads(run(tmp_path, "frameworks", "list", "--json").stdout)
    shown = run(tmp_path, "frameworks", "show", "sox")
    unknown = run(tmp_path, "frameworks", "show", "hippa")

    assert [one["framework"] for one in listed if one["status"] == "in_force"] == [
        *("gdpr", "hipaa", "iso-27001", "nist-800-53", "pci-dss", "soc2", "sox"),
    ]
    assert all(one["controls"] == sum(n for key, n in one.items() if "test" in key or "only" in key) for one in listed)
    assert "  tested by orphaned-account (" in shown.stdout
    assert "  not tested: " in shown.stdout
    assert unknown.stderr == "error: there is no framework hippa; did you mean hipaa?\n"
    assert unknown.returncode == 2


def test_each_listing_stands_in_the_access_log(work):
    """`export access-log` tells it, and finds a line that was changed; where it cannot be kept nothing is shown."""
    log = work / "orphanscan-state" / "access.ndjson"
    log.unlink(missing_ok=True)
    assert run(work, "findings", "--rule", "leaver-still-active", SUDO_USER="dana").returncode == 0
    assert run(work, "findings", "--status", "new").returncode == 0

    listing = json.loads(run(work, "export", "access-log", "--json").stdout)
    (entry,) = listing["entries"]
    assert (entry["command"], entry["count"], entry["sudo_user"]) == ("findings", 1, "dana")
    assert "sudo by dana" in run(work, "export", "access-log").stdout

    log.write_text("damaged\n")
    done = run(work, "findings")
    assert (done.returncode, done.stdout) == (6, "")
    assert run(work, "export", "access-log").returncode == 6
    log.unlink()
