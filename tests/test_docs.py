"""The documents say what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from scanner import config_file, docs, rules
from scanner.cli import COMMANDS
from scanner.errors import ConfigError
from scanner.store.audit import SQL

ROOT = Path(__file__).parent.parent
TABLES = {
    f"[{name}]": f"[{name}]\nzzzzzz = 1"
    for name in ("scan", "matching", "policy", "rules", "report", "evidence", "remediation")
} | {
    "[[roster]]": "[[roster]]\nzzzzzz = 1",
    "[[application]]": "[[application]]\nzzzzzz = 1",
    "[[matching.kinds]]": "[matching]\nkinds = [{ zzzzzz = 1 }]",
    "[application.write]": "[[application]]\nwrite = { zzzzzz = 1 }",
    "[application.file]": "[[application]]\nfile = { zzzzzz = 1 }",
    "[application.database]": "[[application]]\ndatabase = { zzzzzz = 1 }",
    "[application.ldap]": "[[application]]\nldap = { zzzzzz = 1 }",
    "[application.limits]": "[[application]]\nlimits = { zzzzzz = 1 }",
}
"""Heading of the reference -> a file that has a key in that table which nobody knows."""


def test_the_reference_is_what_the_program_says_of_itself() -> None:
    """Run `make docs` after a change of commands, rules or the audit schema."""
    assert docs.TARGET.read_text() == docs.reference()


def test_the_reference_shows_the_help_that_people_see() -> None:
    """Word for word, apart from where lines break."""
    shown = subprocess.run(
        [sys.executable, "-m", "scanner", "report", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout

    assert " ".join(shown.split()) in " ".join(docs.TARGET.read_text().split())


def test_every_rule_table_and_population_has_a_page_that_is_up_to_date() -> None:
    """Run `make docs` after a change of rules, cases, frameworks or the audit schema; no stale page stays."""
    folder = docs.TARGET.parent
    made = dict(docs.pages())
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        relations = con.execute(
            "select distinct table_name from duckdb_columns() where schema_name = 'audit'"
        ).fetchall()

    assert {path for part in ("rules", "audit") for path in (folder / part).iterdir()} == set(made)
    assert {path.stem for path in made if path.parent.name == "audit"} == {name for (name,) in relations}
    assert {path.stem for path in made if path.parent.name == "rules"} == {rule.id for rule in rules.find()}
    assert [path.name for path, text in made.items() if path.read_text() != text] == []


def test_a_page_of_a_rule_says_all_that_a_reader_needs() -> None:
    """What, why, needs, parameters, cases and traps, an example with its answer, controls, remedy and the SQL."""
    rule = next(rule for rule in rules.find() if rule.id == "leaver-still-active")
    page = (docs.TARGET.parent / "rules" / f"{rule.id}.md").read_text()

    for part in (rule.title, rule.why, rule.remedy, rule.sql, *(parameter.source for parameter in rule.params)):
        assert part in page
    assert "- leave is not departure" in page.split("Not flagged")[1]
    assert "fail, high: Work ended 30 days ago, and the account is still active." in page
    assert "| pci-dss | 8.2.5 Terminated users | direct |" in page
    assert "sla_hours at most 24: pci-dss 8.2.5" in page


def test_the_reference_holds_every_command_rule_table_and_view() -> None:
    """Nobody has to read code to learn what there is."""
    reference = docs.TARGET.read_text()

    assert all(f"### {name}\n" in reference for name in COMMANDS)
    assert all(f"]({path.relative_to(docs.TARGET.parent)})" in reference for path, _ in docs.pages())


@pytest.mark.parametrize(("heading", "text"), TABLES.items(), ids=list(TABLES))
def test_the_reference_holds_the_keys_that_the_file_may_have(heading: str, text: str, tmp_path: Path) -> None:
    """A key that is not there is refused with a list of those that are; a required one is missed."""
    section = docs.TARGET.read_text().split(f"### {heading}\n")[1].split("\n##")[0]
    documented = dict(re.findall(r"^\| (\w+) \| (.*?) \|", section, re.MULTILINE))
    del documented["key"]
    file = tmp_path / "orphanscan.toml"
    file.write_text(f"{text}\n")
    file.chmod(0o600)

    with pytest.raises(ConfigError) as caught:
        config_file.load(file)

    (refused,) = re.findall(r"zzzzzz: unknown key; known: (.*)", str(caught.value))
    assert set(documented) == set(refused.split(", "))
    place = r"(?:\[1\])?\.".join(heading.strip("[]").split("."))
    missed = set(re.findall(rf"^  {place}(?:\[1\])?\.(\w+): missing$", str(caught.value), re.MULTILINE))
    assert {key for key, default in documented.items() if default == "*required*"} == missed


def test_the_changelog_and_the_documents_are_linked_from_the_readme() -> None:
    """Every link within the project leads to a file."""
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("kind", ["bearer", "basic", "oauth2", "header"])
def test_the_reference_holds_the_keys_of_every_way_to_sign_in(kind: str, tmp_path: Path) -> None:
    """Those of the table, and those that its text spells as a stem and a form."""
    section = docs.TARGET.read_text().split("### [application.auth]\n")[1].split("\n### ")[0]
    documented = set(re.findall(r"^\| (\w+) \|", section, re.MULTILINE))
    stem = {"bearer": "token", "basic": "password", "oauth2": "client_secret", "header": "value"}[kind]
    file = tmp_path / "orphanscan.toml"
    file.write_text(f'[[application]]\nauth = {{ type = "{kind}", zzzzzz = 1 }}\n')
    file.chmod(0o600)

    with pytest.raises(ConfigError) as caught:
        config_file.load(file)

    (refused,) = re.findall(r"zzzzzz: unknown key; known: (.*)", str(caught.value))
    assert f"`{stem}_" in section
    assert {key for key in refused.split(", ") if key not in documented} == {
        f"{stem}_{form}" for form in ("env", "file", "keyring", "command")
    }
