"""`import`: takes back what people decided."""

from dataclasses import asdict
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json


@click.group()
def group() -> None:
    """Take back what people decided."""


@group.command(
    "review",
    epilog=options.examples(
        "orphanscan import review returned/*.xlsx", "orphanscan import review a.xlsx --to access_reviews.csv"
    ),
)
@options.config_options
@options.json_option
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="CSV, in place of the policy input's."
)
def review(config_path: Path, state: Path | None, as_json: bool, files: tuple[Path, ...], to: Path | None) -> None:
    """Check the workbooks of `export review`, and add their decisions to the policy input access_reviews.

    A row that was changed, added or decided twice, a decision without a person or a day, and one that differs from what
    was imported before are refused by row number, and then nothing is imported. The next scan judges by the decisions.
    """
    from scanner.cli import reviewing

    config = options.read_config(config_path, state)
    done, file = reviewing.take_back(config, files, to)
    if as_json:
        echo_json({**asdict(done), "file": str(file)})
        return
    click.echo(str(file))
    passed_on = f" {done.passed_on:,} of them by somebody else than who was asked." if done.passed_on else ""
    click.echo(
        f"review {done.campaign}: {done.kept:,} keep, {done.revoked:,} revoke.{passed_on} {done.undecided:,} items of"
        " the review have no decision yet.",
        err=True,
    )
    if config.policy.access_reviews is None:
        click.echo(f'next: set access_reviews = "{file}" under [policy] in {config.path}', err=True)
