"""Pseudonyms for people and accounts, and the key that makes them: without it nobody can guess one from an e-mail."""

import base64
import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from scanner.errors import StoreError

KEY_FILE = "pseudonym.key"
KEY_BYTES = 32


def worker_pseudonym(key: bytes, worker_id: str) -> str:
    """Return `P-` and 16 letters and digits that stand for a person."""
    return _pseudonym(key, "P", worker_id)


def account_pseudonym(key: bytes, app: str, account_id: str) -> str:
    """Return `A-` and 16 letters and digits that stand for an account of one application."""
    return _pseudonym(key, "A", f"{app}\0{account_id}")


def finding_reference(key: bytes, fingerprint: str) -> str:
    """Return `F-` and 8 letters and digits that stand for a finding.

    A fingerprint itself names nobody, but whoever guesses an id could compute it and see the guess confirmed.
    """
    return _pseudonym(key, "F", fingerprint, length=5)


def load_key(state: Path, create: bool) -> bytes:
    """Read the key of a state folder, and make it first if `create` is set and there is none."""
    path = state / KEY_FILE
    if create and not path.exists():
        _create(path)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise StoreError(
            f"{path}: the pseudonym key is missing, so pseudonyms of earlier reports cannot be made again; "
            "restore it from your backup, or run a scan, which makes a new one"
        ) from exc
    except OSError as exc:
        raise StoreError(f"{path}: the pseudonym key cannot be read: {exc.strerror}; check its owner and mode") from exc
    with os.fdopen(handle, "rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise StoreError(f"{path}: the pseudonym key can be read by other users; run: chmod 600 {path}")
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path}: the pseudonym key must be {KEY_BYTES} bytes long; restore it from your backup")
    return key


# A row names the same person and account several times over.
@lru_cache(maxsize=4096)
def _pseudonym(key: bytes, prefix: str, identity: str, length: int = 10) -> str:
    if len(key) < KEY_BYTES:
        raise ValueError("a pseudonym key has 32 bytes")
    digest = hmac.digest(key, identity.encode("utf-8", "surrogatepass"), "sha256")
    return f"{prefix}-{base64.b32encode(digest[:length]).decode('ascii')}"


def _create(path: Path) -> None:
    """Write a new key so that no reader ever sees half of it; a key that another process made first stands."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as exc:
        raise StoreError(
            f"{path}: the pseudonym key cannot be written: {exc.strerror}; check the state folder"
        ) from exc
