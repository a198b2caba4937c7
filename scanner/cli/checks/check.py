"""One check of `doctor` and how it came out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from scanner.errors import OrphanscanError


class Result(StrEnum):
    """How a check came out, worst last."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    """A scan runs, but somebody should look."""
    FAILED = "failed"
    """A scan would not run, or not be complete."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    result: Result
    detail: str


Found = tuple[Result, str]
"""How a check came out, and what was seen."""


def guarded(what: str, look: Callable[[], Found]) -> Check:
    """Return the check, failed with the words of the error where the look ends in one."""
    try:
        result, detail = look()
    except OrphanscanError as error:
        return Check(what, Result.FAILED, str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Check(what, Result.FAILED, f"{where}{error.strerror or error}")
    return Check(what, result, detail)
