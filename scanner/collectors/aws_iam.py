"""Collects the IAM users of an AWS account from a saved credential report.

Rights needed: to read the file; whoever saves it needs iam:GenerateCredentialReport and iam:GetCredentialReport, for
instance by `aws iam generate-credential-report` and `aws iam get-credential-report --query Content --output text |
base64 -d`. Covers every IAM user of one account and its root user, with passwords, second factors and two access keys;
not roles, people who enter through IAM Identity Center, nor what a user may do: policies and groups are not in the
report. AWS makes a report anew every four hours at most. No network, no rate limit.
"""

from dataclasses import replace
from pathlib import Path

from scanner.collectors import reading as frame
from scanner.collectors.accounts import Entry
from scanner.collectors.file_choice import choose, too_old
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading
from scanner.collectors.table_columns import Layout
from scanner.collectors.table_csv import CsvTable
from scanner.config import Application
from scanner.errors import SourceError
from scanner.model import Collected, Verdict

ROOT = "<root_account>"
_NEEDED = (
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used", "mfa_active"),
    *("access_key_1_active", "access_key_1_last_used_date", "access_key_2_active", "access_key_2_last_used_date"),
)
_SIGN_IN_WAYS = ("password_enabled", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active")
_NOTHING = ("", "N/A", "no_information", "not_supported")


def collect_aws_iam(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson in `into`, with the verdict on the report."""
    app = replace(app, coverage=app.coverage or "all")
    return frame.collect_accounts(app, into, progress, lambda reading: _read(app, reading))


def look(app: Application) -> Look:
    """Read the first lines as a scan would, and none of the users."""
    file = choose(_path(app), replace(app.file, stable_seconds=0), 0)
    table = _opened(file)
    table.close()
    return Look(
        f"a credential report of {len(table.header)} columns", file=file, max_age_hours=app.file.max_age_hours or 48
    )


def _opened(file: Path) -> CsvTable:
    table = CsvTable(Layout(file, "credential report", _NEEDED, identity=("arn",), delimiter=","))
    missing = [name for name in _NEEDED if name not in table.header]
    if missing:
        table.close()
        raise SourceError(f"{file.name} is no credential report of AWS: it has no column {missing[0]}")
    return table


def _read(app: Application, reading: Reading) -> None:
    file = choose(_path(app), app.file, app.limits.max_seconds)
    reading.query = file.name
    table = _opened(file)
    try:
        reading.query = f"{file.name} {table.settings}"
        width = len(table.header)
        for line, cells in table.rows():
            if cells is None or len(cells) != width:
                found = "cannot be read" if cells is None else f"has {len(cells)} fields and not {width}"
                reading.doubt(f"line {line:,} {found}: was the file cut off?")
            else:
                _user(reading, dict(zip(table.header, cells, strict=True)), line)
        reading.sha256 = table.finish()
    finally:
        table.close()
    reading.catalogue.append(Entry("entitlement", "root", "Root user", is_privileged=True))
    if stale := too_old(file, app.file.max_age_hours):
        reading.doubt(stale, Verdict.UNKNOWN)
    if reading.rows.rows < app.file.min_rows:
        reading.doubt(f"it holds {reading.rows.rows:,} users, fewer than min_rows = {app.file.min_rows:,}")
    expected = app.file.expected_rows
    if expected is not None and expected != reading.rows.rows:
        reading.doubt(f"the file should hold {expected:,} rows and holds {reading.rows.rows:,}")


def _path(app: Application) -> Path:
    if app.path is None:
        raise SourceError(f"application {app.id} has no path")
    return app.path


def _user(reading: Reading, row: dict[str, str], line: int) -> None:
    """Take one user. There is no status: whoever has no way in at all is closed."""

    def used(*names: str) -> str | None:
        return max((row[name] for name in names if row.get(name) not in (None, *_NOTHING)), default=None)

    is_root = row["user"] == ROOT
    ways = [name for name in _SIGN_IN_WAYS if row.get(name, "").lower() == "true"]
    # AWS does not say of the root user whether it has a password: it always has.
    is_open = is_root or bool(ways)
    keys_only = bool(ways) and "password_enabled" not in ways and not is_root
    account = {
        "account_id": row["arn"] or None,
        "username": row["user"],
        "status": "active" if is_open else "inactive",
        "kind": "service" if keys_only else None,
        "created_at": used("user_creation_time"),
        "last_sign_in_at": used("password_last_used"),
        "last_activity_at": used("password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date"),
        "mfa": row["mfa_active"] if row["mfa_active"] not in _NOTHING else None,
    }
    reading.account(account, line)
    if is_root:
        reading.grant(row["arn"], "root", "entitlement", name="Root user")
