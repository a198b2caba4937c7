"""`doctor`: whether a scan can run here, checked part by part; writes nothing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.text import echo_json, nearest, printable, terminal_width, wrapped

if TYPE_CHECKING:
    from scanner.cli.checks import Check


@click.command(epilog=options.examples("orphanscan doctor", "orphanscan doctor --app crm", "orphanscan doctor --json"))
@options.config_options
@click.option("--app", metavar="ID", help="Look closely at this one application instead: paging, filter, coverage.")
@options.log_options
@options.json_option
def command(config_path: Path, state: Path | None, app: str | None, log_format: str, as_json: bool) -> int:
    """Check that a scan can run here: configuration, sources, secrets, clocks, fonts, disk.

    Every application is asked for one user, with the credential of the configuration. Nothing is written, and no
    secret is shown. Exit 3 if a check failed; warnings and notes do not fail.
    """
    from scanner.cli.checks import Result

    found = _look(config_path, state) if app is None else _look_closely(config_path, state, app)
    code = 3 if any(check.result is Result.FAILED for check in found) else 0
    if as_json:
        checks = [{"check": one.what, "result": str(one.result), "detail": one.detail} for one in found]
        echo_json({"checks": checks, "exit_code": code})
        return code
    _print(found)
    counted = Counter(check.result for check in found)
    click.echo(", ".join(f"{counted[result]} {result}" for result in Result), err=True)
    return code


def _look(config_path: Path, state: Path | None) -> list["Check"]:
    from scanner.cli import checks
    from scanner.errors import ConfigError

    try:
        config = options.read_config(config_path, state)
    except ConfigError as error:
        # Whoever sets up a machine wants to know all that is missing at once.
        return [checks.Check("configuration", checks.Result.FAILED, str(error)), *checks.machine()]
    sources = f"{_many(len(config.rosters), 'roster')}, {_many(len(config.applications), 'application')}"
    loaded = checks.Check("configuration", checks.Result.OK, f"{config.path}: {sources}; only its owner may write it")
    return [loaded, *checks.configured(config), *checks.machine()]


def _look_closely(config_path: Path, state: Path | None, app_id: str) -> list["Check"]:
    from scanner.cli import checks
    from scanner.errors import ConfigError

    config = options.read_config(config_path, state)
    known = {app.id: app for app in config.applications}
    if app_id not in known:
        raise ConfigError(f"there is no application {app_id!r} in {config.path}{nearest(app_id, known)}")
    return list(checks.closely(config, known[app_id]))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _print(found: Sequence["Check"]) -> None:
    """Print a table whose last column is wrapped rather than cut: it says what to do."""
    widest = max(len(check.what) for check in found)
    indent = " " * (9 + widest)
    width = (terminal_width() or 10_000) - len(indent) - 2
    for check in found:
        head = f"{check.result:<7}  {printable(check.what):<{widest}}"
        lines = [piece for line in check.detail.splitlines() or [""] for piece in wrapped(line.strip(), max(24, width))]
        click.echo(f"{head}  {lines[0]}")
        for line in lines[1:]:
            click.echo(f"{indent}  {line}")
