"""A notice as plain text, and its parts for formats that have headings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.model import Severity
from scanner.notices.model import Change, ChangeKind, Notice
from scanner.report.disclosure import clean

MOST_LINES = 50
"""Changes that one message lists; the others are counted."""
HEADINGS = {
    ChangeKind.SOURCE_INCOMPLETE: "Source not complete",
    ChangeKind.REOPENED: "Reopened",
    ChangeKind.NEW: "New",
    ChangeKind.OVERDUE: "Overdue",
    ChangeKind.MARKED: "To be changed when the grace period ends",
    ChangeKind.EXISTING: "Open already",
    ChangeKind.RESOLVED: "Resolved",
    ChangeKind.SOURCE_COMPLETE: "Source complete again",
    ChangeKind.BEGIN: "Notices begin",
    ChangeKind.LEFT_OUT: "Not sent here",
}
_ORDER = list(ChangeKind)


@dataclass(frozen=True, slots=True)
class Section:
    """The part of a message about the applications of one owner."""

    heading: str
    lines: tuple[str, ...]


def subject(notice: Notice) -> str:
    """Return one line: how much changed, and how grave the worst of it is."""
    counted = Counter(change.kind for change in notice.changes)
    words = [f"{counted[kind]} {HEADINGS[kind].lower()}" for kind in ChangeKind if counted[kind]]
    grave = [c.severity for c in notice.changes if c.kind not in (ChangeKind.RESOLVED, ChangeKind.BEGIN)]
    worst = f" [{min(grave, key=lambda one: one.rank)}]" if grave else ""
    return clean(f"orphanscan, {notice.organization}:{worst} {', '.join(words)}")


def facts(notice: Notice) -> str:
    """Return the line that ties a message to the evidence."""
    scan = notice.scan
    incomplete = "" if scan.complete else ", not complete"
    return (
        f"Scan {scan.number} ({scan.scan_id}{incomplete}), as of {scan.as_of:%Y-%m-%d %H:%M} UTC;"
        f" evidence manifest SHA-256 {scan.manifest_sha256}. Notice {notice.id}."
    )


def sections(notice: Notice, most: int = MOST_LINES) -> Iterator[Section]:
    """Yield the changes by owner, the gravest first, and how many are not listed."""
    ordered = ordered_changes(notice.changes)
    shown, rest = ordered[:most], len(ordered) - most
    for owner in sorted({change.owner for change in shown}):
        lines = tuple(line(change) for change in shown if change.owner == owner)
        yield Section(clean(f"For {owner}") if owner else "For nobody in particular", lines)
    if rest > 0:
        yield Section("More", (f"{rest} more are not listed here; `orphanscan findings` shows them.",))


def ordered_changes(changes: Sequence[Change]) -> list[Change]:
    """Return changes as messages tell them."""
    return sorted(changes, key=lambda one: (one.severity.rank, _ORDER.index(one.kind), one.app, one.rule, one.key))


def line(change: Change) -> str:
    """Return one change in one line."""
    what = f"{change.title}, {change.app}" if change.app and change.rule else change.title
    severity = "" if change.kind in (ChangeKind.BEGIN, ChangeKind.SOURCE_COMPLETE) else f", {change.severity}"
    reference = f" ({change.key})" if change.rule else ""
    return clean(f"{HEADINGS[change.kind]}{severity}: {what}. {change.text}{reference}")


def text(notice: Notice) -> str:
    """Return the whole message."""
    parts = [subject(notice), ""]
    for section in sections(notice):
        parts += [section.heading, *(f"- {one}" for one in section.lines), ""]
    remedies = dict.fromkeys(
        clean(f"{change.title}: {change.remedy}")
        for change in ordered_changes(notice.changes)[:MOST_LINES]
        if change.remedy and change.kind not in (ChangeKind.RESOLVED, ChangeKind.MARKED)
    )
    if remedies:
        parts += ["What to do", *(f"- {one}" for one in remedies), ""]
    return "\n".join([*parts, facts(notice)])


def worst(changes: Sequence[Change]) -> Severity:
    """Return the gravest severity."""
    return min((change.severity for change in changes), key=lambda one: one.rank, default=Severity.INFO)
