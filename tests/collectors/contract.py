"""What every kind of source must do, and who stands in the lists of its tests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scanner.collectors.interface import Look
from scanner.model import Collected

CANARY = "c4nary-s3cret-Value"
"""The secret of every source; it must turn up nowhere."""
HOSTILE = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", 'O\'Neil "x"; drop table accounts --', "Zoë\u202egnp.exe")
IDS = ("007", "u-2", "u-3")
"""Of the accounts of every list; the second is inactive, the first holds `Admins`."""


@dataclass(frozen=True, slots=True)
class Rig:
    """One kind of source, and how a test makes it good or bad. Each function collects into a folder."""

    complete: Callable[[Path], Collected]
    cut: Callable[[Path], Collected]
    """The list ends half-way."""
    denied: Callable[[Path], Collected]
    """Some of what is needed may not be read."""
    duplicates: Callable[[Path], Collected]
    """One id stands for two users."""
    odd_status: Callable[[Path], Collected] | None
    """The list of `complete`, and one user more with a status word that nobody knows. None: its status is no word."""
    hostile: Callable[[Path], Collected]
    """Users are called as HOSTILE says."""
    unreadable: Callable[[Path], Collected]
    look: Callable[[Path], Look]
    """What `doctor` sees of the list of `complete`."""
    module: str
    """Of the collector; full name, or below scanner.collectors."""
    page: str
    """Of the documentation."""
