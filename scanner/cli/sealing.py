"""`key seal`, `key unseal` and `key rotate`: the state folder at rest."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json
from scanner.errors import ConfigError


@click.command(epilog=options.examples("orphanscan key seal"))
@options.config_options
@options.json_option
def seal(config_path: Path, state: Path | None, as_json: bool) -> None:
    """Seal at once what lies in plain text in the state folder, as the next scan would.

    Files are removed, not wiped: what the disk or a backup still holds of them is beyond reach.
    """
    _all(config_path, state, as_json, "seal", "sealed")


@click.command(epilog=options.examples("orphanscan key unseal"))
@options.config_options
@options.json_option
def unseal(config_path: Path, state: Path | None, as_json: bool) -> None:
    """Put plain files in place of all sealed ones, to end the sealing.

    Remove [encryption] from the configuration afterwards: while it stands there, the next scan seals again.
    """
    _all(config_path, state, as_json, "unseal", "opened")


@click.command(epilog=options.examples("orphanscan key rotate"))
@options.config_options
@options.json_option
def rotate(config_path: Path, state: Path | None, as_json: bool) -> None:
    """Seal everything to the recipients that [encryption] names now.

    First put the new key into [encryption], and the reference to the old one as previous_identity_file (or _env,
    _keyring, _command). Everything can be read at any time. What was interrupted goes on when it is run again; when it
    is done, take previous_identity out.
    """
    _all(config_path, state, as_json, "rotate", "sealed anew")


def _all(config_path: Path, state: Path | None, as_json: bool, verb: str, done: str) -> None:
    from scanner.sealing import Keys
    from scanner.store import state as stored
    from scanner.store import vault

    config = options.read_config(config_path, state)
    found = vault.keys_of(config.state)
    if found is None:
        raise ConfigError(f"{config.path} has no [encryption], so there is no key to {verb} with")
    acts: dict[str, Callable[[Path, Keys, Callable[[Path], None]], int]] = {
        "seal": vault.seal_all,
        "unseal": vault.unseal_all,
        "rotate": vault.rotate,
    }
    # `seal` itself happens when the lock is taken, as with every writer.
    left = len(vault.plain_files(config.state, found)) if verb == "seal" and config.state.exists() else 0
    seen = 0

    def tell(path: Path) -> None:
        nonlocal seen
        seen += 1
        if seen % 1000 == 0:
            click.echo(f"{seen} files so far", err=True)

    with stored.writing(config.state, f"key {verb}"):
        count = acts[verb](config.state, found, tell)
    count = max(count, left)
    if as_json:
        echo_json({"state": str(config.state), "files": count})
    else:
        click.echo(f"{count} files {done} in {config.state}")


def new(path: Path, as_json: bool) -> None:
    """Write a new identity of age, never over another file, and print its public key."""
    from scanner.sealing import new_identity

    private, public = new_identity()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot write the key to {path}: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(f"# public key: {public}\n{private}\n")
    _tell(public, as_json)
    click.echo("keep a copy of the key apart from the state folder: without it, nothing sealed can be read", err=True)


def show(path: Path, as_json: bool) -> bool:
    """Print the public key of an identity of age; False if the file is none."""
    try:
        with path.open("rb") as file:
            is_age = b"AGE-SECRET-KEY-" in file.read(64 * 1024)
    except OSError:
        return False
    if is_age:
        from scanner.credentials import Secret
        from scanner.sealing import recipients

        for public in recipients(Secret("file", str(path.absolute()))):
            _tell(public, as_json)
    return is_age


def _tell(public: str, as_json: bool) -> None:
    if as_json:
        echo_json({"public_key": public})
    else:
        click.echo(public)
