"""`frameworks list` and `frameworks show`: which control is tested by which rule, and why."""

from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, nearest, printable, table
from scanner.errors import ConfigError


@click.group()
def group() -> None:
    """List and show the frameworks and their controls."""


@group.command("list", epilog=options.examples("orphanscan frameworks list", "orphanscan frameworks list --json"))
@options.config_options
@options.json_option
def list_frameworks(config_path: Path, state: Path | None, as_json: bool) -> None:
    """List the frameworks that reports can be written for."""
    from scanner import frameworks

    head = ["framework", "title", "edition", "status", "data", "controls", "tested"]
    rows = [
        [
            one.id,
            one.title,
            one.edition,
            one.status,
            one.data,
            len(one.controls),
            sum(bool(c.edges) for c in one.controls),
        ]
        for one in frameworks.load()
    ]
    if as_json:
        echo_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        click.echo(table(head, rows))


@group.command(epilog=options.examples("orphanscan frameworks show sox", "orphanscan frameworks show gdpr --json"))
@options.config_options
@options.json_option
@click.argument("framework_id", metavar="FRAMEWORK")
def show(framework_id: str, config_path: Path, state: Path | None, as_json: bool) -> None:
    """Show the controls of a framework, which rules speak about each and why, and what is not tested."""
    from scanner import frameworks

    known = {framework.id: framework for framework in frameworks.load()}
    if framework_id not in known:
        raise ConfigError(f"there is no framework {framework_id}{nearest(framework_id, known)}")
    framework = known[framework_id]
    if as_json:
        import msgspec

        echo_json(msgspec.to_builtins(framework))
        return
    lines = [f"{framework.title}", f"{framework.edition} ({framework.status})"]
    for control in framework.controls:
        mark = "" if control.is_confirmed else " [reference unconfirmed]"
        lines += [
            "",
            f"{control.id} {control.title} ({control.kind}, {control.force}){mark}",
            f"  {control.paraphrase}",
        ]
        lines += [f"  tested by {edge.rule} ({edge.strength}): {edge.because}" for edge in control.edges]
        lines += [f"  not tested: {item}" for item in control.not_tested or (["no rule"] if not control.edges else [])]
    click.echo("\n".join(printable(line) for line in lines))
