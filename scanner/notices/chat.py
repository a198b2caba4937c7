"""Slack and Microsoft Teams: incoming addresses that take one message; the address is the secret.

Every text goes into elements that know no markup, so that a name cannot call everybody, hide a link or forge a line.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from scanner.notices import wire, wording
from scanner.notices.model import Notice
from scanner.settings import Receiver

_SLACK_TEXT = 2900
"""Slack takes 3000 characters in a section, and 50 blocks."""
_SLACK_BLOCKS = 45
_TEAMS_LINES = 40
"""Teams takes some 28 KB."""

Send = Callable[[Notice], Mapping[str, str]]


@contextlib.contextmanager
def slack(receiver: Receiver) -> Iterator[Send]:
    """Give what posts a notice to an incoming webhook of Slack."""
    yield from _poster(receiver, slack_message)


@contextlib.contextmanager
def teams(receiver: Receiver) -> Iterator[Send]:
    """Give what posts a notice to a workflow of Teams as an Adaptive Card."""
    yield from _poster(receiver, teams_message)


def _poster(receiver: Receiver, message: Callable[[Notice], object]) -> Iterator[Send]:
    with wire.opened(receiver, wire.read(receiver.url, receiver), is_secret=True) as to:

        def send(notice: Notice) -> Mapping[str, str]:
            to.send("POST", body=message(notice))
            return {}

        yield send


def check(receiver: Receiver) -> str:
    """Reach the host without posting anything."""
    with wire.opened(receiver, wire.read(receiver.url, receiver), is_secret=True) as to:
        return to.reach()


def slack_message(notice: Notice) -> Mapping[str, object]:
    """Return the blocks. `text` is what a notification shows; only there do & < > mean something (docs.slack.dev)."""
    subject = wording.subject(notice)
    blocks: list[object] = [{"type": "header", "text": _plain(subject[:150])}]
    for section in wording.sections(notice):
        blocks += [{"type": "section", "text": _plain(piece)} for piece in _pieces(section)]
    blocks = blocks[:_SLACK_BLOCKS]
    blocks.append({"type": "context", "elements": [_plain(wording.facts(notice))]})
    escaped = subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "blocks": blocks}


def _plain(text: str) -> Mapping[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _pieces(section: wording.Section) -> Iterator[str]:
    piece = section.heading
    for line in section.lines:
        shown = f"• {line}"[:_SLACK_TEXT]
        if len(piece) + len(shown) + 1 > _SLACK_TEXT:
            yield piece
            piece = shown
        else:
            piece = f"{piece}\n{shown}"
    yield piece


def teams_message(notice: Notice) -> Mapping[str, object]:
    """Return an Adaptive Card. Its TextRun knows no Markdown, which a TextBlock does (adaptivecards.io)."""
    body = [_block(wording.subject(notice), weight="Bolder", size="Medium")]
    for section in wording.sections(notice, _TEAMS_LINES):
        body.append(_block(section.heading, weight="Bolder"))
        body += [_block(f"• {line}") for line in section.lines]
    body.append(_block(wording.facts(notice), isSubtle=True, size="Small"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _block(text: str, **style: object) -> Mapping[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
