"""One company seen through several kinds of sources at once, from the collection to the findings."""

import json
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from scanner.cli import main

STARTER = Path(__file__).parent.parent / "sample_data" / "starter"
REPORT = '\n[report]\nformats = ["html"]\nframeworks = ["sox"]\n'
FILE = """
[[application]]
id = "erp"
name = "ERP"
type = "csv"
path = "erp-*.csv"
columns = { account_id = "User", email = "Mail", status = "State", role = "Role", last_sign_in_at = "Last" }
coverage = "all"
data = ["financial"]
entitlements = "roles.csv"
date_format = "%d.%m.%Y"
file = { stable_seconds = 0, control_total = "ROWS (\\\\d+)" }
"""
DATABASE = """
[[application]]
id = "kiosk"
type = "sqlite"
path = "kiosk.db"
coverage = "all"
database = { accounts = "select id as account_id, mail as email, on_off as status from users" }
"""
ROWS = """User,Mail,State,Role,Last
0001,{active},A,AP,19.11.2025
0001,{active},A,PAY,19.11.2025
0002,{leaver},A,AP,19.11.2025
0003,nobody@tarnwick.example,A,AP,19.11.2025
0004,gone@tarnwick.example,D,,
ROWS,5
"""


@dataclass(frozen=True)
class Scan:
    """What a scan left behind."""

    document: dict[str, Any]
    audit: Path
    doctor: dict[str, tuple[str, str]]

    def found(self, rule: str, app: str) -> list[str]:
        """Return the accounts that a rule found in an application."""
        findings = self.document["findings"]
        return sorted(one["account_id"] for one in findings if (one["rule"], one["app"]) == (rule, app))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the evidence; `audit` in the query is its folder."""
        return duckdb.sql(sql.replace("audit/", f"{self.audit}/")).fetchall()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """Scan the starter company with further applications."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copytree(STARTER, folder, dirs_exist_ok=True)
    people = {"active": "amelia.foss@tarnwick.example", "leaver": "dmitri.volkov@tarnwick.example"}
    (folder / "erp-20261101.csv").write_text(ROWS.format(**people))
    (folder / "erp-20261031.csv").write_text("User,State\n0009,A\n")
    os.utime(folder / "erp-20261031.csv", (1_700_000_000,) * 2)
    (folder / "roles.csv").write_text("entitlement,name,privileged\nAP,Enters invoices,no\nPAY,Pays invoices,yes\n")
    with sqlite3.connect(folder / "kiosk.db") as con:
        con.execute("create table users (id text, mail text, on_off integer)")
        con.execute(
            "insert into users values ('k1', 'bjorn.dahlgren@tarnwick.example', 1), ('k2', 'x@tarnwick.example', 1)"
        )
    con.close()
    config = folder / "orphanscan.toml"
    config.write_text(config.read_text() + FILE + DATABASE + REPORT)
    for file in folder.iterdir():
        file.chmod(0o600)
    words = ["-c", str(config), "--json"]
    examined = json.loads(CliRunner().invoke(main, ["doctor", *words]).stdout)
    done = CliRunner().invoke(main, ["scan", *words])
    assert done.exit_code == 1, done.output
    kept = Path(json.loads(done.stdout)["dir"])
    return Scan(
        json.loads((kept / "findings.json").read_text()),
        kept / "evidence" / "audit",
        {one["check"]: (one["result"], one["detail"]) for one in examined["checks"]},
    )


def test_planted_accounts_are_found_and_no_others(scan: Scan) -> None:
    """The orphan and the leaver; the newest file was read, and its ids kept their zeros."""
    assert scan.found("orphaned-account", "erp") == ["0003"]
    assert scan.found("leaver-still-active", "erp") == ["0002"]
    assert scan.found("orphaned-account", "kiosk") == ["k2"]
    assert scan.found("leaver-still-active", "kiosk") == []
    assert scan.rows("select account_id, is_active from 'audit/accounts.parquet' where app = 'erp' order by 1") == [
        ("0001", True),
        ("0002", True),
        ("0003", True),
        ("0004", False),
    ]


def test_the_catalogue_tells_what_is_privileged(scan: Scan) -> None:
    """Beside the policy input, which knows patterns only."""
    assert scan.rows(
        "select entitlement, name, is_privileged from 'audit/entitlements.parquet' where app = 'erp' order by 1"
    ) == [("role:AP", "Enters invoices", False), ("role:PAY", "Pays invoices", True)]
    assert scan.rows("select account_id from 'audit/grants.parquet' where app = 'erp' and is_privileged") == [("0001",)]


def test_what_a_file_says_of_sign_ins_is_used(scan: Scan) -> None:
    """In its own date format and in the time zone of the company."""
    (told,) = scan.rows(
        "select strftime(last_sign_in_at, '%Y-%m-%d %H:%M') from 'audit/accounts.parquet' where account_id = '0001'"
        " and app = 'erp'"
    )
    assert told == ("2025-11-19 00:00",)


def test_every_ledger_balances_over_all_sources(scan: Scan) -> None:
    """Every account falls into one bucket, every leaver has one outcome in every application."""
    for side in scan.document["ledger"].values():
        assert side["total"] == sum(count for name, count in side.items() if name != "total")
    assert all(source["verdict"] == "complete" for source in scan.document["sources"]), scan.document["sources"]


def test_doctor_reads_the_header_of_an_export(scan: Scan) -> None:
    """It names the file that a scan would read, and how many columns it knows."""
    result, detail = scan.doctor["application erp"]

    assert result == "ok"
    assert "erp-20261101.csv" in detail
    assert "5 columns known" in detail
    assert scan.doctor["application kiosk"] == ("ok", "signed in, 2 counted, 3 columns known")
