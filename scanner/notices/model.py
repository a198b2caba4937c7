"""What a notice is made of. It holds what its receiver may see and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scanner.errors import NoticeError
from scanner.model import Severity


class ChangeKind(StrEnum):
    """What happened, in the order in which messages tell it."""

    SOURCE_INCOMPLETE = "source_incomplete"
    REOPENED = "reopened"
    NEW = "new"
    OVERDUE = "overdue"
    """Open for longer than `overdue_days` of the receiver, since the last notice."""
    MARKED = "marked"
    """A plan will act on it when its grace period ends."""
    EXISTING = "existing"
    """Open before the receiver was first told anything."""
    RESOLVED = "resolved"
    SOURCE_COMPLETE = "source_complete"
    """It had not been complete before."""
    BEGIN = "begin"
    """The first notice to a receiver: how much is open."""
    LEFT_OUT = "left_out"
    """How many changes were too many to be kept, and where they are."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to tell, in words that the receiver may read."""

    key: str
    """Stands for the finding or source, the same in all notices; tells nothing about a person."""
    kind: ChangeKind
    severity: Severity
    rule: str
    """Id; empty where it is about a source."""
    title: str
    app: str
    """Id of the application, of the roster for sources, or empty."""
    owner: str
    """Of the application; empty where there is none."""
    text: str
    remedy: str
    scan_id: str
    """The scan that showed it."""
    verdict: str = "fail"
    """Of the finding: fail or unknown."""

    @property
    def group(self) -> str:
        """What has one ticket: a rule in an application, or a source."""
        return f"{self.rule or 'source'}:{self.app}"


@dataclass(frozen=True, slots=True)
class Told:
    """The scan that a notice names, with what ties it to the evidence."""

    scan_id: str
    number: int
    as_of: datetime
    manifest_sha256: str
    """Of the evidence manifest, which is chained to those of all scans before."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one receiver."""

    id: str
    """Equal for equal content: a receiver that knows it has had the message already."""
    organization: str
    scan: Told
    changes: tuple[Change, ...]
    left_out: int = 0
    """Changes that were too many to keep; the findings hold them."""
    owner: str | None = None
    """To whom alone it goes; None: to all who read the receiver."""
    ticket: str = ""
    """Of the ticket that an earlier notice about the same group opened."""


class PassingError(NoticeError):
    """A delivery that failed and may succeed soon."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""


__all__ = ["Change", "ChangeKind", "Notice", "NoticeError", "PassingError", "Told"]
