"""Reviews of access: workbooks out, decisions in, and what the next scan makes of them."""

import csv
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from in_process import orphanscan
from openpyxl import Workbook, load_workbook

from scanner import reviews
from scanner.errors import ConfigError

ROOT = Path(__file__).parent.parent
EVIL = '=HYPERLINK("http://evil.example","x")\x0b'
ROSTER = """employee_number,full_name,email,status,hire_date,manager
1,Ada Boss,ada@corp.example,active,2020-01-01,
2,Bo Lead,bo@corp.example,active,2020-01-01,1
3,Cy Clerk,cy@corp.example,active,2020-01-01,2
4,Di Gone,di@corp.example,terminated,2020-01-01,2
5,"=2+5",ed@corp.example,active,2020-01-01,4
"""
CONFIG = """
[organization]
name = "Corp"
timezone = "UTC"
email_domains = ["corp.example"]
[[roster]]
id = "hr"
path = "hr.csv"
[[application]]
id = "crm"
type = "scim_file"
path = "crm.json"
coverage = "all"
owner = "ada@corp.example"
[report]
formats = ["html"]
frameworks = ["sox"]
"""


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run the command line in this process; return code, stdout and stderr."""
    done = orphanscan(folder, *words)
    return done.returncode, done.stdout, done.stderr


def user(number: int, name: str) -> dict[str, Any]:
    """Return a user of the saved export."""
    mail = f"{name}@corp.example"
    schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"]
    return {
        "schemas": schemas,
        "id": f"u{number}",
        "userName": EVIL if name == "ed" else mail,
        "active": True,
        "emails": [{"value": mail}],
    }


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a company that was scanned once."""
    folder = tmp_path_factory.mktemp("reviews") / "company"
    folder.mkdir()
    users = [user(n, name) for n, name in enumerate(("ada", "bo", "cy", "ed"), start=1)]
    schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"]
    group = {"schemas": schemas, "id": "g1", "displayName": "+Admins", "members": [{"value": "u3"}]}
    (folder / "crm.json").write_text(json.dumps({"totalResults": 5, "Resources": [*users, group]}))
    (folder / "hr.csv").write_text(ROSTER)
    (folder / "orphanscan.toml").write_text(CONFIG)
    for path in folder.iterdir():
        path.chmod(0o600)
    done = run(folder, "scan")
    assert done[0] in (0, 1), done
    return folder


@pytest.fixture
def company(scanned: Path, tmp_path: Path) -> Path:
    """Return a copy of the company."""
    return Path(shutil.copytree(scanned, tmp_path / "company"))


def exported(company: Path, *words: str) -> dict[str, Path]:
    """Export a review; return reviewer -> workbook."""
    code, printed, said = run(company, "export", "review", "--campaign", "2026-Q4", *words)
    assert code == 0, said
    found = [Path(line) for line in printed.splitlines()]
    return {str(load_workbook(path)["Decisions"]["K2"].value): path for path in found}


def fill(path: Path, change: Callable[[int, dict[str, Any]], dict[str, Any]]) -> Path:
    """Fill a workbook in as a person does: `change` gets number and cells of each row and returns what to write."""
    book = load_workbook(path)
    sheet = book["Decisions"]
    heads = [cell.value for cell in sheet[1]]
    for number in range(2, sheet.max_row + 1):
        cells = dict(zip(heads, (cell.value for cell in sheet[number]), strict=True))
        for head, value in change(number, cells).items():
            sheet.cell(number, heads.index(head) + 1).value = value
    book.save(path)
    return path


def decide(decision: str) -> Callable[[int, dict[str, Any]], dict[str, Any]]:
    """Return a change that decides every row today."""
    return lambda number, cells: {"Decision": decision, "Decided on": datetime.now(UTC).date()}


def test_every_access_is_asked_of_the_manager_and_nobody_about_themselves(company: Path) -> None:
    """Ada has no manager and owns the application herself, Ed's manager has left: others decide, or nobody is named."""
    books = exported(company)
    rows = {
        reviewer: [row[4:6] for row in load_workbook(path)["Decisions"].iter_rows(min_row=2, values_only=True)]
        for reviewer, path in books.items()
    }

    assert rows["bo@corp.example"] == [("cy@corp.example", "The account"), ("cy@corp.example", "+Admins")]
    assert ("bo@corp.example", "The account") in rows["ada@corp.example"]
    assert len(rows["ada@corp.example"]) == 2
    assert rows["None"] == [("ada@corp.example", "The account")]
    log = json.loads(run(company, "export", "access-log", "--json")[1])
    assert (log["entries"][-1]["command"], log["entries"][-1]["count"]) == ("export review", 5)
    assert {path.stat().st_mode & 0o777 for path in books.values()} == {0o600}


