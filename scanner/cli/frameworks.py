"""`frameworks list` and `frameworks show`."""

import click

from scanner.cli import options
from scanner.cli.text import echo_json, table
from scanner.errors import ConfigError


@click.group()
def group() -> None:
    """List and show the frameworks and their controls."""


@group.command("list", epilog=options.examples("orphanscan frameworks list"))
@options.json_option
def list_frameworks(as_json: bool) -> None:
    """List the frameworks that reports can be written for."""
    from scanner import frameworks

    rows = [[f.id, f.title, f.status, f.data, len(f.controls)] for f in frameworks.load()]
    head = ["framework", "title", "status", "data", "controls"]
    if as_json:
        echo_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        click.echo(table(head, rows))


@group.command(epilog=options.examples("orphanscan frameworks show sox"))
@options.json_option
@click.argument("framework_id", metavar="FRAMEWORK")
def show(framework_id: str, as_json: bool) -> None:
    """Show the controls of a framework, and which rules speak about each and why."""
    from scanner import frameworks

    known = {framework.id: framework for framework in frameworks.load()}
    if framework_id not in known:
        raise ConfigError(f"there is no framework '{framework_id}'; there are {', '.join(known)}")
    framework = known[framework_id]
    if as_json:
        import msgspec

        echo_json(msgspec.to_builtins(framework))
        return
    click.echo(f"{framework.title}\n{framework.edition} ({framework.status})\n")
    for control in framework.controls:
        mark = "" if control.is_confirmed else " [reference unconfirmed]"
        click.echo(f"{control.id} {control.title}{mark}\n  {control.paraphrase}")
        for edge in control.edges:
            click.echo(f"  - {edge.rule} ({edge.strength}): {edge.because}")
        if not control.edges:
            click.echo("  - not tested: no rule speaks about it")
