"""Carries out one step: journal, send, read back. Says done only of what the server then shows."""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from scanner.collectors.http import Answer, UnansweredError
from scanner.errors import SourceError
from scanner.remediation import journal
from scanner.remediation.journal import Journal
from scanner.remediation.server import Server
from scanner.remediation.steps import Look, Step

_MAX_ATTEMPTS = 3
"""Times that a request is sent again after a 429, which says that nothing was done."""
_FIRST_WAIT = 0.1
_MIN_LOOKS = 3
"""However slow the server, one look that shows no change proves little."""


class Outcome(StrEnum):
    """What became of an action."""

    DONE = "done"
    """The server shows the change."""
    ACCEPTED = "accepted"
    """The server took the call; nothing can show its effect."""
    ALREADY = "already"
    """It was so before; nothing was sent."""
    STALE = "stale"
    """Something that the decision rested on changed; nothing was sent."""
    WOULD_SEND = "would_send"
    """A dry run stops here."""
    NO_EFFECT = "no_effect"
    """The server said yes, and shows no change."""
    REFUSED = "refused"
    FAILED = "failed"
    UNSETTLED = "unsettled"
    """Whether it was done is not known."""
    SURPRISE = "surprise"
    """Something else changed too; the application is left alone."""
    STOPPED = "stopped"
    """Not tried, because the application was left alone."""

    @property
    def is_failure(self) -> bool:
        """Whether a person has to look at it."""
        return self in (
            Outcome.NO_EFFECT,
            Outcome.REFUSED,
            Outcome.FAILED,
            Outcome.UNSETTLED,
            Outcome.SURPRISE,
            Outcome.STOPPED,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """The end of one action."""

    outcome: Outcome
    detail: str = ""
    after: object = None


@dataclass(frozen=True, slots=True)
class Book:
    """Where one action is written down."""

    journal: Journal
    folder: Path
    """Of the run."""
    action: str
    subject: Mapping[str, object]

    def intend(self, step: Step, before: Look, body: Mapping[str, Any] | None, attempt: int, element: object) -> None:
        """Write what will be sent and what was before; on disk when this returns."""
        kept: object = before.resource
        if before.others is not None:
            # The whole membership lies beside the journal: it may be long, and people may need it to restore a group.
            content = json.dumps(before.resource, ensure_ascii=False).encode("utf-8", "replace")
            kept = journal.save(self.folder, f"{self.action}-before.json", content)
        self.journal.append(
            "intent",
            action=self.action,
            subject=self.subject,
            attempt=attempt,
            method=step.request.method,
            url=step.request.url,
            body=body,
            if_match=before.version,
            before=kept,
            element=element,
        )

    def answered(self, answer: Answer | None, said: str) -> None:
        """Write what the server answered."""
        self.journal.append("answer", action=self.action, status=answer.status if answer else None, said=said)

    def end(self, result: Result) -> Result:
        """Write what became of it."""
        self.journal.append(
            "outcome",
            action=self.action,
            subject=self.subject,
            outcome=str(result.outcome),
            detail=result.detail,
            after=result.after,
        )
        return result


def carry_out(
    server: Server, step: Step, before: Look, book: Book, again: Callable[[], Look | Result], element: object = None
) -> Result:
    """Send the request of a step and say what the server then shows.

    Args:
        server: the application.
        step: what to change.
        before: the look on which the decision was made, a moment ago.
        book: where to write it down.
        again: decides anew before another attempt; a Result ends the action.
        element: what an undo will put back.
    """
    bodies = iter(_bodies(step))
    body = next(bodies)
    for attempt in range(1, _MAX_ATTEMPTS + 2):
        book.intend(step, before, body, attempt, element)
        try:
            answer = server.send(step.request.method, step.request.url, body, before.version)
        except UnansweredError as error:
            book.answered(None, str(error))
            return _judge(server, step, before, None, str(error))
        except SourceError as error:
            book.answered(None, str(error))
            return _judge(server, step, before, Outcome.FAILED, str(error))
        book.answered(answer, said := server.said(answer))
        if 200 <= answer.status < 300:
            return _judge(server, step, before, Outcome.NO_EFFECT, f"answered {answer.status} without effect")
        alternative = next(bodies, None) if answer.status == 400 else None
        if answer.status == 429 and attempt <= _MAX_ATTEMPTS:
            wait = server.pause_of(answer)
            if wait >= min(server.remaining, 300):
                return Result(Outcome.FAILED, f"the server asks to wait {wait:,.0f} s; nothing was done")
            time.sleep(wait)
        elif alternative is not None:
            body = alternative
        else:
            return _refused(server, step, before, answer, said)
        looked = again()
        if isinstance(looked, Result):
            return looked
        before = looked
    return Result(Outcome.FAILED, f"the server answered 429 {_MAX_ATTEMPTS + 1} times; nothing was done")


def settle(server: Server, step: Step, kept: object, now: Look) -> Result | None:
    """Say what became of a request that was written down before a crash; None: it can be sent, it has done nothing."""
    if now.is_done is True:
        return Result(Outcome.DONE, "found done after an interruption; not sent again", now.resource)
    if step.is_idempotent and now.is_done is False and kept == now.resource:
        # The resource is to the letter as it was: no request has changed it.
        return None
    return Result(Outcome.UNSETTLED, "whether it was sent before the interruption is not known; not sent again")


def _bodies(step: Step) -> Iterator[Mapping[str, Any] | None]:
    yield step.request.body
    if step.request.alternative is not None:
        yield step.request.alternative


def _refused(server: Server, step: Step, before: Look, answer: Answer, said: str) -> Result:
    words = f"answered {answer.status}" + (f': "{said}"' if said else "")
    if answer.status == 412:
        return Result(Outcome.STALE, "it changed in the last moment (412); nothing was written")
    is_failure = answer.status >= 500 or answer.status == 429
    return _judge(server, step, before, Outcome.FAILED if is_failure else Outcome.REFUSED, words)


def _judge(server: Server, step: Step, before: Look, unless_done: Outcome | None, words: str) -> Result:
    """Read back until the change shows or the time for it is over.

    `unless_done` is the outcome if it does not show; None: the request was not answered, so it may show later.
    """
    is_hopeful = unless_done in (None, Outcome.NO_EFFECT)
    until = time.monotonic() + (server.settle_seconds if is_hopeful else 0)
    wait = _FIRST_WAIT
    for looks in itertools.count(1):
        try:
            after = step.look()
        except SourceError as error:
            return Result(Outcome.UNSETTLED, f"{words}; reading back failed: {error}")
        if (surprise := step.surprise(before, after)) is not None:
            return Result(Outcome.SURPRISE, surprise, after.resource)
        if after.is_done:
            note = "" if unless_done is Outcome.NO_EFFECT else f"the change is there, although: {words}"
            return Result(Outcome.DONE, note, after.resource)
        if after.is_done is None and unless_done is Outcome.NO_EFFECT:
            return Result(Outcome.ACCEPTED, "no look can show whether sessions ended", None)
        left = until - time.monotonic()
        if left <= 0 and (looks >= _MIN_LOOKS or not is_hopeful):
            break
        time.sleep(min(wait, max(left, _FIRST_WAIT)))
        wait *= 2
    return Result(unless_done or Outcome.UNSETTLED, words, after.resource)
