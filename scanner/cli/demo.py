"""`orphanscan demo`."""

from pathlib import Path

import click

from scanner.cli.options import examples


@click.command("demo", epilog=examples("orphanscan demo", "orphanscan demo --dir /tmp/brindlewick"))
@click.option(
    "--dir",
    "workdir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".demo"),
    show_default=True,
    metavar="DIR",
    help="Folder for everything that the demo makes; emptied at the start if an earlier demo made it.",
)
def command(workdir: Path) -> int:
    """Scan a synthetic company on live SCIM servers.

    Starts SCIM servers on this machine, fills them with an invented company, scans them, compares what was found with
    what was planted, and names the reports. Ends with 0 if both are equal, else with 1. Needs the extra `demo`.
    """
    # The servers and their models take a second to import; the help need not wait for them.
    from scanner.demo import run_demo

    return run_demo(workdir, say=lambda line: click.echo(line, err=True))
