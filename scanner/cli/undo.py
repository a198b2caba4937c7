"""`undo`: takes back what a run changed."""

from pathlib import Path

import click

from scanner.cli import options


@click.command(
    epilog=options.examples(
        "orphanscan undo latest --dry-run",
        'orphanscan undo run-20261120T0615 --reason "wrong person left"',
        'orphanscan undo run-20261120T0615 --action 0dc444301e84 --reason "still needed"',
    )
)
@options.config_options
@options.json_option
@click.argument("name", metavar="RUN")
@click.option("--action", "only", multiple=True, metavar="ID", help="Only this action of the run; may be repeated.")
@click.option("--reason", metavar="TEXT", help="Why; stands in the journal. Needed for all but a dry run.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken back, and send nothing.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    name: str,
    only: tuple[str, ...],
    reason: str | None,
    dry_run: bool,
) -> int:
    """Take back what a run changed, from what the journal kept of before.

    Accounts are switched on again and rights given back, where the system can; what cannot be taken back is listed.
    What changed since the run is left as it is. An undo is a run of its own, with a journal; later plans leave what it
    gave back to a person. RUN is an id, the unique beginning of one, or `latest`; `orphanscan actions list` names them.
    Exit codes: 0 all taken back, or as before already, 4 some failed, 5 nothing to take back.
    """
    from scanner import access_log
    from scanner.cli.apply import finish, tell
    from scanner.remediation.undo import undo

    if not reason and not dry_run:
        raise click.UsageError("say why with --reason, or look first with --dry-run")
    config = options.read_config(config_path, state)
    access_log.record(config.state, access_log.Access("undo", reason=reason or ""))
    report = undo(config, name, reason=reason or "", only=only, dry_run=dry_run, on_result=tell)
    return finish(report, as_json)
