"""The kinds of receivers that are told of changes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum, auto

from scanner.notices import chat, mail, siem, tickets, webhook
from scanner.notices.chat import Send
from scanner.settings import Receiver


class Split(Enum):
    """How the changes of one run become messages."""

    NONE = auto()
    """One message, by owner."""
    OWNERS = auto()
    """One to each owner, where the receiver asks for it."""
    GROUPS = auto()
    """One for each rule in each application."""


@dataclass(frozen=True, slots=True)
class Channel:
    """How one kind of receiver is told."""

    open: Callable[[Receiver], AbstractContextManager[Send]]
    check: Callable[[Receiver], str]
    """Reach it without sending anything."""
    split: Split = Split.NONE


CHANNELS: Mapping[str, Channel] = {
    "email": Channel(mail.mail, mail.check, Split.OWNERS),
    "slack": Channel(chat.slack, chat.check),
    "teams": Channel(chat.teams, chat.check),
    "webhook": Channel(webhook.webhook, webhook.check),
    "jira": Channel(tickets.jira, tickets.check_jira, Split.GROUPS),
    "servicenow": Channel(tickets.servicenow, tickets.check_servicenow, Split.GROUPS),
    "syslog": Channel(siem.syslog, siem.check),
}
"""Type -> channel. Metrics and heartbeats tell of no changes."""
