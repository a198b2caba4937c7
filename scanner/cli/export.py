"""`export`: hands out what orphanscan holds, for people and programs outside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table


@click.group()
def group() -> None:
    """Hand out what orphanscan holds, for people and programs outside."""


@group.command(
    "access-log", epilog=options.examples("orphanscan export access-log", "orphanscan export access-log --json")
)
@options.config_options
@options.json_option
def access_log(config_path: Path, state: Path | None, as_json: bool) -> None:
    """Print who was shown identified data, when, by which command and why.

    Reading proves the chain of the log: a line that was changed, added or taken out is an error. Lines cut off at its
    end do not show; note its head and length elsewhere now and then.
    """
    from scanner import access_log as log

    folder = state.absolute() if state else options.read_config(config_path, state).state
    chain = log.entries(folder)
    if as_json:
        echo_json({"schema": "orphanscan.access-log/1", "head": chain.head, "entries": chain.entries})
        return
    head = ("at", "user", "command", "scan", "level", "count", "subject", "recipient", "reason")
    names = ("command", "scan", "privacy", "count", "subject", "recipient", "reason")
    rows = [
        [entry["at"], _person(entry), *(printable(entry.get(name, "")) for name in names)] for entry in chain.of("read")
    ]
    click.echo(table(head, rows))
    click.echo(f"{len(rows)} accesses, chain intact, head {chain.head}", err=True)


def _person(entry: Mapping[str, Any]) -> str:
    behind = f" (sudo by {entry['sudo_user']})" if entry.get("sudo_user") else ""
    return printable(f"{entry['user']}{behind}")
