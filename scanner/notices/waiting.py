"""What each receiver has yet to be told: `<state>/notices/<receiver>.json`, sealed where the state folder is.

A scan is noted by writing its changes here, in one atomic step; a change is dropped when it was delivered. A run that
is killed in between leaves either a scan that the next run notes, or changes that the next run delivers: nothing is
lost, and a message goes out twice only if the kill falls between the delivery and its note. It then has the same id.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import msgspec

from scanner.errors import NoticeError, StoreError
from scanner.model import Severity
from scanner.notices.model import Change, ChangeKind
from scanner.store import beside

FOLDER = "notices"
MOST = 5000
"""Changes kept for one receiver; the gravest stay."""
_SCHEMA = "orphanscan.notices/1"
_ORDER = list(ChangeKind)
_UNDONE = {
    ChangeKind.RESOLVED: (ChangeKind.NEW, ChangeKind.EXISTING),
    ChangeKind.SOURCE_COMPLETE: (ChangeKind.SOURCE_INCOMPLETE,),
}
"""Change -> those that need not be told any more when it comes before they were."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The file of one receiver."""

    noted_scan: str = ""
    """The last scan whose changes were taken; empty before the first."""
    noted_as_of: datetime | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """Source -> its verdict in that scan."""
    waived: tuple[str, ...] = ()
    """References of the findings that were waived in that scan."""
    changes: tuple[Change, ...] = ()
    left_out: int = 0
    tickets: Mapping[str, str] = field(default_factory=dict)
    """Group of changes -> ticket that is about it."""
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    bound: Mapping[str, str] = field(default_factory=dict)
    """Salted hash of where a credential lies -> the place that took it first; see `binding`."""
    marks: tuple[str, ...] = ()
    """Changes planned for the end of a grace period, as told: action and time."""
    schema: str = _SCHEMA

    def with_changes(self, more: Iterable[Change]) -> "Waiting":
        """Return the file with further changes; what cancels out is dropped."""
        kept = {_place(change): change for change in self.changes}
        for change in more:
            place = _place(change)
            earlier = kept.pop(place, None)
            if change.kind is ChangeKind.RESOLVED:
                kept.pop((*place[:2], True), None)
            if earlier is None or earlier.kind not in _UNDONE.get(change.kind, ()):
                kept[place] = change
        gravest = sorted(kept.values(), key=lambda one: (one.severity.rank, _ORDER.index(one.kind)))
        dropped = {id(one) for one in gravest[MOST:]}
        return replace(
            self,
            changes=tuple(one for one in kept.values() if id(one) not in dropped),
            left_out=self.left_out + len(dropped),
        )

    def without(self, delivered: Iterable[Change]) -> "Waiting":
        """Return the file after a delivery."""
        told = list(delivered)
        gone = {_place(change) for change in told}
        left = tuple(one for one in self.changes if _place(one) not in gone)
        is_told = any(change.kind is ChangeKind.LEFT_OUT for change in told)
        return replace(self, changes=left, left_out=0 if is_told else self.left_out)

    @property
    def to_tell(self) -> tuple[Change, ...]:
        """The changes, and where those are that were too many to be kept."""
        if not self.left_out:
            return self.changes
        told = Change(
            key="left-out",
            kind=ChangeKind.LEFT_OUT,
            severity=Severity.HIGH,
            rule="",
            title="Not all that changed is sent",
            app="",
            owner="",
            text=f"Further changes, the least grave, that are not sent: {self.left_out:,}, as {MOST:,} are kept for one"
            f" receiver. `orphanscan findings {self.noted_scan}` lists all, and"
            f" `orphanscan report {self.noted_scan} --format ocsf` writes each as an event.",
            remedy="",
            scan_id=self.noted_scan,
        )
        return (*self.changes, told)


def _place(change: Change) -> tuple[str, str, bool]:
    """Return what two changes that replace each other have in common."""
    return change.key, change.owner, change.kind is ChangeKind.MARKED


def path(state: Path, receiver_id: str) -> Path:
    """Return the file of a receiver."""
    return state / FOLDER / f"{receiver_id}.json"


def receivers(state: Path) -> tuple[str, ...]:
    """Return the receivers that have a file, also those that the configuration names no more."""
    return tuple(beside.names(state / FOLDER))


def load(state: Path, receiver_id: str) -> Waiting:
    """Return what a receiver has yet to be told; StoreError if the file cannot be understood."""
    file = path(state, receiver_id)
    try:
        found = msgspec.json.decode(beside.read(state, file), type=Waiting)
    except FileNotFoundError:
        return Waiting()
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}; check its owner and mode") from None
    except msgspec.DecodeError:
        raise StoreError(f"{file} is damaged; remove it, and the receiver begins anew with the next scan") from None
    if found.schema != _SCHEMA:
        raise StoreError(f"{file} was written by another version of orphanscan; use that version")
    return found


def save(state: Path, receiver_id: str, waiting: Waiting) -> None:
    """Write the file in one atomic step."""
    beside.write(state, path(state, receiver_id), msgspec.json.encode(waiting))


@contextlib.contextmanager
def sending(state: Path) -> Iterator[None]:
    """Hold the lock of those who send; NoticeError if another run sends just now: it, or the next one, will tell."""
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoticeError("another run is sending notices; what is left here is for the next one") from None
        yield
    finally:
        os.close(handle)
