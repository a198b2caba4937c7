"""Notes what scans changed, and delivers it: retried, in bounded time, and never in the way of a scan."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from scanner.config import Config
from scanner.config_notify import mail_address
from scanner.errors import NoticeError, OrphanscanError
from scanner.evidence import canonical
from scanner.notices import binding, document, heartbeat, metrics, waiting
from scanner.notices.changes import Before, Mark, Teller
from scanner.notices.channels import CHANNELS, Split
from scanner.notices.model import Change, ChangeKind, Notice, PassingError, Told
from scanner.notices.waiting import Waiting
from scanner.notices.wire import seconds
from scanner.report import words
from scanner.settings import Receiver

_Sent = TypeVar("_Sent")

ATTEMPTS = 4
BACKOFF_SECONDS = 1.0
"""The pause before the second attempt; each further one is twice as long."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed scan, and where it lies."""

    told: Told
    folder: Path
    opened: Callable[[Path], Path] = lambda folder: folder
    """Returns where the folder can be read, if it is sealed; only scans that are read are opened."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the notices to one receiver."""

    receiver: str
    sent: int
    """Messages."""
    detail: str
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """What is ready to be sent to one receiver."""

    receiver: Receiver
    notices: tuple[Notice, ...]


def note(config: Config, scans: Sequence[Sealed], key: bytes, *, keep: bool = True) -> tuple[Post, ...]:
    """Take up the changes of all scans that were not told yet; return what is to be sent to whom.

    Args:
        config: with the receivers.
        scans: all sealed scans, oldest first.
        key: of the pseudonyms.
        keep: whether to remember it. False: look only.
    """
    catalogue = words.load()
    read: dict[Path, document.Document] = {}
    posts = []
    for receiver in (one for one in config.notify if one.type in CHANNELS):
        known = waiting.load(config.state, receiver.id)
        for scan in _untold(scans, known):
            if scan.folder not in read:
                read[scan.folder] = document.read(scan.opened(scan.folder))
            found = read[scan.folder]
            before = Before(known.noted_as_of, known.verdicts, frozenset(known.waived)) if known.noted_as_of else None
            teller = Teller(config, receiver, key, catalogue)
            known = replace(
                known.with_changes(teller.changes(found, before)),
                noted_scan=scan.told.scan_id,
                noted_as_of=scan.told.as_of,
                waived=teller.waived(found),
                verdicts={source.id: source.verdict for source in found.sources},
            )
        if keep:
            waiting.save(config.state, receiver.id, known)
        if scans:
            posts.append(Post(receiver, tuple(_notices(config, receiver, known, scans[-1].told))))
    return tuple(posts)


def note_marks(
    config: Config, marks: Sequence[Mark], scan: Sealed, key: bytes, *, keep: bool = True
) -> tuple[Post, ...]:
    """Take up the changes that a plan will make when their grace periods end, each once; as `note` does."""
    catalogue = words.load()
    posts = []
    for receiver in (one for one in config.notify if one.type in CHANNELS):
        known = waiting.load(config.state, receiver.id)
        teller = Teller(config, receiver, key, catalogue)
        fresh = [mark for mark in marks if mark.name not in known.marks]
        known = replace(
            known.with_changes(teller.marks(fresh, scan.told.scan_id)),
            marks=tuple(dict.fromkeys([*known.marks, *(mark.name for mark in fresh)]))[-waiting.MOST :],
        )
        if keep:
            waiting.save(config.state, receiver.id, known)
        posts.append(Post(receiver, tuple(_notices(config, receiver, known, scan.told))))
    return tuple(posts)


def deliver(config: Config, posts: Sequence[Post], scan: Sealed | None, *, ended: bool | None) -> tuple[Delivery, ...]:
    """Send all of it, to all receivers at once; what fails is told, and stays for the next time.

    Args:
        config: with the receivers.
        posts: from `note`.
        scan: the one that metrics are about; None: they stay as they are.
        ended: whether the scan ended as it should, for heartbeats; None: no beat.
    """
    tasks: list[tuple[Receiver, Callable[[threading.Event], Delivery]]] = [
        (post.receiver, _sender(config, post)) for post in posts if post.notices
    ]
    for receiver in config.notify:
        if receiver.type == "heartbeat" and ended is not None:
            tasks.append((receiver, _beater(receiver, ended)))
        elif receiver.type == "metrics" and scan is not None:
            tasks.append((receiver, _writer(receiver, scan)))
    return _all(tasks)


def check(config: Config, receiver: Receiver) -> str:
    """Reach a receiver without sending anything; NoticeError if that fails."""
    binding.check(receiver, waiting.load(config.state, receiver.id))
    looks = {"heartbeat": heartbeat.check, "metrics": metrics.check}
    look = looks.get(receiver.type) or CHANNELS[receiver.type].check
    return look(receiver)


def _untold(scans: Sequence[Sealed], known: Waiting) -> Sequence[Sealed]:
    """Return the scans after the last one noted; for a new receiver the latest only."""
    if known.noted_as_of is None:
        return scans[-1:]
    ids = [scan.told.scan_id for scan in scans]
    if known.noted_scan in ids:
        return scans[ids.index(known.noted_scan) + 1 :]
    return [scan for scan in scans if scan.told.as_of > known.noted_as_of]


