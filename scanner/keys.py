"""Ed25519 keys that sign plans and evidence: made, read, used; as OpenSSH and PEM files (RFC 8032, RFC 8410)."""

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def _library() -> Any:
    """Import what makes signatures only where one is made or checked."""
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise ConfigError("signatures need the package cryptography: pip install cryptography") from None
    return serialization


def _unsupported() -> type[Exception]:
    """Return what is raised where a package for sealed OpenSSH keys, or an algorithm, is not there."""
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm


def new(path: Path, passphrase: str | None) -> str:
    """Write a new private key for its owner's eyes only, never over another file; returns the public key."""
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    sealed = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"cannot write the key to {path}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return public_text(key.public_key())


def private(path: Path, passphrase: str | None) -> "Ed25519PrivateKey":
    """Return a private key; ConfigError that never quotes the file."""
    try:
        data = path.read_bytes()
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: others may read this private key; chmod 600 it")
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be read: {error.strerror}") from None
    return opened(data, passphrase, str(path))


def opened(
    data: bytes, passphrase: str | None, name: str, hint: str = "ORPHANSCAN_KEY_PASSPHRASE"
) -> "Ed25519PrivateKey":
    """Return a private key in PEM or OpenSSH form; ConfigError says `name` and where a passphrase goes, never a key."""
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    load = serialization.load_ssh_private_key if b"BEGIN OPENSSH" in data else serialization.load_pem_private_key
    try:
        key = load(data, passphrase.encode() if passphrase else None)
    except TypeError:
        needed = "it needs no passphrase" if passphrase else f"it needs a passphrase ({hint})"
        raise ConfigError(f"{name}: the key cannot be opened; {needed}") from None
    except _unsupported():
        raise ConfigError(
            f"{name}: this form of key cannot be opened here; pip install 'orphanscan[evidence]', or make one with"
            " `orphanscan key new`"
        ) from None
    except Exception:
        # Whatever the library says may quote the file.
        raise ConfigError(f"{name} holds no private key in PEM or OpenSSH form, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{name} is not an Ed25519 key; make one with `orphanscan key new`")
    return key


def public(text: str) -> "Ed25519PublicKey":
    """Return a public key from an OpenSSH line (ssh-ed25519 ...) or from PEM; ValueError if it is none."""
    serialization = _library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    load = serialization.load_pem_public_key if "BEGIN" in text else serialization.load_ssh_public_key
    try:
        key = load(text.encode())
    except Exception:
        raise ValueError("is no public key such as ssh-ed25519 AAAA...") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is not an Ed25519 key")
    return key


def public_text(key: "Ed25519PublicKey") -> str:
    """Return the OpenSSH line of a public key."""
    serialization = _library()
    text: bytes = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return text.decode()


def fingerprint(key: "Ed25519PublicKey") -> str:
    """Return what `ssh-keygen -l` shows: SHA256 and base64 of the hash of the key."""
    blob = base64.b64decode(public_text(key).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def sign(key: "Ed25519PrivateKey", message: bytes) -> str:
    """Return the signature in base64."""
    return base64.b64encode(key.sign(message)).decode()


def is_signed(key: "Ed25519PublicKey", signature: str, message: bytes) -> bool:
    """Tell whether this key made this signature over this message."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True
