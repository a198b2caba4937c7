"""Reads back what notices need of `findings.json`, the contract that other programs read too."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from scanner.errors import StoreError
from scanner.model import FindingState, Severity


@dataclass(frozen=True, slots=True)
class ScanEntry:
    """The scan itself."""

    id: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One roster or application."""

    id: str
    kind: str
    verdict: str
    collected: int
    detail: str

    @property
    def is_complete(self) -> bool:
        """Whether the list was proven complete."""
        return self.verdict == "complete"


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """The result of one rule."""

    id: str
    title: str
    result: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """The one value of the evidence that matters here, whatever its type."""

    terminated_at: Any = None


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """One finding."""

    fingerprint: str
    rule: str
    severity: Severity
    verdict: str
    state: FindingState
    app: str | None
    account_id: str | None
    username: str | None
    entitlement: str | None
    worker_id: str | None
    reason: str
    first_seen_at: datetime | None
    remedy: str
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def is_open(self) -> bool:
        """Whether it stands, and nobody has accepted the risk."""
        return self.state not in (FindingState.RESOLVED, FindingState.VERIFIED, FindingState.WAIVED)


@dataclass(frozen=True, slots=True)
class Document:
    """The whole file."""

    scan: ScanEntry
    sources: tuple[SourceEntry, ...]
    rules: tuple[RuleEntry, ...]
    findings: tuple[FindingEntry, ...]


def read(scan_folder: Path) -> Document:
    """Return what a sealed scan found; StoreError if its file cannot be read."""
    path = scan_folder / "findings.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from None
