"""`schedule`: what runs `scan` every night, printed, or installed on request."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.text import echo_json
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from scanner.schedule import File

_NOTES = {
    "systemd": "install with --install as root; `systemd-analyze security orphanscan.service` says what it may touch",
    "cron": "install with --install as root",
    "kubernetes": "apply with `kubectl apply -f -`; it needs the ConfigMap, the Secret and the claim that it names",
    "github": "install with --install in the folder of the repository; it needs a runner of your own",
}


@click.command(
    epilog=options.examples(
        "orphanscan schedule systemd -c /etc/orphanscan/orphanscan.toml --state /var/lib/orphanscan",
        "orphanscan schedule systemd -c /etc/orphanscan/orphanscan.toml --install",
        "orphanscan schedule kubernetes --image registry.acme.example/orphanscan:0.1.0 | kubectl apply -f -",
    )
)
@options.config_options
@click.argument("target", type=click.Choice(["systemd", "cron", "kubernetes", "github"]))
@click.option("--at", metavar="HH:MM", default="02:00", show_default=True, help="When, on the clock of that system.")
@click.option("--user", default="orphanscan", show_default=True, help="Of systemd and cron: who runs it.")
@click.option("--image", default="orphanscan:latest", show_default=True, help="Of kubernetes: the container image.")
@click.option("--install", is_flag=True, help="Write the files to their place, and switch the timer on.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write them to this folder instead."
)
@click.option("--force", is_flag=True, help="Overwrite files that say something else.")
@options.json_option
def command(
    config_path: Path,
    state: Path | None,
    target: str,
    at: str,
    user: str,
    image: str,
    install: bool,
    folder: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Print what runs a scan every night, made from the configuration; no secret is in it.

    systemd: a service with little it may touch, and a timer. cron: a line for /etc/cron.d. kubernetes: a CronJob.
    github: a workflow for a runner of your own. With --install it is written to its place, and what was written is
    said.
    """
    from scanner.schedule import TARGETS, Plan

    hour, minute = _time(at)
    _check_word("--user", user)
    plan = Plan(options.read_config(config_path, state), _program(), hour, minute, user, image)
    files = TARGETS[target](plan)
    if install or folder:
        written = _install(target, files, folder, user, force=force)
        if as_json:
            echo_json({"target": target, "written": [str(path) for path in written]})
        else:
            click.echo("\n".join(str(path) for path in written))
        return
    if as_json:
        echo_json({"target": target, "files": [{"path": str(file.path), "text": file.text} for file in files]})
        return
    for file in files:
        if len(files) > 1:
            click.echo(f"# {file.path}")
        click.echo(file.text)
    click.echo(_NOTES[target], err=True)


def _time(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise click.UsageError(f"--at {text!r} is not a time such as 02:00")
    hour, _, minute = text.partition(":")
    return int(hour), int(minute)


def _check_word(name: str, word: str) -> None:
    if not word or not all(char.isalnum() or char in "_-." for char in word):
        raise click.UsageError(f"{name} {word!r} is not the name of a user")


def _program() -> str:
    """Return the path of this program, as a scheduler has no PATH to rely on."""
    called = Path(sys.argv[0])
    found = called if called.name == "orphanscan" and called.exists() else Path(sys.executable).with_name("orphanscan")
    return os.path.abspath(found)  # noqa: PTH100 - resolve() would leave the virtual environment


def _install(target: str, files: "tuple[File, ...]", folder: Path | None, user: str, *, force: bool) -> list[Path]:
    """Write the files and return their paths; nothing is written unless all can be."""
    if folder is None:
        _refuse(target, user)
    targets = [(folder / file.path.name if folder else file.path, file.text) for file in files]
    for path, text in targets:
        if path.is_symlink() or (path.exists() and path.read_text("utf-8", "replace") != text and not force):
            raise ConfigError(f"{path} is there and says something else, so nothing was written; compare, then --force")
    for path, text in targets:
        _write(path, text)
    if target == "systemd" and folder is None:
        for words in (["daemon-reload"], ["enable", "--now", "orphanscan.timer"]):
            _systemctl(*words)
        click.echo("orphanscan.timer is on; `systemctl list-timers orphanscan.timer` says when it runs next", err=True)
    return [path for path, _ in targets]


def _refuse(target: str, user: str) -> None:
    """Raise ConfigError if this machine is not one where the target can be installed."""
    if target == "kubernetes":
        raise ConfigError("a CronJob is not installed from here; print it, and `kubectl apply -f -` what you reviewed")
    if target == "github":
        if not Path(".git").exists():
            raise ConfigError("this folder is no git repository; go to yours, or name a folder with --dir")
        return
    if os.geteuid() != 0:
        raise ConfigError(f"only root may install for {target}; print it instead, or name a folder with --dir")
    if target == "systemd" and (shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir()):
        raise ConfigError("this machine is not run by systemd; name a folder with --dir to write the files there")
    if target == "cron" and not Path("/etc/cron.d").is_dir():
        raise ConfigError("there is no /etc/cron.d on this machine; name a folder with --dir")
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(
            f"there is no user {user}; make one: useradd --system --home-dir /var/lib/{user} --shell /usr/sbin/nologin"
            f" {user}"
        ) from None


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S607
    if done.returncode:
        raise ConfigError(f"`systemctl {' '.join(words)}` failed: {' '.join(done.stderr.split())[:300]}")
