"""The signature over a manifest: Ed25519 (RFC 8032) over its bytes with a context before them, detached, in JSON.

Without the context a signature made here could be shown as one over something else, such as a plan of changes.
"""

import base64

import msgspec

from scanner import keys, secrets
from scanner.errors import ConfigError
from scanner.evidence.files import canonical
from scanner.settings import EvidenceSettings

SCHEMA = "orphanscan.signature/1"
ALGORITHM = "Ed25519"
CONTEXT = "orphanscan.manifest/1"
"""Stands before the signed bytes, with a line break: `(echo orphanscan.manifest/1; cat manifest.json)`."""


class Signature(msgspec.Struct, frozen=True):
    """What manifest.sig holds."""

    schema: str
    algorithm: str
    context: str
    key: str
    """SHA-256 of the public key, as `ssh-keygen -l` shows it."""
    public_key: str
    """OpenSSH line."""
    signature: str
    """Base64."""


class Signer:
    """Signs manifests with the key that the configuration names."""

    def __init__(self, settings: EvidenceSettings) -> None:
        """Open the key; ConfigError if it cannot be had, so that nothing is collected that could not be sealed."""
        self._key = None
        if settings.signing_key is None:
            return
        passphrase = secrets.read(settings.passphrase) if settings.passphrase else None
        block = secrets.read(settings.signing_key, is_block=True)
        name = f"[evidence] {settings.signing_key.named}"
        self._key = keys.opened(block.encode(), passphrase, name, "passphrase_env and its like in [evidence]")

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the key; empty if none is configured."""
        return keys.fingerprint(self._key.public_key()) if self._key else ""

    def sign(self, manifest: bytes) -> bytes | None:
        """Return what belongs into manifest.sig; None if no key is configured."""
        if self._key is None:
            return None
        public = self._key.public_key()
        return canonical(
            {
                "schema": SCHEMA,
                "algorithm": ALGORITHM,
                "context": CONTEXT,
                "key": keys.fingerprint(public),
                "public_key": keys.public_text(public),
                "signature": keys.sign(self._key, message(manifest)),
            }
        )


def message(manifest: bytes) -> bytes:
    """Return the bytes that are signed."""
    return f"{CONTEXT}\n".encode() + manifest


def check(data: bytes, manifest: bytes, trusted: str | None) -> str:
    """Return the fingerprint of the key that signed; ValueError that says what is wrong.

    Args:
        data: of manifest.sig.
        manifest: the signed bytes.
        trusted: public key, OpenSSH or PEM, that must have signed; None accepts whichever key the file names.
    """
    try:
        found = msgspec.json.decode(data, type=Signature)
    except (ValueError, RecursionError):
        raise ValueError("manifest.sig is no signature of orphanscan") from None
    if (found.schema, found.algorithm, found.context) != (SCHEMA, ALGORITHM, CONTEXT):
        raise ValueError("manifest.sig is of a form that this version does not know")
    try:
        named = keys.public(found.public_key)
        one_way = base64.b64encode(base64.b64decode(found.signature)).decode() == found.signature
    except ValueError:
        raise ValueError("manifest.sig holds no key or no signature that can be read") from None
    mark = keys.fingerprint(named)
    plain = keys.public_text(named) == found.public_key and canonical(msgspec.to_builtins(found)) == data
    if mark != found.key or not one_way or not plain:
        raise ValueError("manifest.sig was changed: it does not read as it was written")
    if trusted is not None and keys.public_text(keys.public(trusted)) != keys.public_text(named):
        raise ValueError(
            f"signed by another key ({mark}) than the trusted one ({keys.fingerprint(keys.public(trusted))})"
        )
    if not keys.is_signed(named, found.signature, message(manifest)):
        raise ValueError("the signature does not belong to this manifest")
    return mark


def trusted_key(text: str) -> str:
    """Return the text of a public key that can be used; ConfigError otherwise."""
    try:
        keys.public(text)
    except ValueError as exc:
        raise ConfigError(f"the trusted key {exc}") from None
    return text