def test_a_workbook_holds_no_formula_and_helps_to_fill_it_in(company: Path) -> None:
    """Names that are formulas stay texts; decision and day are checked by the spreadsheet; the rest is locked."""
    path = exported(company, "--by", "owner")["ada@corp.example"]
    sheet = load_workbook(path)["Decisions"]
    texts = [cell for row in sheet.iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)]

    assert {cell.data_type for cell in texts} == {"s"}
    assert all(cell.quotePrefix for cell in texts)
    assert "=2+5" in [cell.value for cell in texts]
    assert EVIL.rstrip("\x0b") in [cell.value for cell in texts]
    kinds = {rule.type: (rule.formula1, str(rule.sqref)) for rule in sheet.data_validations.dataValidation}
    assert kinds["list"] == ('"keep,revoke,undecided"', f"J2:J{sheet.max_row}")
    assert kinds["date"][1] == f"L2:L{sheet.max_row}"
    assert sheet.protection.sheet
    assert not sheet["J2"].protection.locked
    assert sheet["N2"].protection.locked


def test_a_decision_against_access_that_is_still_there_is_a_finding_of_a_later_scan(company: Path) -> None:
    """Out, filled in, back, and through two real scans: the review counts, and what was not carried out shows."""
    books = exported(company)
    fill(books["bo@corp.example"], decide("revoke"))
    fill(books["ada@corp.example"], decide("keep"))
    fill(books["None"], lambda number, cells: decide("keep")(number, cells) | {"Decided by": "bo@corp.example"})
    file = company / "access_reviews.csv"
    code, printed, said = run(company, "import", "review", *map(str, books.values()), "--to", str(file), "--json")
    assert code == 0, said
    assert {k: v for k, v in json.loads(printed).items() if k != "file"} == {
        "campaign": "2026-Q4", "kept": 3, "revoked": 2, "undecided": 0, "passed_on": 1,
    }  # fmt: skip
    config = company / "orphanscan.toml"
    config.write_text(config.read_text() + '[policy]\naccess_reviews = "access_reviews.csv"\n'
                      "[rules.params.revocation-not-executed]\ngrace_days = 0\n")  # fmt: skip
    code, printed, said = run(company, "scan", "--json")
    assert code in (0, 1), said
    document = json.loads((Path(json.loads(printed)["dir"]) / "findings.json").read_text())

    found = {(one["rule"], one["account_id"], one["entitlement"]) for one in document["findings"]}
    assert {("revocation-not-executed", "u3", None), ("revocation-not-executed", "u3", "group:g1")} <= found
    results = {rule["id"]: rule["result"] for rule in document["rules"]}
    assert results["access-review-overdue"] == "clean"


def test_an_import_can_be_repeated_and_a_decision_stays_as_it_was_taken(company: Path) -> None:
    """The same again changes nothing, what was undecided may be decided later, and rows of other reviews stay."""
    file = company / "decisions.csv"
    other = ["old", "crm", "u9", "", "x", "keep", "2025-01-01T10:00:00Z"]
    file.write_text("campaign,app,account,entitlement,reviewer,decision,decided_at\n" + ",".join(other) + "\n")
    file.chmod(0o600)
    path = exported(company)["bo@corp.example"]
    back = ("import", "review", str(path), "--to", str(file))
    assert run(company, *back)[0] == 0
    assert [row["decision"] for row in csv.DictReader(file.open())] == ["keep", *["undecided"] * 5]
    fill(path, decide("keep"))
    assert run(company, *back)[0] == 0
    first = file.read_bytes()
    assert run(company, *back)[0] == 0
    assert file.read_bytes() == first
    fill(path, decide("revoke"))
    code, _, said = run(company, *back)

    assert code == 2
    assert "a decision stays as it was taken" in said
    assert file.read_bytes() == first
    assert first.decode().splitlines()[1] == ",".join(other)


TODAY = date(2026, 11, 25)
BEGIN = TODAY - timedelta(days=5)


