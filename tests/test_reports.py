"""Reports beside the nightly ones, from real scans of the starter company on three dates."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from in_process import orphanscan
from pypdf import PdfReader

from scanner import rules
from scanner.framework_files import files

STARTER = Path(__file__).parent.parent / "sample_data" / "starter"
KEPT = ("leaver-still-active", "leaver-deactivated-late", "orphaned-account", "duplicate-accounts", "too-many-admins")
"""Rules that these scans run; the others would only take time."""
MORE = """
[[application]]
id = "files"
name = "File share"
type = "scim_file"
path = "files.json"
data = ["personal", "financial"]

[report]
formats = ["json"]
frameworks = ["brief"]
"""
DATES = ("2026-03-01T06:00:00Z", "2026-03-10T06:00:00Z", "2026-03-20T06:00:00Z")
INES = "0009,Ines,Carvalho,ines.carvalho@tarnwick.example,active,employee,2020-08-03,,"
PERIOD = ("--from", "2026-03-02", "--to", "2026-03-31")
GONE = INES.replace("active", "terminated").replace("2020-08-03,,", "2020-08-03,2026-03-05,")


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a company scanned on three dates; on the second a file could not be read, and somebody had left."""
    folder = tmp_path_factory.mktemp("reports") / "company"
    shutil.copytree(STARTER, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    config = folder / "orphanscan.toml"
    others = json.dumps([rule.id for rule in rules.find() if rule.id not in KEPT])
    config.write_text(f'{config.read_text()}{MORE}\n[rules]\npaths = ["own"]\ndisable = {others}\n')
    brief_framework(folder / "own" / "frameworks")
    shutil.copy(folder / "users.json", folder / "files.json")
    for as_of in DATES:
        if as_of == DATES[1]:
            roster = (folder / "hr.csv").read_text()
            (folder / "hr.csv").write_text(roster.replace(INES, GONE))
            (folder / "files.json").write_text('{"Resources": [')
        elif as_of == DATES[2]:
            document = json.loads((STARTER / "users.json").read_text())
            for one in document["Resources"]:
                one["active"] = one.get("userName") not in ("ines.carvalho", "hugo.martin")
            (folder / "users.json").write_text(json.dumps(document))
            shutil.copy(STARTER / "users.json", folder / "files.json")
        done = orphanscan(folder, "scan", "--as-of", as_of)
        assert done.returncode == (3 if as_of == DATES[1] else 1), done.stderr
    return folder


def brief_framework(folder: Path) -> None:
    """Write the SOX framework with its control over leavers alone, as a report on all of it takes long to draw."""
    head, *controls = files()["sox"].read_text(encoding="utf-8").split("[[control]]\n")
    [leavers] = [one for one in controls if 'id = "ITGC-04"' in one]
    folder.mkdir(parents=True)
    (folder / "brief.toml").write_text("[[control]]\n".join((head.replace('id = "sox"', 'id = "brief"', 1), leavers)))
    (folder / "brief.toml").chmod(0o644)


@pytest.fixture
def company(scanned: Path, tmp_path: Path) -> Path:
    """Return a copy of the company, in which a test may write reports."""
    return Path(shutil.copytree(scanned, tmp_path / "company"))


def written(company: Path, *words: str, code: int = 0) -> list[Path]:
    """Run `report` and return the files that it names."""
    done = orphanscan(company, "report", *words, "--json")
    assert done.returncode == code, done.stderr
    return [Path(path) for path in json.loads(done.stdout)["reports"]]


def text_of(path: Path) -> str:
    """Return the text of a PDF or of a page, blanks made alike."""
    if path.suffix == ".pdf":
        told = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(path.read_bytes())).pages)
    else:
        told = re.sub(r"<style>.*?</style>|<script.*?</script>|<[^>]*>", " ", path.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", told)


def findings(company: Path) -> dict[str, object]:
    """Return findings.json of the last scan."""
    return json.loads(sorted(company.glob("orphanscan-state/scans/*/findings.json"))[-1].read_text())


def test_nobody_gets_more_reports_than_the_configuration_names(scanned: Path) -> None:
    """A page for management and reports for owners are written for those who ask for them."""
    reports = sorted(scanned.glob("orphanscan-state/scans/*/reports/*"))

    assert {path.name for path in reports} == {"findings.json", "manifest.json"}


def test_the_page_for_management_is_one_page_of_real_numbers(company: Path) -> None:
    """As PDF and HTML; what the scan found is what stands there, and people stand nowhere."""
    pdf, html = written(company, "--management", "--format", "pdf", "--format", "html")
    document = findings(company)
    exceptions = sum(
        one["verdict"] == "fail" and one["state"] in ("new", "open", "reopened", "baseline")
        for one in document["findings"]
    )
    manifest = json.loads((pdf.parent / "manifest.json").read_text())

    assert [pdf.name, html.name] == ["management.pdf", "management.html"]
    assert len(PdfReader(pdf).pages) == 1
    for text in (text_of(pdf), text_of(html)):
        assert f"{exceptions} exceptions found by" in text
        assert "SOX: IT general controls over access" in text
        assert "ines.carvalho" not in text
        assert "Carvalho" not in text
    assert {"management.pdf", "management.html"} <= {file["path"] for file in manifest["files"]}
    checked = orphanscan(company, "verify", str(pdf))
    assert checked.returncode == 0, checked.stdout
    assert "no findings lie inside" in checked.stdout


def test_the_report_for_an_owner_holds_all_of_one_application_and_nothing_of_another(company: Path) -> None:
    """What findings.json has of the application stands in it, under pseudonyms."""
    [page] = written(company, "--application", "crm", "--format", "html")
    own = [one for one in findings(company)["findings"] if one["app"] == "crm" and one["state"] != "resolved"]
    text = text_of(page)

    assert page.name == "application-crm.html"
    assert f"All {len(own)} findings of this report" in text
    assert "For the owner of the application." in text
    assert "File share" not in text
    assert "tarnwick.example" not in page.read_text()


def test_every_application_may_have_a_report_of_its_own_also_with_every_scan(company: Path) -> None:
    """`all` stands for each; named in the configuration they come with `report` alone."""
    assert [path.name for path in written(company, "--application", "all", "--format", "html")] == [
        "application-crm.html",
        "application-files.html",
        "application-warehouse.html",
    ]
    config = company / "orphanscan.toml"
    text = config.read_text().replace('formats = ["json"]', 'formats = ["html"]\nmanagement = true')
    config.write_text(text.replace("management = true", 'management = true\napplications = ["files"]'))

    assert [path.name for path in written(company)] == ["brief.html", "application-files.html", "management.html"]


def test_a_report_in_full_is_numbered_volumes_that_verify(company: Path) -> None:
    """`--full` on a real scan: all findings in print, each volume a file that `verify` knows."""
    config = company / "orphanscan.toml"
    config.write_text(
        config.read_text().replace('formats = ["json"]', 'formats = ["pdf"]\nrows_per_rule = 1\nsheets = 0')
    )
    first, second = written(company, "--full")
    text = text_of(second)

    assert [first.name, second.name] == ["brief-volume-001.pdf", "brief-volume-002.pdf"]
    assert first.read_bytes().startswith(b"%PDF-1.7")
    assert "Volume 2 of 2" in text
    assert len(set(re.findall(r"\bF-[A-Z2-7]{8}\b", text))) > len({rule for rule in KEPT if rule in text}) > 0
    assert "tarnwick.example" not in text
    assert orphanscan(company, "verify", str(second)).returncode == 0


def test_a_period_tells_of_everyone_who_left_in_it_with_the_time_of_closing(company: Path) -> None:
    """Ines left on 5 March: her account was closed in the CRM between two scans, and is open in the file share."""
    html, pdf = written(company, *PERIOD, "--format", "html", "--format", "pdf", "--framework", "brief")
    inside = PdfReader(pdf).attachments["leavers.csv"][0].decode("utf-8-sig")
    rows = {row["application"]: row for row in csv.DictReader(io.StringIO(inside))}

    assert [html.name, pdf.name] == [f"brief-2026-03-02-2026-03-31.{kind}" for kind in ("html", "pdf")]
    assert {app: row["outcome"] for app, row in rows.items()} == {"CRM": "closed_late", "File share": "open"}
    assert rows["CRM"]["closed_after"] == "2026-03-10T06:00:00Z"
    assert rows["CRM"]["closed_by"] == "2026-03-20T06:00:00Z"
    assert (rows["CRM"]["hr_lag_hours"], rows["CRM"]["it_lag_hours"]) == ("102", "240")
    assert (rows["File share"]["closed_by"], rows["File share"]["it_lag_hours"]) == ("", "")
    for path in (html, pdf):
        text = text_of(path)
        assert "1 person left in the period; with 2 applications in scope that makes 2 outcomes" in text
        assert "between 2026-03-10 06:00 and 2026-03-20 06:00" in text
        assert rows["CRM"]["person"] in text
        for name in ("tarnwick.example", "ines.carvalho", "Carvalho"):
            assert name not in text + inside


def test_a_period_says_when_a_source_was_not_complete_and_how_long_nobody_looked(company: Path) -> None:
    """On 10 March the file share could not be read: the scan, the source and the gaps stand there."""
    [page] = written(company, *PERIOD, "--format", "html", "--framework", "brief")
    text = text_of(page)

    assert "2 sealed scans, of which 1 complete" in text
    assert "What happened while a source was not complete may not be seen" in text
    assert "File share: in 1 of 2 scans" in text
    assert re.search(r"2026-03-10 06:00 \S+ no File share", text)
    assert "The longest time without a scan is 281 hours, from 2026-03-20 06:00 to 2026-03-31 22:59 UTC" in text


def test_the_exceptions_of_a_period_add_up_and_the_matrix_keeps_those_that_are_gone(company: Path) -> None:
    """What stood at the start, came and went is what stands at the end; a cell counts what stood at any time."""
    [page] = written(company, *PERIOD, "--format", "html", "--framework", "brief")
    markup = page.read_text()
    flow = re.search(r'<table class="flow.*?</table>', markup, re.DOTALL)
    assert flow is not None
    numbers = [int(n.replace("\u2212", "-")) for n in re.findall(r'<td class="n">(\u2212?\d+)</td>', flow[0])]
    cells = [(int(end), int(stood)) for end, stood in re.findall(r"(\d+) at the end, (\d+) in the period", markup)]
    text = text_of(page)
    printed = re.search(r"(\d+) exceptions found by", text)

    assert sum(numbers[:-1]) == numbers[-1]
    assert printed is not None
    assert int(printed[1]) == numbers[-1]
    assert any(stood > end for end, stood in cells)
    assert all(stood >= end for end, stood in cells)


def test_a_period_has_the_report_of_an_owner_and_the_same_bytes_each_time(company: Path) -> None:
    """Its leavers are those of the one application."""
    words = (*PERIOD, "--application", "crm", "--format", "html")
    [page] = written(company, *words)
    first = page.read_bytes()

    assert page.name == "application-crm-2026-03-02-2026-03-31.html"
    assert "with 1 application in scope that makes 1 outcome" in text_of(page)
    assert [path.read_bytes() for path in written(company, *words)] == [first]


def test_an_identified_report_on_a_period_names_people_and_its_recipient(company: Path) -> None:
    """For those who have to ask them; the access log has it first."""
    [page] = written(
        company, *PERIOD, "--framework", "brief", "--format", "html", "--privacy", "L2", "--recipient", "Internal Audit"
    )
    text = text_of(page)

    assert "Ines Carvalho (hr:0009)" in text
    assert "for Internal Audit" in text
    assert '"recipient":"Internal Audit"' in (company / "orphanscan-state" / "access.ndjson").read_text()


def test_a_period_whose_evidence_was_changed_is_refused(company: Path) -> None:
    """Times of closing are not told from tables that somebody touched."""
    [accounts] = sorted(company.glob("orphanscan-state/scans/*/evidence/audit/account_history.parquet"))[-1:]
    accounts.chmod(0o600)
    accounts.write_bytes(accounts.read_bytes() + b" ")
    done = orphanscan(company, "report", *PERIOD, "--framework", "brief", "--format", "html")

    assert done.returncode == 6
    assert "account_history.parquet was changed after the scan was sealed" in done.stderr


def test_the_same_scan_gives_the_same_bytes_again(company: Path) -> None:
    """Also those of the new papers."""
    words = ("--management", "--application", "crm", "--format", "html")
    first = [path.read_bytes() for path in written(company, *words)]

    assert [path.read_bytes() for path in written(company, *words)] == first


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--application", "erp", "--format", "html"), "knows no application 'erp'; it knows crm, files, warehouse"),
        (("--management", "--privacy", "L0"), "counts only (L0) are written for frameworks"),
        (("--management", "--format", "csv"), "are PDF and HTML: --format pdf"),
        (("--full", "--format", "html"), "--full is for PDFs that list findings"),
        (("--from", "2026-03-01"), "a period needs --from and --to, and takes no SCAN"),
        (("--from", "2026-03-31", "--to", "2026-03-01", "--format", "html"), "the period ends before it begins"),
        (
            ("--from", "2025-01-01", "--to", "2025-12-31", "--format", "html"),
            "no sealed scan is of 2025-01-01 to 2025-12-31, so that nothing is known of that time;"
            " those here are of 2026-03-01 to 2026-03-20",
        ),
        (("--from", "2026-03-01", "--to", "2026-03-31", "--format", "csv"), "as PDF and HTML, in L1 and L2"),
        (
            ("--from", "2026-03-01", "--to", "2026-03-31", "--management", "--format", "html"),
            "reports of frameworks and applications",
        ),
        (("--from", "9999-12-31", "--to", "9999-12-31", "--format", "html"), "no days that a scan could be of"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_can(company: Path, words: tuple[str, ...], told: str) -> None:
    """Before anything is written."""
    done = orphanscan(company, "report", *words)

    assert done.returncode == 2
    assert told in done.stderr


def test_the_configuration_refuses_owners_reports_of_no_application(company: Path) -> None:
    """A slip of the pen is told with the nearest id, and counts only have no such papers."""
    config = company / "orphanscan.toml"
    text = config.read_text()
    config.write_text(text.replace('frameworks = ["brief"]', 'applications = ["fles"]'))
    typed = orphanscan(company, "report")
    config.write_text(text.replace('formats = ["json"]', 'privacy = "L0"\nmanagement = true'))
    counts = orphanscan(company, "report")

    assert (typed.returncode, counts.returncode) == (2, 2)
    assert "report.applications: item 1: there is no application fles; did you mean files?" in typed.stderr
    assert "report.management: cannot be written as counts only (L0)" in counts.stderr
