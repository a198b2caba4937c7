"""Files of evidence: written whole or not at all, hashed in pieces, and told in one canonical form of JSON."""

import hashlib
import json
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a file for its owner's eyes only; a crash leaves the old file or the new one, not half."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.chmod(0o600)
    part.replace(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: object) -> bytes:
    """Return JSON with sorted keys and no blanks, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
