"""Tells people and systems what a scan changed. The network is touched in `wire`, `mail` and `siem` only."""

from scanner.notices.changes import Mark
from scanner.notices.delivery import Delivery, Post, Sealed, check, deliver, note, note_marks
from scanner.notices.model import Told
from scanner.notices.waiting import sending
from scanner.notices.wording import text

__all__ = [
    "Delivery",
    "Mark",
    "Post",
    "Sealed",
    "Told",
    "check",
    "deliver",
    "note",
    "note_marks",
    "sending",
    "text",
]
