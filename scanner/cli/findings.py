"""`findings`: the findings of a stored scan."""

import json
from pathlib import Path
from typing import Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, table
from scanner.errors import StoreError
from scanner.model import FindingState, Severity


@click.command(
    epilog=options.examples("orphanscan findings", "orphanscan findings latest --rule leaver-still-active --json")
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--rule", multiple=True, help="Only this rule; repeatable.")
@click.option("--app", multiple=True, help="Only this application; repeatable.")
@click.option("--severity", type=click.Choice(list(Severity)), help="This severity and worse.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(FindingState)), help="Only this state; repeatable."
)
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    name: str,
    rule: tuple[str, ...],
    app: tuple[str, ...],
    severity: str | None,
    states: tuple[str, ...],
) -> None:
    """List the findings of a scan. SCAN is `latest`, an id, or the beginning of one."""
    from scanner.store import scans

    config = options.read_config(config_path, state)
    scan_id = scans.resolve(config.state, name)
    path = scans.scan_dir(config.state, scan_id) / "findings.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(
            f"the scan {scan_id} was collected but not checked; run `orphanscan check {scan_id}`"
        ) from None
    except (OSError, ValueError) as exc:
        raise StoreError(f"cannot read {path}: {exc}") from exc
    limit = Severity(severity).rank if severity else len(Severity)
    found: list[dict[str, Any]] = [
        finding
        for finding in document["findings"]
        if (not rule or finding["rule"] in rule)
        and (not app or finding["app"] in app)
        and (not states or finding["state"] in states)
        and Severity(finding["severity"]).rank <= limit
    ]
    found.sort(key=lambda f: (Severity(f["severity"]).rank, f["rule"], f["app"] or "", f["username"] or ""))
    if as_json:
        echo_json({"scan": document["scan"], "findings": found})
        return
    rows = [
        [f["severity"], f["verdict"], f["state"], f["rule"], f["app"], f["username"] or f["account_id"], _filled(f)]
        for f in found
    ]
    click.echo(table(["severity", "verdict", "state", "rule", "application", "account", "reason"], rows))
    click.echo(f"{len(found)} findings in scan {scan_id}", err=True)


def _filled(finding: dict[str, Any]) -> str:
    """Fill the places that a reason leaves for names."""
    account = str(finding["username"] or finding["account_id"] or "")
    worker = str(finding["worker_id"] or "")
    return str(finding["reason"]).replace("{account}", account).replace("{worker}", worker)
