"""`key`: the Ed25519 keys with which approvers sign, and the age keys with which the state folder is sealed."""

import os
import sys
from pathlib import Path

import click

from scanner.cli import options, sealing
from scanner.cli.text import echo_json

PASSPHRASE = "ORPHANSCAN_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable


@click.group()
def group() -> None:
    """Make and show keys, and seal the state folder with them."""


group.add_command(sealing.seal)
group.add_command(sealing.unseal)
group.add_command(sealing.rotate)


@group.command(
    epilog=options.examples(
        "orphanscan key new dana.pem",
        "orphanscan key new dana.pem --no-passphrase",
        "orphanscan key new /etc/orphanscan/age.key --age",
    )
)
@options.config_options
@options.json_option
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-passphrase", is_flag=True, help="Do not encrypt the private key.")
@click.option("--age", "is_age", is_flag=True, help="A key for [encryption], in place of one to sign with.")
def new(config_path: Path, state: Path | None, path: Path, no_passphrase: bool, is_age: bool, as_json: bool) -> None:
    """Write a new private key to FILE and print the public key for the file of approvers.

    The passphrase is asked for on a terminal, or read from ORPHANSCAN_KEY_PASSPHRASE. With --age, the key is one for
    [encryption], as age-keygen makes it and without a passphrase; the public key is for `recipients` there.
    """
    from scanner import keys

    if is_age:
        sealing.new(path, as_json)
        return
    secret = None if no_passphrase else passphrase(confirm=True)
    if secret is None and not no_passphrase:
        raise click.UsageError(f"set {PASSPHRASE}, or say --no-passphrase")
    _tell(keys.new(path, secret), as_json)


@group.command(epilog=options.examples("orphanscan key show dana.pem", "orphanscan key show ~/.ssh/id_ed25519"))
@options.config_options
@options.json_option
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
def show(config_path: Path, state: Path | None, path: Path, as_json: bool) -> None:
    """Print the public key, and the fingerprint where it is one to sign with, of a private key in FILE.

    PEM and OpenSSH files of Ed25519 keys are understood, and identities of age.
    """
    from scanner import keys

    if sealing.show(path, as_json):
        return
    _tell(keys.public_text(keys.private(path, passphrase()).public_key()), as_json)


def passphrase(*, confirm: bool = False) -> str | None:
    """Return the passphrase of the variable, or of the person at the terminal; None where there is neither."""
    if PASSPHRASE in os.environ:
        return os.environ[PASSPHRASE] or None
    if not sys.stdin.isatty():
        return None
    answer: str = click.prompt(
        "Passphrase", hide_input=True, default="", show_default=False, confirmation_prompt=confirm, err=True
    )
    return answer or None


def _tell(public: str, as_json: bool) -> None:
    from scanner import keys

    mark = keys.fingerprint(keys.public(public))
    if as_json:
        echo_json({"public_key": public, "fingerprint": mark})
        return
    click.echo(public)
    click.echo(mark, err=True)
