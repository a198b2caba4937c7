"""Options that several commands share, and what they stand for."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from scanner.config import Config
from scanner.errors import ConfigError

DEFAULT_CONFIG = Path("orphanscan.toml")

Command = TypeVar("Command", bound=Callable[..., Any])


def examples(*lines: str) -> str:
    """Return the end of a command's help: lines to copy, which click leaves as they are."""
    return "\b\n" + "\n".join(("Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def config_options(command: Command) -> Command:
    """Add `-c/--config` (as `config_path`) and `--state` (as `state`)."""
    command = click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Folder of the store and the scans, in place of the one that the configuration names.",
    )(command)
    return click.option(
        "-c",
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        default=DEFAULT_CONFIG,
        show_default=True,
        metavar="FILE",
        help="Configuration.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json` (as `as_json`)."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(command)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--log-format` (handed on as `log_format`) and `-v/--verbose`, and set up the log before the command runs."""

    @functools.wraps(command)
    def with_log(*args: Any, log_format: str, verbose: int, **values: Any) -> Any:
        from scanner.cli import logs

        logs.set_up(log_format, verbose)
        return command(*args, log_format=log_format, **values)

    wrapped = click.option(
        "-v", "--verbose", count=True, help="Say more on stderr; twice, tell also what libraries do."
    )(with_log)
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Messages on stderr as text, or as one JSON object a line.",
    )(wrapped)


def read_config(config_path: Path, state: Path | None) -> Config:
    """Return the configuration, with the state folder that the command line names; ConfigError otherwise."""
    from scanner.cli import outcome
    from scanner.config_file import load
    from scanner.store import vault

    if config_path == DEFAULT_CONFIG and not config_path.exists():
        raise ConfigError(
            f"there is no {config_path} in this folder; write one with `orphanscan init`, or name yours with -c FILE"
        )
    config = load(config_path, state=state)
    outcome.log_to(config.state)
    vault.use(config.state, config.encryption)
    return config


def state_folder(config_path: Path, state: Path | None) -> Path:
    """Return the state folder to read; an auditor who was given it alone, in plain text, has no configuration."""
    from scanner.store import vault

    if state is None or (vault.is_sealed(state) and config_path.exists()):
        return read_config(config_path, state).state
    return state.absolute()
