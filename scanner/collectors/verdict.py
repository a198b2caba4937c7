"""Decides how complete a list is, from numbers alone."""

from scanner.collectors.walk import End, Walk
from scanner.model import Verdict

KNOWN_CAPS = frozenset({50, 100, 200, 1000, 2000})
"""Where servers are known to stop: a list of exactly this length that its server does not vouch for is suspect."""


def judge_stated(walk: Walk, again: int | None, what: str) -> tuple[Verdict, str]:
    """Judge a walk whose server states a total; `again` is the total when asked once more at the end."""
    found, stated = len(walk.ids), walk.stated
    if (early := _broken(walk, what)) is not None:
        return early
    if walk.changed or again != stated:
        numbers = " -> ".join(_number(n) for n in (walk.first_total, stated, again))
        return Verdict.DRIFT, f"the list of {what} changed while it was read (stated total {numbers})"
    if walk.conflicts:
        return Verdict.UNKNOWN, _conflicts(walk, what)
    if stated is None or found == stated:
        return _unless_rejected(walk, what)
    if found > stated:
        return (
            Verdict.UNKNOWN,
            f"the server states {stated:,} {what} but lists {found:,}: its total cannot be relied on",
        )
    if walk.rejected:
        return Verdict.SHORT, f"{_rejected(walk, what)}; {found:,} of {stated:,} {what} were read"
    if found in KNOWN_CAPS:
        return Verdict.CAPPED, f"the server stops at {found:,} of {stated:,} {what} and offers no way to go on"
    repeated = " and repeats them when asked for more" if walk.end is End.NOTHING_NEW else ""
    return Verdict.SHORT, f"the server states {stated:,} {what} but lists {found:,}{repeated}"


def judge_unstated(first: Walk, second: Walk, what: str) -> tuple[Verdict, str]:
    """Judge two walks whose server states no total."""
    for walk, which in ((first, ""), (second, "the second reading, which would prove the list, did not end: ")):
        if (early := _broken(walk, what)) is not None:
            return (early[0], early[1]) if walk is first else (Verdict.UNKNOWN, which + early[1])
    found = len(second.ids)
    if first.ids != second.ids:
        apart = len(first.ids ^ second.ids)
        return Verdict.DRIFT, f"the server states no total, and two readings differ in {apart:,} {what}"
    if second.conflicts:
        return Verdict.UNKNOWN, _conflicts(second, what)
    if End.NOTHING_NEW in (first.end, second.end):
        return Verdict.UNKNOWN, f"the server states no total and repeats its first {found:,} {what} for ever"
    if first.by_id or second.by_id:
        told = f"the server states no total, and the last of {found:,} {what} were asked for by id"
        return Verdict.UNKNOWN, f"{told}: if it keeps another order, some are missing, and nothing proves it does not"
    if found in KNOWN_CAPS and not second.by_cursor:
        return Verdict.CAPPED, f"the server states no total and stops at exactly {found:,} {what}"
    return _unless_rejected(second, what)


def _broken(walk: Walk, what: str) -> tuple[Verdict, str] | None:
    """Return the verdict of a walk that did not reach an end of its own."""
    found = len(walk.ids)
    read = f"{found:,} of {_number(walk.stated)} {what} were read"
    endless = Verdict.SHORT if walk.stated is not None and found < walk.stated else Verdict.UNKNOWN
    match walk.end:
        case End.FAILED:
            return Verdict.FAILED, f"{walk.error}; {read}" if walk.pages else walk.error
        case End.REFUSED if found in KNOWN_CAPS or (walk.refusal and walk.refusal.scim_type == "toomany"):
            return Verdict.CAPPED, f"the server stops at {found:,} {what}: {walk.error}"
        case End.REFUSED:
            return Verdict.FAILED, f"{walk.error}; {read}"
        case End.LOOP:
            return endless, f"the server repeated a cursor, so the end of the list was not seen; {read}"
        case End.BARREN:
            return endless, f"the server sends cursors without rows and never ends; {read}"
        case End.BUDGET:
            return Verdict.SHORT, f"the list did not end within {walk.pages:,} pages (limits.max_pages); {read}"
    return None


def _unless_rejected(walk: Walk, what: str) -> tuple[Verdict, str]:
    return (Verdict.SHORT, _rejected(walk, what)) if walk.rejected else (Verdict.COMPLETE, "")


def _rejected(walk: Walk, what: str) -> str:
    return f"{walk.rejected:,} rows among the {what} are no objects or have no id"


def _conflicts(walk: Walk, what: str) -> str:
    return f"{walk.conflicts:,} ids each stand for several {what}: which of them was meant cannot be told"


def _number(value: int | None) -> str:
    return "an unstated number" if value is None else f"{value:,}"