def _notices(config: Config, receiver: Receiver, known: Waiting, scan: Told) -> Iterator[Notice]:
    """Yield the messages: one for all, one for each owner, or one for each group."""
    split = CHANNELS[receiver.type].split
    if split is Split.OWNERS and not receiver.to_owners:
        split = Split.NONE
    parts: dict[str | None, list[Change]] = {}
    for change in known.to_tell:
        parts.setdefault(_part(change, split), []).append(change)
    for part, changes in parts.items():
        if split is Split.GROUPS and changes[0].kind is ChangeKind.BEGIN:
            continue
        content = [receiver.id, part, sorted([c.key, c.owner, str(c.kind), c.scan_id] for c in changes)]
        yield Notice(
            id=hashlib.sha256(canonical(content)).hexdigest()[:32],
            organization=config.organization,
            scan=scan,
            changes=tuple(changes),
            left_out=known.left_out if split is Split.NONE else 0,
            owner=part if split is Split.OWNERS else None,
            ticket=known.tickets.get(part or "", "") if split is Split.GROUPS else "",
        )


def _part(change: Change, split: Split) -> str | None:
    match split:
        case Split.GROUPS:
            return change.group
        case Split.OWNERS:
            try:
                return mail_address(change.owner)
            except ValueError:
                return None  # to those who get what nobody else does
        case Split.NONE:
            return None


def _sender(config: Config, post: Post) -> Callable[[threading.Event], Delivery]:
    def run(given_up: threading.Event) -> Delivery:
        receiver, until = post.receiver, time.monotonic() + post.receiver.max_seconds
        sent, problems = 0, []
        binding.check(receiver, waiting.load(config.state, receiver.id))
        with CHANNELS[receiver.type].open(receiver) as send:
            for notice in post.notices:
                try:
                    tickets = _persist(lambda one=notice: send(one), until)  # type: ignore[misc]
                except PassingError as error:
                    problems.append(str(error))
                    break  # the others would fare no better
                except NoticeError as error:
                    problems.append(str(error))
                    continue
                if given_up.is_set():
                    break
                known = binding.bind(receiver, waiting.load(config.state, receiver.id).without(notice.changes))
                waiting.save(config.state, receiver.id, replace(known, tickets={**known.tickets, **tickets}))
                sent += 1
        if problems:
            left = len(post.notices) - sent
            return Delivery(receiver.id, sent, f"{problems[0]}; {left} to be tried again after the next scan", True)
        return Delivery(receiver.id, sent, f"{sent} {'notice' if sent == 1 else 'notices'} sent")

    return run


def _beater(receiver: Receiver, ended: bool) -> Callable[[threading.Event], Delivery]:
    def run(given_up: threading.Event) -> Delivery:
        until = time.monotonic() + receiver.max_seconds
        return Delivery(receiver.id, 1, _persist(lambda: heartbeat.beat(receiver, ended=ended), until))

    return run


def _writer(receiver: Receiver, scan: Sealed) -> Callable[[threading.Event], Delivery]:
    def run(given_up: threading.Event) -> Delivery:
        metrics.write(receiver, document.read(scan.opened(scan.folder)), scan.told)
        return Delivery(receiver.id, 1, f"wrote {receiver.path}")

    return run


def _persist(send: Callable[[], _Sent], until: float) -> _Sent:
    """Try until it works, the attempts are spent or the time is over."""
    for attempt in range(ATTEMPTS):
        try:
            return send()
        except PassingError as error:
            wait = seconds(error.retry_after, BACKOFF_SECONDS * 2**attempt)
            if attempt + 1 == ATTEMPTS or time.monotonic() + wait >= until:
                raise
            time.sleep(wait)
    raise AssertionError("unreachable")


def _all(tasks: Sequence[tuple[Receiver, Callable[[threading.Event], Delivery]]]) -> tuple[Delivery, ...]:
    """Run all tasks at once, each in a thread that is left alone when its time is over: nothing waits for it."""
    found: dict[str, Delivery] = {}
    given_up = threading.Event()

    def guarded(receiver: Receiver, task: Callable[[threading.Event], Delivery]) -> None:
        try:
            found[receiver.id] = task(given_up)
        except OrphanscanError as error:
            found[receiver.id] = Delivery(receiver.id, 0, str(error), True)
        except Exception as error:  # a notice must never end a scan
            said = f"internal error: {type(error).__name__}"  # its text might hold a secret
            found[receiver.id] = Delivery(receiver.id, 0, said, True)

    began = time.monotonic()
    threads = [(one, threading.Thread(target=guarded, args=(one, task), daemon=True)) for one, task in tasks]
    for _, thread in threads:
        thread.start()
    for receiver, thread in threads:
        thread.join(max(0.0, began + receiver.max_seconds + 1 - time.monotonic()))
    given_up.set()
    late = "gave no answer in time; to be tried again after the next scan"
    return tuple(found.get(one.id) or Delivery(one.id, 0, late, True) for one, _ in threads)
