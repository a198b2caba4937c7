"""`findings`: the findings of a stored scan."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.errors import StoreError
from scanner.model import NEWS, FindingState, Severity

_COLUMNS = (
    "severity",
    "verdict",
    "state",
    "rule",
    "app",
    "username",
    "account_id",
    "entitlement",
    "worker_id",
    "reason",
    "first_seen",
    "remedy",
    "fingerprint",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command(
    epilog=options.examples(
        "orphanscan findings",
        "orphanscan findings --new-only",
        "orphanscan findings latest --rule leaver-still-active --json",
        "orphanscan findings --severity critical --severity high --csv > urgent.csv",
    )
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--rule", multiple=True, metavar="ID", help="Only this rule; may be repeated.")
@click.option("--app", multiple=True, metavar="ID", help="Only this application; may be repeated.")
@click.option(
    "--severity",
    multiple=True,
    type=click.Choice([str(severity) for severity in Severity]),
    help="Only this severity; may be repeated.",
)
# --state is the folder, as everywhere.
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([str(status) for status in FindingState]),
    help="Only findings that stand like this; may be repeated.",
)
@click.option("--new-only", is_flag=True, help="Only what the scan before did not show: new or reopened.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on stdout.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    as_csv: bool,
    new_only: bool,
    name: str,
    **wanted: tuple[str, ...],
) -> None:
    """List the findings of a scan, worst first. SCAN is `latest`, an id, or the beginning of one.

    They name accounts and people, so that each use stands in the access log (`export access-log`).
    """
    from scanner import access_log, retention
    from scanner.store import scans

    if as_json and as_csv:
        raise click.UsageError("choose one of --json and --csv")
    if new_only and wanted["status"]:
        raise click.UsageError("choose one of --new-only and --status")
    if new_only:
        wanted["status"] = NEWS
    folder = options.state_folder(config_path, state)
    scan_id = scans.resolve(folder, name)
    retention.refuse_purged(folder, scan_id)
    document = _read(scans.scan_dir(folder, scan_id) / "findings.json", scan_id)
    found = [one for one in document["findings"] if _is_wanted(one, wanted)]
    if found:
        access_log.record(folder, access_log.Access("findings", scan=scan_id, count=len(found)))
    found.sort(key=lambda one: (Severity(one["severity"]).rank, one["rule"], one["app"] or "", one["username"] or ""))
    if as_json:
        echo_json({"schema": document["schema"], "scan": document["scan"], "findings": found})
    elif as_csv:
        click.echo(_csv(found), nl=False)
    else:
        click.echo(_table(found))
        scope = "" if len(found) == len(document["findings"]) else f" of {len(document['findings'])}"
        incomplete = "" if document["scan"]["complete"] else "; the scan is not complete: there may be more"
        click.echo(f"{len(found)}{scope} findings in scan {scan_id}{incomplete}", err=True)


def _read(path: Path, scan_id: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"scan {scan_id} was collected but not checked; run `orphanscan check {scan_id}`") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}; run `orphanscan scan` again") from error
    if not isinstance(document, dict) or document.get("schema") != "orphanscan.findings/1":
        raise StoreError(f"{path} was written by another version of orphanscan; use that version to read it")
    return document


def _is_wanted(finding: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    keys = {"rule": "rule", "app": "app", "severity": "severity", "status": "state"}
    return all(not wanted[option] or finding[key] in wanted[option] for option, key in keys.items())


def _table(found: list[dict[str, Any]]) -> str:
    head = ("severity", "state", "rule", "application", "account", "reason")
    rows = [
        (
            one["severity"] if one["verdict"] == "fail" else f"{one['severity']}, unknown",
            one["state"],
            one["rule"],
            one["app"],
            one["username"] or one["account_id"],
            _filled(one),
        )
        for one in found
    ]
    return table(head, rows)


def _filled(finding: Mapping[str, Any]) -> str:
    """Return the reason with names in the places that it leaves for them."""
    places = {
        "{account}": finding["username"] or finding["account_id"],
        "{worker}": finding["worker_id"],
        "{manager}": finding["evidence"].get("manager_id"),
    }
    reason = str(finding["reason"])
    for place, name in places.items():
        reason = reason.replace(place, str(name or "-"))
    return reason


def _csv(found: list[dict[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in found:
        row = one | {"reason": _filled(one)}
        writer.writerow([_harmless(row[column]) for column in _COLUMNS])
    return out.getvalue()


def _harmless(value: object) -> str:
    """Keep a spreadsheet from running a name as a formula, and a terminal from obeying it."""
    cell = "" if value is None else printable(value)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
