"""`apply`: carries out an approved plan."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.config import Config
from scanner.errors import RefusedError
from scanner.model_record import Record

if TYPE_CHECKING:
    from scanner.remediation.apply import Report
    from scanner.remediation.execute import Result
    from scanner.remediation.model import Action


@click.command(
    epilog=options.examples(
        "orphanscan apply latest --dry-run",
        "orphanscan apply plan-20261120T0612",
        "orphanscan scan --exit-zero && orphanscan plan --rule leaver-still-active && orphanscan apply --unattended",
    )
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[PLAN]", default="latest")
@click.option(
    "--dry-run", is_flag=True, help="Read and decide as a real run does, and send nothing; needs no approval."
)
@click.option("--unattended", is_flag=True, help="Without an approval, only what [remediation] opted in.")
@click.option("--allow-irreversible", is_flag=True, help="Also what cannot be undone, if the plan allows it too.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    name: str,
    dry_run: bool,
    unattended: bool,
    allow_irreversible: bool,
) -> int:
    """Carry out an approved plan.

    Every account and HR are read again first; what changed since the plan is skipped as stale. Each change is written
    to the journal before it is sent, and read back afterwards. A run that was interrupted goes on where it stopped.
    Exit codes: 0 all done or skipped as stale, 4 some failed, 5 refused before anything was sent, 6 another command is
    writing.
    """
    from scanner import access_log
    from scanner.policy import read_policies
    from scanner.remediation import plan_file
    from scanner.remediation.apply import Options, apply

    config = options.read_config(config_path, state)
    path = plan_file.find(config.state, name)
    access_log.record(config.state, access_log.Access("apply", scan=plan_file.read(path)[0].scan_id))
    report = apply(
        config,
        read_policies(config),
        path,
        lambda scan_id: record_of(config, scan_id),
        Options(unattended=unattended, dry_run=dry_run, allow_irreversible=allow_irreversible),
        tell,
    )
    return finish(report, as_json)


def tell(action: "Action", result: "Result") -> None:
    """Say what became of an action, as soon as it is known."""
    from scanner.remediation.rendering import title

    detail = f" ({result.detail})" if result.detail else ""
    click.echo(printable(f"{action.app}: {title(action)}: {result.outcome}{detail}"), err=True)


def finish(report: "Report", as_json: bool) -> int:
    """Print what a run did and return its exit code."""
    from scanner.remediation.rendering import title

    code = 4 if report.failed else 0
    if as_json:
        rows = [
            {
                "action": action.id,
                "app": action.app,
                "account_id": action.account_id,
                "title": title(action),
                "outcome": str(result.outcome),
                "detail": result.detail,
                "request": {"method": action.request.method, "url": action.request.url, "body": action.request.body}
                if action.request
                else None,
            }
            for action, result in report.results
        ]
        missing = [{"action": action, "because": why} for action, why in report.not_possible]
        echo_json(
            {
                "run": report.run,
                "dir": str(report.folder) if report.folder else None,
                "results": rows,
                "not_possible": missing,
                "exit_code": code,
            }
        )
        return code
    for action_id, why in report.not_possible:
        click.echo(printable(f"not possible: {action_id}: {why}"))
    cells = [[a.id, a.app, title(a), r.outcome, r.detail] for a, r in report.results]
    click.echo(table(["action", "application", "what", "outcome", "detail"], cells))
    if report.failed:
        click.echo("some changes failed: see `orphanscan actions show`, scan again, and make a new plan", err=True)
    elif report.folder:
        click.echo("the next scan verifies what was done", err=True)
    if report.folder:
        click.echo(str(report.folder))
    return code


def record_of(config: Config, scan_id: str) -> Record:
    """Return what the rules said of the scan of a plan; RefusedError if it is not the latest."""
    from scanner import scan as scanning
    from scanner.store import scans

    if scans.stored(config.state)[-1].id != scan_id:
        raise RefusedError(f"the plan is of scan {scan_id}, which is not the latest: make a new plan")
    return scanning.latest_record(config, scan_id)[2]
