"""Drift between HR and the applications, over scans of one store."""

import json
from pathlib import Path

import pytest
from in_process import orphanscan

CONFIG = """
state = "state"
[organization]
name = "Acme"
timezone = "UTC"
email_domains = ["acme.example"]
[[roster]]
id = "hr"
type = "csv"
path = "hr.csv"
[[application]]
id = "crm"
type = "csv"
path = "crm.csv"
"""
HR = """employee_number,full_name,email,status,department,job_title,manager
1,Ada Blum,ada@acme.example,active,{department},Nurse,2
2,Bo Chen,bo@acme.example,active,Ward 7,Head nurse,
3,Cy Dorn,cy@acme.example,active,Ward 7,Nurse,2
"""
CRM = """account_id,email,status,department,job_title,manager
a,ada@acme.example,active,Ward 7,nurse,{manager}
b,bo@acme.example,active,WARD 7,Head nurse,
c,cy@acme.example,active,Ward-7,Nurse,bo@acme.example
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return a folder with a configuration that nobody else may write."""
    tmp_path.chmod(0o700)
    (tmp_path / "orphanscan.toml").write_text(CONFIG)
    (tmp_path / "orphanscan.toml").chmod(0o600)
    return tmp_path


def drift(company: Path, day: str, *, department: str, manager: str) -> list[tuple[str, str]]:
    """Scan on a day, and return verdict and reason of what the rule says."""
    (company / "hr.csv").write_text(HR.format(department=department))
    (company / "crm.csv").write_text(CRM.format(manager=manager))
    collected = orphanscan(company, "collect", "--json", "--as-of", f"{day}T06:00:00Z")
    assert collected.returncode == 0, collected.stderr
    orphanscan(company, "check")
    document = json.loads((Path(json.loads(collected.stdout)["dir"]) / "findings.json").read_text())
    standing = [one for one in document["findings"] if one["state"] != "resolved"]
    return [(one["verdict"], one["reason"]) for one in standing if one["rule"] == "hr-attribute-drift"]


def test_a_change_of_department_that_an_application_does_not_follow_is_told_after_a_week(company: Path) -> None:
    """Not before; and an application that changes what it says of the manager starts its own week."""
    assert drift(company, "2026-03-01", department="Ward 7", manager="bo@acme.example") == []
    assert drift(company, "2026-03-02", department="Ward 9", manager="bo@acme.example") == []
    assert drift(company, "2026-03-10", department="Ward 9", manager="bo@acme.example") == [
        ("fail", "Different from HR for more than 8 days: department.")
    ]
    assert drift(company, "2026-03-11", department="Ward 9", manager="cy@acme.example") == []
    assert drift(company, "2026-03-20", department="Ward 9", manager="cy@acme.example") == [
        ("fail", "Different from HR for more than 9 days: department, manager.")
    ]
