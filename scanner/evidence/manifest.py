"""The manifest: the hash of every file of a bundle, the place of the scan in the chain, and the hash of what was found.

It names the manifest before it, so that neither a file nor a scan can be changed or left out unnoticed. A hash proves
that nothing changed since; it does not prove truth at the source.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec

from scanner.errors import StoreError
from scanner.evidence.files import canonical, sha256, write_file
from scanner.model import Scan

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
TIMESTAMP = "manifest.tsr"
OWN = (MANIFEST, SIGNATURE, TIMESTAMP)
"""Files of the folder that the manifest does not name: itself, and what is said about it."""
SCHEMA = "orphanscan.manifest/1"
LARGEST = 64 * 1024 * 1024
"""A manifest of more bytes is none: 100,000 files need a tenth of it."""


class SealedFile(msgspec.Struct, frozen=True):
    """One file as it was when the scan was sealed."""

    path: str
    """Below the evidence folder, with slashes."""
    bytes: int
    sha256: str


class _Document(msgspec.Struct):
    """The JSON of a manifest; what older versions did not write has a default."""

    schema: str
    scan: str
    as_of: str
    tool_version: str
    config_sha256: str
    rules_sha256: str
    previous_manifest_sha256: str | None
    files: list[SealedFile]
    action_runs: dict[str, str] = {}
    number: int | None = None
    replay_sha256: str = ""
    beside: dict[str, str] = {}
    access_log: str = ""
    signing_key: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as read."""

    sha256: str
    scan: str
    as_of: str
    tool_version: str
    rules_sha256: str
    previous: str | None
    """SHA-256 of the manifest before; None for the first."""
    number: int | None
    """Place in the chain, from 1; None for scans of before."""
    files: tuple[SealedFile, ...]
    replay_sha256: str = ""
    """Over what the rules returned; empty for scans of before."""
    action_runs: Mapping[str, str] = field(default_factory=dict)
    """Run of remediation -> SHA-256 of the last line of its journal by then, or `damaged`."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """File beside the evidence folder -> SHA-256."""
    access_log: str = ""
    """SHA-256 of the last line of the access log by then; empty if there was none."""
    signing_key: str = ""
    """Fingerprint of the key that signs it; empty if none does."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """Path -> SHA-256 of every sealed file."""
        return {file.path: file.sha256 for file in self.files}


@dataclass(frozen=True, slots=True)
class Link:
    """Where the next scan goes in the chain."""

    previous: str | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class Attested:
    """What the manifest says besides the hashes of the bundle's own files."""

    replay_sha256: str
    beside: Mapping[str, str]
    action_runs: Mapping[str, str]
    access_log: str = ""
    signing_key: str = ""


def seal(folder: Path, scan: Scan, link: Link, attested: Attested) -> bytes:
    """Write the manifest over all files of an evidence folder, and return its bytes."""
    data = canonical(
        {
            "schema": SCHEMA,
            "scan": scan.id,
            "as_of": scan.as_of.isoformat(),
            "tool_version": scan.tool_version,
            "config_sha256": scan.config_sha256,
            "rules_sha256": scan.rules_sha256,
            "previous_manifest_sha256": link.previous,
            "number": link.number,
            "replay_sha256": attested.replay_sha256,
            "action_runs": dict(attested.action_runs),
            "access_log": attested.access_log,
            "signing_key": attested.signing_key,
            "beside": dict(attested.beside),
            "files": listing(folder),
        }
    )
    write_file(folder / MANIFEST, data)
    return data


def listing(folder: Path) -> list[dict[str, object]]:
    """Return path, size and SHA-256 of every file below `folder` except its manifest, in the order of their names."""
    return [
        {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in [folder / name for name in OWN]
    ]


def read(folder: Path) -> Manifest:
    """Return the manifest of an evidence folder; StoreError if there is none that can be used."""
    path = folder / MANIFEST
    try:
        if path.is_symlink() or not path.is_file():
            raise StoreError(f"{path} is missing; was the scan collected but not checked?")
        if path.stat().st_size > LARGEST:
            raise StoreError(f"{path} is larger than any manifest")
        return parse(path.read_bytes(), str(path))
    except OSError as exc:
        raise StoreError(f"{path} cannot be read: {exc.strerror}") from exc


def sealing(folder: Path, manifest_sha256: str) -> Manifest:
    """Return the manifest with this hash; StoreError if what lies there is another one."""
    found = read(folder)
    if found.sha256 != manifest_sha256:
        raise StoreError(f"{folder / MANIFEST} is not the manifest that sealed this scan: it was changed since")
    return found


def parse(data: bytes, name: str) -> Manifest:
    """Return the manifest in `data`, which may come from anybody; StoreError that says `name` if it is none of ours."""
    try:
        document = msgspec.json.decode(data, type=_Document)
        if document.schema != SCHEMA:
            raise StoreError(f"{name} is of the form {document.schema!r}, which this version does not know")
        if canonical(json.loads(data)) != data:
            # Two texts for one content, for instance a key that is there twice, would be read in two ways.
            raise StoreError(f"{name} is not in canonical JSON, as orphanscan writes it")
    except (ValueError, RecursionError) as exc:
        raise StoreError(f"{name} is no evidence manifest of orphanscan: {' '.join(str(exc).split())[:200]}") from exc
    paths = [file.path for file in document.files]
    unsafe = next((path for path in (*paths, *document.beside) if not _is_inside(path)), None)
    if unsafe is not None:
        raise StoreError(f"{name} names a path that leads out of the bundle: {unsafe[:200]!r}")
    if len(set(paths)) < len(paths):
        raise StoreError(f"{name} names a file twice")
    return Manifest(
        sha256=hashlib.sha256(data).hexdigest(),
        scan=document.scan,
        as_of=document.as_of,
        tool_version=document.tool_version,
        rules_sha256=document.rules_sha256,
        previous=document.previous_manifest_sha256,
        number=document.number,
        files=tuple(document.files),
        replay_sha256=document.replay_sha256,
        action_runs=document.action_runs,
        beside=document.beside,
        access_log=document.access_log,
        signing_key=document.signing_key,
    )


def _is_inside(path: str) -> bool:
    """Return whether a path stays below the folder and has one spelling only."""
    pure = PurePosixPath(path)
    plain = bool(path) and "\\" not in path and "\0" not in path and str(pure) == path
    return plain and not pure.is_absolute() and ".." not in pure.parts and pure.parts[0] not in OWN
