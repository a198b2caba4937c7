"""Checks evidence offline, and says of each thing whether it is proven, does not fit, or cannot be proven from here."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError, StoreError
from scanner.evidence import manifest, signature, timestamp
from scanner.evidence.files import canonical, sha256
from scanner.evidence.manifest import MANIFEST, OWN, SIGNATURE, TIMESTAMP, Manifest

REPORTS = "reports"


class Grade(StrEnum):
    """What a check came to."""

    PROVEN = "proven"
    MISMATCH = "mismatch"
    OPEN = "not proven"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said about one thing."""

    grade: Grade
    sentence: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One bundle, file or chain, with all that is said about it."""

    name: str
    statements: tuple[Statement, ...]
    manifest: Manifest | None = None

    @property
    def is_right(self) -> bool:
        """Whether nothing about it does not fit."""
        return all(statement.grade is not Grade.MISMATCH for statement in self.statements)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the person who checks knows from elsewhere."""

    key: str | None = None
    """Public key that must have signed."""
    roots: Sequence[bytes] = ()
    """PEM of authorities whose timestamps are believed."""
    head: str = ""
    """Hash of a manifest, or its beginning, as printed on a report or a notice."""


def proven(sentence: str) -> Statement:
    """Return a statement that something was proven."""
    return Statement(Grade.PROVEN, sentence)


def mismatch(sentence: str) -> Statement:
    """Return a statement that something does not fit."""
    return Statement(Grade.MISMATCH, sentence)


def left_open(sentence: str) -> Statement:
    """Return a statement that something cannot be proven from here."""
    return Statement(Grade.OPEN, sentence)


def evidence_folder(path: Path) -> Path:
    """Return the evidence folder of a bundle that was named by this folder or by the folder of its scan."""
    inside = path / "evidence"
    return inside if not (path / MANIFEST).exists() and inside.is_dir() else path


def bundle(folder: Path, trust: Trust, known_sha256: str = "") -> Subject:
    """Check a bundle: every file against the manifest, and the manifest against all that is known of it.

    Args:
        folder: the evidence folder.
        trust: what is known from elsewhere.
        known_sha256: of the manifest, as the store of the scans remembers it.
    """
    try:
        sealed = manifest.read(folder)
    except StoreError as exc:
        return Subject(str(folder), (mismatch(f"{exc}."),))
    said = [*_files(folder, sealed), *_sealing(folder, sealed, trust, known_sha256), *_beside(folder, sealed)]
    if sealed.replay_sha256:
        said.append(
            left_open("That the rules find again what the bundle says was found: `orphanscan replay` shows it.")
        )
    return Subject(sealed.scan, tuple(said), sealed)


def _files(folder: Path, sealed: Manifest) -> Iterator[Statement]:
    """Compare what lies in the folder with what was sealed, each way."""
    there, odd = walk(folder)
    wrong = [mismatch(f"{path} is {what}, which no bundle holds.") for path, what in sorted(odd.items())]
    for file in sealed.files:
        if file.path not in there:
            if file.path not in odd:
                wrong.append(mismatch(f"{file.path} is missing."))
        elif there[file.path] != file.bytes or sha256(folder / file.path) != file.sha256:
            wrong.append(mismatch(f"{file.path} was changed after the scan was sealed."))
    extra = sorted(there.keys() - {file.path for file in sealed.files} - set(OWN))
    wrong += [mismatch(f"{path} was added after the scan was sealed.") for path in extra]
    yield from wrong
    if not wrong:
        yield proven(f"All {len(sealed.files)} files are as the manifest names them, and no other is there.")


