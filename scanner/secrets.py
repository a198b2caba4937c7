"""The only reader of secrets. Errors name the reference, never the value."""

import importlib
import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from scanner.credentials import Secret
from scanner.errors import ConfigError

COMMAND_SECONDS = 30
"""How long a command may take to print a secret."""
_MAX_CHARACTERS = 64 * 1024


def read(secret: Secret, *, is_block: bool = False) -> str:
    """Return the secret that the reference names, without a trailing newline; a block, such as a PEM key, has lines."""
    reader = _READERS.get(secret.kind)
    if reader is None:
        raise ConfigError(f"{_name(secret)} is of an unknown kind; use one of {', '.join(_READERS)}")
    value = _without_newline(reader(secret))
    if not value.strip():
        raise ConfigError(f"{_name(secret)} is empty; set it to the secret")
    if len(value) > _MAX_CHARACTERS:
        raise ConfigError(f"{_name(secret)} is longer than {_MAX_CHARACTERS:,} characters; is it the right one?")
    allowed = "\r\n\t" if is_block else ""
    if any(
        (ord(character) < 0x20 and character not in allowed) or 0x7F <= ord(character) < 0xA0 for character in value
    ):
        # A line break inside a secret would let it write further HTTP headers.
        raise ConfigError(f"{_name(secret)} holds a line break or another control character; store the bare secret")
    return value


def _name(secret: Secret) -> str:
    kind, _, reference = secret.named.partition(" ")
    return f"the secret in {kind} {reference!r}"


def _text(secret: Secret) -> str:
    if not isinstance(secret.reference, str) or not secret.reference:
        raise ConfigError(f"{_name(secret)} needs a text as its reference")
    return secret.reference


def _without_newline(value: str) -> str:
    if value.endswith("\r\n"):
        return value[:-2]
    return value.removesuffix("\n")


def _from_env(secret: Secret) -> str:
    value = os.environ.get(_text(secret))
    if value is None:
        raise ConfigError(f"{_name(secret)} is not set; export the variable before the run")
    return value


def _from_file(secret: Secret) -> str:
    path = Path(_text(secret))
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _refuse_open_file(secret, status)
            raw = file.read(_MAX_CHARACTERS * 4 + 1)
        return raw.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{_name(secret)} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{_name(secret)} is not UTF-8 text") from None


def _refuse_open_file(secret: Secret, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
        raise ConfigError(f"{_name(secret)} is not a file")
    # The group may read, as secrets mounted into containers often need it; others may not, and nobody else may write.
    if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IRWXO):
        raise ConfigError(f"{_name(secret)} is open to others; run: chmod 600 {secret.reference}")


def _from_keyring(secret: Secret) -> str:
    service, _, user = _text(secret).partition("/")
    if not service or not user:
        raise ConfigError(f"{_name(secret)} must be written as service/user")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise ConfigError(f"{_name(secret)} needs the package keyring: pip install keyring") from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # every backend has errors of its own; their text may hold anything
        raise ConfigError(f"{_name(secret)} cannot be read: the keyring says {type(error).__name__}") from None
    if value is None:
        raise ConfigError(f"{_name(secret)} is not in the keyring; run: keyring set {service} {user}")
    return str(value)


def _from_command(secret: Secret) -> str:
    if isinstance(secret.reference, str) or not secret.reference:
        raise ConfigError(f"{_name(secret)} must be a list: the program and its arguments")
    try:
        done = subprocess.run(
            list(secret.reference),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{_name(secret)} gave no answer within {COMMAND_SECONDS:g} s") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "the argument list is not valid"
        raise ConfigError(f"{_name(secret)} could not be started: {cause}") from None
    if done.returncode != 0:
        # Neither stdout nor stderr is shown: either may hold the secret.
        raise ConfigError(f"{_name(secret)} ended with exit code {done.returncode}; run it by hand to see why")
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{_name(secret)} did not print UTF-8 text") from None


_READERS: Mapping[str, Callable[[Secret], str]] = {
    "env": _from_env,
    "file": _from_file,
    "keyring": _from_keyring,
    "command": _from_command,
}