def campaign() -> reviews.Campaign:
    """Return a review of two items."""
    items = (
        reviews.Item("R-1", "crm", "u1", None, "bo@corp.example", "3"),
        reviews.Item("R-2", "crm", "u1", "group:g1", "bo@corp.example", "3"),
    )
    people = {"bo@corp.example": "2", "cy@corp.example": "3"}
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return reviews.Campaign("q", "manager", "scan", "00", at, items, people)


def row(**more: Any) -> reviews.Returned:
    """Return a row that is right, but for `more`."""
    right = {
        "number": 2, "item": "R-1", "app": "crm", "account_id": "u1", "entitlement": "", "decision": "keep",
        "decided_by": "bo@corp.example", "decided_on": TODAY,
    }  # fmt: skip
    return reviews.Returned(**(right | more))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (row(item="R-9"), "row 2: there is no item 'R-9' in this review"),
        (row(item=""), "there is no item ''"),
        (row(account_id="u2"), "row 2: Account id was changed"),
        (row(app="erp"), "Application id was changed"),
        (row(entitlement="group:g1"), "Entitlement id was changed"),
        (row(decision="yes"), "the decision 'yes' is not one of keep, revoke, undecided"),
        (row(decided_by=""), "says not who decided"),
        (row(decided_by="eve@evil.example"), "'eve@evil.example' is nobody who works here"),
        (row(decided_by="CY@corp.example"), "decides about an account of their own"),
        (row(decided_on=None), "says not when it was decided"),
        (row(decided_on="soon"), "says not when it was decided"),
        (row(decided_on=TODAY + timedelta(days=1)), "is not between the export"),
        (row(decided_on=BEGIN - timedelta(days=1)), "is not between the export"),
    ],
)
def test_a_row_that_was_changed_or_is_not_finished_is_told_by_its_number(wrong: reviews.Returned, told: str) -> None:
    """Nothing is imported then, the right rows included."""
    with pytest.raises(ConfigError) as caught:
        reviews.check(
            campaign(), {Path("a.xlsx"): [wrong, row(number=3, item="R-2", entitlement="group:g1")]}, BEGIN, TODAY
        )

    assert "nothing was imported" in str(caught.value)
    assert "a.xlsx, row 2: " in str(caught.value)
    assert told in str(caught.value)
    assert "row 3" not in str(caught.value)


def test_an_item_that_is_decided_twice_is_refused_wherever_the_rows_stand() -> None:
    """In one workbook or in two."""
    with pytest.raises(ConfigError, match=r"b\.xlsx, row 2: decides the same item as a\.xlsx, row 2"):
        reviews.check(campaign(), {Path("a.xlsx"): [row()], Path("b.xlsx"): [row(decision="revoke")]}, BEGIN, TODAY)


def test_a_file_that_is_no_workbook_of_ours_is_named(tmp_path: Path) -> None:
    """Not a zip, a broken one, another sheet, a head that was changed: one sentence each."""
    other, headless = Workbook(), Workbook()
    other.save(tmp_path / "other.xlsx")
    headless.active.title = "Decisions"  # type: ignore[union-attr]
    headless.save(tmp_path / "headless.xlsx")
    (tmp_path / "text.xlsx").write_text("a,b")
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "other.xlsx").read_bytes()[:-400])
    told = {}
    for path in sorted(tmp_path.glob("*.xlsx")):
        with pytest.raises(ConfigError) as caught:
            list(reviews.read(path))
        told[path.stem] = str(caught.value).partition(": ")[2]

    assert told == {
        "cut": "is no .xlsx workbook",
        "headless": "the column Person is missing; heads must stay as they were",
        "other": "has no sheet Decisions; return the workbook that `export review` wrote",
        "text": "is no .xlsx workbook",
    }


def test_a_review_is_asked_once_under_one_name(company: Path) -> None:
    """A second export of the name is refused, as are a name that is none, an unknown application, a stranger."""
    path = exported(company)["bo@corp.example"]
    for words in (["2026-Q4"], ["../x"], ["other", "--app", "cmr"]):
        code, printed, _ = run(company, "export", "review", "--campaign", *words)
        assert (code, printed) == (2, "")
    (company / "orphanscan-state" / "reviews" / "2026-Q4.json").unlink()
    code, _, said = run(company, "import", "review", str(path), "--to", str(company / "x.csv"))

    assert code == 2
    assert "belong to no review of this state folder" in said
    assert not (company / "x.csv").exists()
