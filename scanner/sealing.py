"""Seals and opens files in the age format (age-encryption.org/v1) with pyrage, in bounded memory.

A sealed file can be opened with the private key to any of its recipients. age proves that a file is whole, not who
sealed it: public keys are public. What proves origin is the chain of manifests, and their signature.
"""

import io
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner import secrets
from scanner.credentials import Secret
from scanner.errors import ConfigError, StoreError
from scanner.settings import EncryptionSettings

SUFFIX = ".age"


@dataclass(frozen=True, slots=True)
class Keys:
    """What seals and opens; proven to fit together."""

    recipients: tuple[str, ...]
    seal_reports: bool
    _to: tuple[Any, ...]
    _with: tuple[Any, ...]

    def seal(self, source: Path, target: Path) -> None:
        """Write `source` sealed to `target`, on disk when this returns; a crash leaves no half of it."""
        import pyrage

        def encrypt(part: Any) -> None:
            with source.open("rb") as plain:
                pyrage.encrypt_io(plain, part, self._to)

        replaced(target, encrypt)

    def seal_bytes(self, data: bytes, target: Path) -> None:
        """Write what is in memory sealed to `target`, as `seal` does a file."""
        import pyrage

        replaced(target, lambda part: part.write(pyrage.encrypt(data, self._to)))

    def open(self, source: Path, target: Path) -> None:
        """Write what `source` holds to `target`, for its owner's eyes only; StoreError if it cannot be opened."""
        import pyrage

        def decrypt(part: Any) -> None:
            with source.open("rb") as sealed:
                pyrage.decrypt_io(sealed, part, self._with)

        replaced(target, self._opened(source, decrypt))

    def opened(self, source: Path) -> bytes:
        """Return what a small sealed file holds; StoreError if it cannot be opened, FileNotFoundError if it is none."""
        import pyrage

        plain = io.BytesIO()

        def decrypt(into: Any) -> None:
            into.write(pyrage.decrypt(source.read_bytes(), self._with))

        self._opened(source, decrypt)(plain)
        return plain.getvalue()

    def reseal(self, path: Path) -> None:
        """Seal a sealed file to the recipients of now; its content passes through memory only, in pieces."""
        import pyrage

        def again(part: Any) -> None:
            out, into = os.pipe()
            failed: list[BaseException] = []

            def decrypt() -> None:
                try:
                    with os.fdopen(into, "wb") as pipe, path.open("rb") as sealed:
                        pyrage.decrypt_io(sealed, pipe, self._with)
                except BaseException as error:
                    failed.append(error)

            reader = threading.Thread(target=decrypt)
            reader.start()
            with os.fdopen(out, "rb") as plain:
                pyrage.encrypt_io(plain, part, self._to)
            reader.join()
            if failed:
                raise failed[0]

        replaced(path, self._opened(path, again))

    def _opened(self, source: Path, act: Callable[[Any], None]) -> Callable[[Any], None]:
        """Let an act tell in a sentence why a file could not be opened."""
        import pyrage

        def told(part: Any) -> None:
            try:
                act(part)
            except pyrage.DecryptError as error:
                raise StoreError(
                    f"{source} cannot be opened ({error}): it is damaged, or sealed to another key; name the one of"
                    " before as previous_identity_file (or _env, _keyring, _command) in [encryption]"
                ) from None
            except OSError as error:
                if error.errno is None:  # age: a piece of the file is missing or not what was sealed
                    raise StoreError(f"{source} is damaged ({error}); restore it from a backup") from None
                raise

        return told


def keys(settings: EncryptionSettings) -> Keys:
    """Return the keys of the configuration, proven by sealing and opening; ConfigError if they do not fit."""
    try:
        import pyrage
    except ImportError:
        raise ConfigError("[encryption] needs the package pyrage: pip install 'orphanscan[encryption]'") from None
    try:
        to = tuple(pyrage.x25519.Recipient.from_str(recipient) for recipient in settings.recipients)
    except pyrage.RecipientError:
        raise ConfigError("a recipient in [encryption] is not a public key of age; is a letter missing?") from None
    identities = _identities(settings.identity)
    previous = _identities(settings.previous_identity) if settings.previous_identity else ()
    try:
        pyrage.decrypt(pyrage.encrypt(b"proof", to), identities)
    except pyrage.DecryptError:
        raise ConfigError(
            f"what is sealed to the recipients in [encryption] cannot be opened with the identity in"
            f" {settings.identity.named}: nobody could read it again; name the recipient that belongs to it"
            " (`orphanscan key show`)"
        ) from None
    return Keys(settings.recipients, settings.seal_reports, to, (*identities, *previous))


def new_identity() -> tuple[str, str]:
    """Return a new private key and its public one."""
    try:
        import pyrage
    except ImportError:
        raise ConfigError("keys of age need the package pyrage: pip install 'orphanscan[encryption]'") from None
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipients(secret: Secret) -> tuple[str, ...]:
    """Return the public keys that belong to private ones."""
    return tuple(str(identity.to_public()) for identity in _identities(secret))


def _identities(secret: Secret) -> tuple[Any, ...]:
    """Return the private keys that a reference names; comments, as age-keygen writes them, are skipped."""
    import pyrage

    lines = [line.strip() for line in secrets.read(secret, is_block=True).splitlines()]
    found: Sequence[str] = [line for line in lines if line and not line.startswith("#")]
    try:
        if not found:
            raise ValueError("no key")
        return tuple(pyrage.x25519.Identity.from_str(line) for line in found)
    except (pyrage.IdentityError, ValueError):
        raise ConfigError(
            f"the identity in {secret.named} is not a private key of age (AGE-SECRET-KEY-1...); make one with"
            " `orphanscan key new FILE --age`"
        ) from None


def replaced(target: Path, write: Callable[[Any], None]) -> None:
    """Let `write` fill a private file that then takes the place of `target`; on disk when this returns."""
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync(target.parent)
    except _failures() as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"cannot write {target}: {getattr(error, 'strerror', None) or error}") from None
    except StoreError:
        part.unlink(missing_ok=True)
        raise


def _failures() -> tuple[type[Exception], ...]:
    """Return what is raised when a file cannot be written or sealed; without the package nothing is sealed."""
    try:
        import pyrage
    except ImportError:
        return (OSError,)
    failures: tuple[type[Exception], ...] = (OSError, pyrage.EncryptError)
    return failures


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
