"""`purge`: removes what is older than the configuration keeps it."""

from datetime import UTC, datetime
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, table
from scanner.errors import ConfigError


@click.command(epilog=options.examples("orphanscan purge", "orphanscan purge --apply"))
@options.config_options
@options.json_option
@click.option("--apply", "is_applied", is_flag=True, help="Remove it. Without this, only say what would go.")
def command(config_path: Path, state: Path | None, as_json: bool, is_applied: bool) -> None:
    """Say what is older than [privacy.retention] keeps it, and remove it with --apply.

    The latest scan stays, and so do manifests, rules and counts: the chain still verifies, and `verify` says which
    bundles were purged. A legal hold in the erasure_schedule keeps every bundle and plan, and the rows of the person.
    """
    from scanner import retention
    from scanner.policy import read_policies
    from scanner.store import state as stored

    config = options.read_config(config_path, state)
    days = config.privacy.retention
    if not days:
        raise ConfigError(f"{config.path} sets no [privacy.retention], so everything is kept; set days for a class")
    holds = [(hold.worker, hold.reason) for hold in read_policies(config).erasure_schedule.holds]
    now = datetime.now(UTC)
    if is_applied:
        with stored.writing(config.state, "purge"):
            items = retention.due(config.state, days, holds, now)
            retention.purge(config.state, items, holds, retention.history_before(config.state, days, now))
    else:
        items = retention.due(config.state, days, holds, now)
    rows = [
        (item.kind, item.name, item.count, f"kept: {item.held}" if item.held else "removed" if is_applied else "due")
        for item in items
    ]
    if as_json:
        head = ("class", "name", "count", "result")
        echo_json({"applied": is_applied, "items": [dict(zip(head, row, strict=True)) for row in rows]})
        return
    click.echo(table(("class", "what", "files or rows", ""), [[str(cell) for cell in row] for row in rows]))
    if not is_applied:
        click.echo("nothing was removed; say --apply to do so", err=True)
