"""`actions`: what earlier runs did, and what scans show of it since."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scanner import access_log
from scanner.cli import options
from scanner.cli.text import age, echo_json, printable, table
from scanner.config import Config
from scanner.model_history import ActionFact


@click.group()
def group() -> None:
    """List and show the changes that were made."""


@group.command("list", epilog=options.examples("orphanscan actions list", "orphanscan actions list --json"))
@options.config_options
@options.json_option
def list_actions(config_path: Path, state: Path | None, as_json: bool) -> None:
    """List every change of every run with its age, and whether the latest scan verifies it.

    By the latest complete scan a change is verified, came_undone (somebody reverted it), undone (by `undo`), not_yet
    looked at, or not_possible to see; nothing_done says that the run changed nothing. Reading proves the chain of every
    journal: one that was changed is an error.
    """
    from scanner.remediation import history

    config = options.read_config(config_path, state)
    facts = _facts(config)
    access_log.record(config.state, access_log.Access("actions list", count=len(facts)))
    if as_json:
        import msgspec

        echo_json(msgspec.to_builtins(facts))
        return
    names = history.usernames(history.runs(config.state))
    now = datetime.now(UTC)
    rows = [
        [
            fact.run,
            fact.action,
            fact.app,
            names.get((fact.app, fact.account_id), fact.account_id),
            fact.kind if fact.entitlement is None else f"{fact.kind} {fact.entitlement}",
            fact.outcome,
            age((now - fact.at).total_seconds() / 3600),
            fact.verification,
        ]
        for fact in facts
    ]
    click.echo(table(["run", "action", "application", "account", "change", "outcome", "age", "verified"], rows))


@group.command(epilog=options.examples("orphanscan actions show", "orphanscan actions show run-20261120T06 --json"))
@options.config_options
@options.json_option
@click.argument("name", metavar="[RUN]", default="latest")
def show(config_path: Path, state: Path | None, as_json: bool, name: str) -> None:
    """Show the journal of one run: requests, answers, outcomes, approvers, times; with --json also before and after."""
    from scanner.remediation import history

    config = options.read_config(config_path, state)
    run = history.find(config.state, name)
    access_log.record(config.state, access_log.Access("actions show", count=len(run.chain.entries)))
    if as_json:
        echo_json({"run": run.id, "head": run.chain.head, "ended": run.chain.is_ended, "entries": run.chain.entries})
        return
    for entry in run.chain.entries:
        click.echo(printable(f"{entry['at']}  {_line(entry)}"))
    ended = "" if run.chain.is_ended else "; the run did not end: the next apply of its plan goes on with it"
    click.echo(f"{run.id}: {len(run.chain.entries)} entries, chain intact, head {run.chain.head}{ended}")


def _facts(config: Config) -> tuple[ActionFact, ...]:
    from scanner.remediation import history
    from scanner.store import scans

    facts = history.done(history.runs(config.state))
    checked = [scan for scan in scans.stored(config.state) if scan.manifest_sha256]
    if not checked:
        return facts
    scan = checked[-1]
    return history.verified(facts, scans.scan_dir(config.state, scan.id) / "evidence" / "audit", scan.id)


def _line(entry: dict[str, Any] | Any) -> str:
    match entry["event"]:
        case "run":
            names = ", ".join(approval["approver"] for approval in entry["approvals"]) or entry["mode"]
            return f"{entry['mode']} run of {entry['plan'] or entry['undo_of']} (scan {entry['scan']}), by {names}"
        case "intent":
            version = f", If-Match {entry['if_match']}" if entry["if_match"] else ""
            return f"{entry['action']} sends {entry['method']} {entry['url']} (attempt {entry['attempt']}{version})"
        case "answer":
            return f"{entry['action']} answered {entry['status']} {entry['said']}"
        case "outcome":
            return f"{entry['action']} {entry['outcome']} {entry['detail']}"
        case "stop":
            return f"{entry['app']} is left alone: {entry['reason']}; saved list: {entry['saved']}"
        case "end":
            return "end: " + ", ".join(f"{n} {outcome}" for outcome, n in entry["outcomes"].items())
        case other:
            return str(other)