def walk(folder: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Return path -> size of the regular files, and path -> what else lies there; no link is followed."""
    files: dict[str, int] = {}
    odd: dict[str, str] = {}
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                path = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_symlink():
                    odd[path] = "a link"
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    files[path] = entry.stat(follow_symlinks=False).st_size
                else:
                    odd[path] = "no plain file"
    return files, odd


def _sealing(folder: Path, sealed: Manifest, trust: Trust, known_sha256: str) -> Iterator[Statement]:
    """Say what holds the manifest itself: the store, a hash from elsewhere, a signature, a timestamp."""
    data = (folder / MANIFEST).read_bytes()
    if known_sha256:
        same = sealed.sha256 == known_sha256
        yield (
            proven("The manifest is the one that the store names for this scan.")
            if same
            else mismatch("The manifest is not the one with which the store says that this scan was sealed.")
        )
    yield from _signed(folder, sealed, data, trust)
    yield from _stamped(folder, data, trust)
    if not (known_sha256 or trust.head or trust.key):
        yield left_open(
            f"That this manifest is the one of the scan: compare {sealed.sha256} with what a report printed, or give it"
            " as --head."
        )


def _signed(folder: Path, sealed: Manifest, data: bytes, trust: Trust) -> Iterator[Statement]:
    path = folder / SIGNATURE
    if path.is_symlink() or not path.is_file():
        if sealed.signing_key or trust.key:
            yield mismatch(f"The signature is missing{_by(sealed.signing_key)}.")
        else:
            yield left_open("Who sealed it: the manifest is not signed.")
        return
    try:
        mark = signature.check(path.read_bytes(), data, trust.key)
    except ValueError as exc:
        yield mismatch(f"The signature does not hold: {exc}.")
        return
    except ConfigError as exc:
        yield left_open(f"The signature was not checked: {exc}.")
        return
    if sealed.signing_key != mark:
        yield mismatch(
            f"The manifest names another signing key ({sealed.signing_key or 'none'}) than signed it ({mark})."
        )
    elif trust.key:
        yield proven(f"The manifest is signed by the trusted key {mark}.")
    else:
        yield proven(f"The manifest is signed by the holder of {mark}.")
        yield left_open(f"Whose key {mark} is: give the public key that you trust as --key.")


def _by(mark: str) -> str:
    return f"; {mark} had signed" if mark else ""


def _stamped(folder: Path, data: bytes, trust: Trust) -> Iterator[Statement]:
    path = folder / TIMESTAMP
    if path.is_symlink() or not path.is_file():
        yield left_open(
            "When it was sealed: there is no timestamp of an outside authority, only the clock of the host."
        )
        return
    try:
        stamp = timestamp.check(path.read_bytes(), data, trust.roots)
    except ValueError as exc:
        yield mismatch(f"The timestamp does not hold: {exc}.")
        return
    except ConfigError as exc:
        yield left_open(f"The timestamp was not checked: {exc}.")
        return
    when = f"{stamp.at:%Y-%m-%d %H:%M:%S} UTC"
    if stamp.is_trusted:
        yield proven(f"The manifest existed at {when}: a trusted authority says so ({stamp.authority}).")
    else:
        yield left_open(
            f"That the manifest existed at {when}, as {stamp.authority} says: give its root as --timestamp-ca."
        )


def _beside(folder: Path, sealed: Manifest) -> Iterator[Statement]:
    """Check the files beside the evidence folder where they are at hand."""
    known = {name: digest for name, digest in sealed.beside.items() if "/" not in name}
    there = [name for name in known if (folder.parent / name).exists()] if folder.name == "evidence" else []
    if not there:
        return
    wrong = [
        mismatch(f"{name} beside the evidence was changed after the scan was sealed.")
        for name in there
        if (folder.parent / name).is_symlink() or sha256(folder.parent / name) != known[name]
    ]
    missing = sorted(known.keys() - set(there))
    wrong += [mismatch(f"{name} beside the evidence is missing.") for name in missing]
    yield from wrong
    if not wrong:
        yield proven(f"{' and '.join(there)} beside the evidence are as they were sealed.")


def reports(folder: Path, sealed: Manifest | None) -> Subject | None:
    """Check the reports of a scan against their own manifest; None if there are none."""
    if not (folder / MANIFEST).exists():
        if not folder.is_dir() or not any(folder.iterdir()):
            return None
        return Subject(REPORTS, (mismatch("The reports have no manifest."),))
    try:
        document = report_manifest(folder)
        listed = {str(file["path"]): str(file["sha256"]) for file in document["files"]}
        names = str(document["evidence_manifest_sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Subject(REPORTS, (mismatch("Their manifest cannot be read."),))
    there, odd = walk(folder)
    del there[MANIFEST]
    wrong = [mismatch(f"{path} is {what}.") for path, what in sorted(odd.items())]
    for path, digest in listed.items():
        if path not in there:
            wrong.append(mismatch(f"{path} is missing."))
        elif sha256(folder / path) != digest:
            wrong.append(mismatch(f"{path} was changed after it was written."))
    wrong += [mismatch(f"{path} is not in the manifest of the reports.") for path in sorted(there.keys() - set(listed))]
    if sealed and names != sealed.sha256:
        wrong.append(mismatch("They were written from other evidence: their manifest names another one."))
    if wrong:
        return Subject(REPORTS, tuple(wrong))
    return Subject(
        REPORTS,
        (
            proven(f"{len(listed)} reports are as they were written, from this evidence."),
            left_open(
                "That nobody rewrote a report together with the manifest of the reports, which is not sealed:"
                " `orphanscan report` writes the same bytes again."
            ),
        ),
    )


def report_manifest(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of the reports; ValueError if it is none."""
    data = (folder / MANIFEST).read_bytes()
    document = json.loads(data)
    if not isinstance(document, dict) or canonical(document) != data:
        raise ValueError("not canonical")
    return document


def is_head(found: Manifest, head: str) -> bool:
    """Return whether a hash, or its beginning, names this manifest."""
    return bool(head) and found.sha256.startswith(head.lower())
