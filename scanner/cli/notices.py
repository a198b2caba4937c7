"""Notices after `scan`, `check` and `plan`: what is sent, shown or left, and what is said of it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from scanner.cli import summary
from scanner.config import Config
from scanner.errors import OrphanscanError

if TYPE_CHECKING:
    from scanner.notices import Delivery, Post, Sealed
    from scanner.remediation.model import Plan


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--notices`."""
    return click.option(
        "--notices",
        "mode",
        type=click.Choice(["send", "show", "off"]),
        default="send",
        show_default=True,
        help="What to do with the notices that [[notify]] asks for; show prints them and sends nothing.",
    )(command)


@contextlib.contextmanager
def beating(config: Config, mode: str, log_format: str) -> Iterator[None]:
    """Tell heartbeats if the run ends with an error; what becomes of it is the error's business."""
    try:
        yield
    except BaseException:
        if mode == "send":
            _say(_deliver(config, (), None, ended=False), log_format)
        raise


def after_scan(config: Config, mode: str, log_format: str, code: int) -> list[dict[str, object]]:
    """Note and send what the sealed scans changed; return the deliveries for programs. Never raises, never fails."""
    if mode == "off" or not config.notify:
        return []
    from scanner import notices

    scans = _sealed(config)
    with _guarded(log_format):
        if mode == "show":
            _show(notices.note(config, scans, _key(config), keep=False), log_format)
            return []
    found: tuple[Delivery, ...] = ()
    posts: tuple[Post, ...] = ()
    with contextlib.ExitStack() as stack:
        with _guarded(log_format):
            stack.enter_context(notices.sending(config.state))
            posts = notices.note(config, scans, _key(config))
        found = _deliver(config, posts, scans[-1] if scans else None, ended=code in (0, 1))
    _say(found, log_format)
    return [_entry(one) for one in found]


def after_plan(config: Config, plan: "Plan", mode: str) -> None:
    """Tell owners once what will be changed when grace periods end. Never raises, never fails."""
    waiting = [action for action in plan.actions if action.acts_from is not None and action.account_id is not None]
    if mode == "off" or not config.notify or not waiting:
        return
    from scanner import notices

    scan = next(one for one in _sealed(config) if one.told.scan_id == plan.scan_id)
    marks = [
        notices.Mark(
            action=action.id,
            what=str(action.kind),
            app=action.app,
            account_id=action.account_id or "",
            username=action.account.username if action.account else None,
            fingerprint=min(action.causes, key=lambda cause: (cause.severity.rank, cause.fingerprint)).fingerprint,
            rules=tuple(sorted({cause.rule for cause in action.causes})),
            severity=action.severity,
            acts_from=action.acts_from,
        )
        for action in waiting
        if action.acts_from is not None
    ]
    with _guarded("text"):
        if mode == "show":
            _show(notices.note_marks(config, marks, scan, _key(config), keep=False), "text")
            return
        with notices.sending(config.state):
            posts = notices.note_marks(config, marks, scan, _key(config))
            _say(_deliver(config, posts, None, ended=None), "text")


def _sealed(config: Config) -> "list[Sealed]":
    from scanner import notices
    from scanner.store import scans

    numbers = scans.numbers(config.state)
    return [
        notices.Sealed(
            notices.Told(one.id, numbers[one.id], one.as_of, one.manifest_sha256, one.complete),
            scans.place_of(config.state, one.id),
            lambda place: scans.scan_dir(config.state, place.name),
        )
        for one in scans.stored(config.state)
        if one.manifest_sha256
    ]


def _key(config: Config) -> bytes:
    from scanner.report.pseudonyms import load_key

    return load_key(config.state, create=True)


def _deliver(
    config: Config, posts: "Sequence[Post]", scan: "Sealed | None", *, ended: bool | None
) -> "tuple[Delivery, ...]":
    from scanner import notices

    return notices.deliver(config, posts, scan, ended=ended)


@contextlib.contextmanager
def _guarded(log_format: str) -> Iterator[None]:
    """Say what went wrong; a notice never stops a run."""
    try:
        yield
    except (OrphanscanError, OSError) as error:
        summary.say(f"notices: {error}", log_format)


def _show(posts: "Sequence[Post]", log_format: str) -> None:
    from scanner import notices

    for post in posts:
        for notice in post.notices:
            to = f"{post.receiver.id}{f', {notice.owner}' if notice.owner else ''}"
            for line in (f"notice to {to}, not sent:", *notices.text(notice).split("\n")):
                summary.say(line, log_format, receiver=post.receiver.id)


def _say(found: "Sequence[Delivery]", log_format: str) -> None:
    for one in found:
        failed = "not delivered: " if one.is_failed else ""
        summary.say(f"notice to {one.receiver}: {failed}{one.detail}", log_format, **_entry(one))


def _entry(one: "Delivery") -> dict[str, object]:
    return {"receiver": one.receiver, "sent": one.sent, "failed": one.is_failed, "detail": one.detail}
