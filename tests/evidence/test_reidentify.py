"""Whom a pseudonym stands for: only with a reason, only with the key, and never before the log has it."""

import json
import re
from pathlib import Path

import pytest
from sealed_company import Company

from scanner.report.pseudonyms import account_pseudonym, load_key, worker_pseudonym


@pytest.fixture
def copied(company: Company, tmp_path: Path) -> Company:
    """Return a company whose access log a test may write."""
    return company.copy(tmp_path / "copy")


def subject(company: Company) -> dict[str, str]:
    """Return a finding about an account with a person."""
    findings = json.loads((company.scan / "findings.json").read_bytes())["findings"]
    return next(one for one in findings if one["account_id"] and one["worker_id"])


def test_person_account_and_finding_are_told_and_logged_first(copied: Company) -> None:
    """The pseudonyms of a report lead to ids and names; the log names question, reason and recipient, no answer."""
    finding, key = subject(copied), load_key(copied.state, create=False)
    account = account_pseudonym(key, finding["app"], finding["account_id"])
    person = worker_pseudonym(key, finding["worker_id"])
    page = (copied.scan / "reports" / "sox.html").read_text()
    assert account in page
    reference = re.findall(r"F-[A-Z2-7]{8}", page)[0]
    words = ("--reason", "Case 4711", "--recipient", "Owner of payroll", "--json")
    code, told = copied.run("reidentify", account, person.lower(), reference, *words)
    answer = {one["pseudonym"]: one for one in json.loads(told)["identities"]}

    assert code == 0
    assert (answer[account]["id"], answer[account]["name"]) == (finding["account_id"], finding["username"])
    assert answer[person]["id"] == finding["worker_id"]
    assert answer[reference]["kind"] == "finding"

    code, log = copied.run("reidentify", "--log", "--json")
    entries = json.loads(log)["entries"]
    assert [(one["subject"], one["reason"], one["recipient"]) for one in entries] == [
        (pseudonym, "Case 4711", "Owner of payroll") for pseudonym in sorted([account, person, reference])
    ]
    assert finding["account_id"] not in log
    assert copied.run("reidentify", "--log")[1].count("Case 4711") == 3


def test_without_a_reason_a_pseudonym_or_the_key_nothing_is_told(copied: Company) -> None:
    """Usage is 2; a missing key is 6; neither writes to the log."""
    assert copied.run("reidentify", "P-AAAAAAAAAAAAAAAA")[0] == 2
    assert copied.run("reidentify", "P-AAAAAAAAAAAAAAAA", "--reason", "  ")[0] == 2
    assert copied.run("reidentify", "--reason", "why")[0] == 2
    assert copied.run("reidentify", "jane@acme.example", "--reason", "why")[0] == 2
    (copied.state / "pseudonym.key").unlink()
    code, told = copied.run("reidentify", "P-AAAAAAAAAAAAAAAA", "--reason", "why")

    assert code == 6
    assert "pseudonym key is missing" in told
    assert not (copied.state / "access.ndjson").exists()


def test_a_log_that_cannot_be_written_or_was_changed_shows_nothing(copied: Company) -> None:
    """Who asks must stand in the log, and the log must stand."""
    finding, key = subject(copied), load_key(copied.state, create=False)
    account = account_pseudonym(key, finding["app"], finding["account_id"])
    log = copied.state / "access.ndjson"
    log.symlink_to(copied.state / "elsewhere")
    code, told = copied.run("reidentify", account, "--reason", "why")
    assert code == 6
    assert finding["account_id"] not in told

    log.unlink()
    assert copied.run("reidentify", account, "--reason", "why")[0] == 0
    assert copied.run("reidentify", account, "--reason", "again")[0] == 0
    log.write_bytes(log.read_bytes().replace(b"why", b"not"))
    code, told = copied.run("reidentify", "--log")
    assert code == 6
    assert "line 2: the access log was changed" in told
    code, told = copied.run("verify")
    assert code == 1
    assert "MISMATCH The access log was changed" in " ".join(told.split())


def test_a_pseudonym_of_nobody_is_told_with_1_and_logged(copied: Company) -> None:
    """A wrong scan is the likely cause, and the question counts all the same."""
    code, told = copied.run("reidentify", "P-AAAAAAAAAAAAAAAA", "--reason", "why")

    assert code == 1
    assert "stands for nobody in scan" in told
    assert "P-AAAAAAAAAAAAAAAA" in copied.run("reidentify", "--log")[1]


def test_an_identified_report_names_its_recipient_on_the_page_in_the_manifest_and_in_the_log(copied: Company) -> None:
    """Without one it is refused; hostile text in it is escaped; the other reports keep their profile."""
    assert copied.run("report", "--privacy", "L2")[0] == 2
    assert copied.run("report", "--recipient", "Jo")[0] == 2
    assert copied.run("report", "--framework", "gdpr")[0] == 0
    recipient = "Audit <script>alert(1)</script> & Co"
    code, told = copied.run("report", "--framework", "sox", "--privacy", "L2", "--recipient", recipient)
    assert code == 0, told
    page = (copied.scan / "reports" / "sox.html").read_text()
    files = json.loads((copied.scan / "reports" / "manifest.json").read_bytes())["files"]

    assert "identified working paper, for Audit &lt;script&gt;" in page
    assert "<script>alert" not in page
    assert {file["path"]: (file["privacy"], file["recipient"]) for file in files} == {
        "gdpr.html": ("L1", ""),
        "sox.html": ("L2", recipient),
    }
    entries = json.loads(copied.run("export", "access-log", "--json")[1])["entries"]
    assert [(one["command"], one["recipient"]) for one in entries] == [("report", recipient)]
    assert copied.run("verify", "latest")[0] == 0


def test_the_head_and_number_of_the_chain_stand_on_the_cover(company: Company) -> None:
    """From there they lead to `verify --head --number`."""
    page = (company.scan / "reports" / "sox.html").read_text()

    assert re.search(r"Number of the manifest</dt>\s*<dd><bdi>1 in the chain of scans", page)
