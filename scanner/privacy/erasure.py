"""Takes one person out of a state folder, as far as no evidence rests on them, and says what stays and why.

What is taken out: the versions of the person in the store; the ids of their accounts, grants and findings there, which
stay under random ones so that numbers of the past stay what they were; what waits to be told about them; and their
place in reviews. Sealed evidence, plans and journals are never rewritten: they would prove nothing any more.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from scanner import retention, reviews
from scanner.errors import RefusedError
from scanner.model import Scan
from scanner.notices import waiting
from scanner.privacy.held import Held
from scanner.privacy.subject import ERASED, Traces
from scanner.store import person_rows
from scanner.store.person import Person

_FOR_PROOF = "stays: it proves what was done"


@dataclass(frozen=True, slots=True)
class Left:
    """One place in which a person is held, and what becomes of it."""

    place: str
    """store, notices, reviews, workbooks, evidence, plans, journals, access log, file or source."""
    name: str
    count: int
    outcome: str

    @property
    def goes(self) -> bool:
        """Whether erasure changes it."""
        return self.place in ("store", "notices", "reviews")


def refuse_held(who: Person, holds: Sequence[tuple[str, str]]) -> None:
    """Raise RefusedError if a legal hold keeps the person's data."""
    known = {*who.words, *(number.lower() for number in who.numbers)}
    for held, reason in holds:
        if held.strip().lower() in known:
            raise RefusedError(f"a legal hold keeps the data of this person ({reason}); nothing was erased")


def left_of(
    state: Path,
    who: Person,
    held: Held,
    traces: Traces,
    *,
    known: Sequence[Scan],
    days: Mapping[str, int],
    files: Sequence[Path],
) -> tuple[Left, ...]:
    """Return where a person is held and what becomes of it.

    Args:
        state: the state folder.
        who: the person.
        held: what is held of them.
        traces: by what it was found.
        known: all stored scans.
        days: class of data -> days for which it is kept.
        files: that people write, and orphanscan reads: policy inputs, waivers.
    """
    return tuple(_left(state, who, held, traces, known, days, files))


def _left(
    state: Path,
    who: Person,
    held: Held,
    traces: Traces,
    known: Sequence[Scan],
    days: Mapping[str, int],
    files: Sequence[Path],
) -> Iterator[Left]:
    for table, rows in held.store.items():
        yield Left("store", table, len(rows), "erased" if table in person_rows.GONE else "under a random id")
    if held.waivers:
        yield Left("store", "waiver_versions", len(held.waivers), "named no more, once ended")
    for name, changes in held.notices.items():
        yield Left("notices", name, len(changes), "erased: not told any more")
    for name, items in held.reviews.items():
        yield Left("reviews", name, len(items), f"the account becomes `{ERASED}`")
        if books := len(list((state / "reviews" / name).rglob("*.xlsx*"))):
            yield Left("workbooks", name, books, "may name the person: take them away once they were handed out")
    for scan in known:
        if count := held.bundles.get(scan.id):
            yield Left("evidence", scan.id, count, _until(scan.as_of, "evidence", days))
    for name, entries in held.plans.items():
        made = datetime.fromtimestamp((state / "plans" / name).stat().st_mtime).astimezone()
        yield Left("plans", name, len(entries), _until(made, "plans", days))
    for name, entries in held.journals.items():
        yield Left("journals", name, len(entries), _FOR_PROOF)
    if held.accesses:
        yield Left("access log", "access.ndjson", len(held.accesses), f"{_FOR_PROOF}, and bears a pseudonym")
    for path in files:
        lines = [number for number, line in enumerate(_lines(path), start=1) if _is_in(traces, who, line)]
        if lines:
            shown = ", ".join(str(number) for number in lines[:10])
            yield Left("file", str(path), len(lines), f"yours to change: line {shown}")
    for source in person_rows.still_shown(state, who):
        yield Left("source", source, 1, "shown by its last answer: the next scan collects it again")


def erase(state: Path, who: Person, traces: Traces, left: Sequence[Left], note: Mapping[str, str]) -> None:
    """Take a person out; call it while the state folder is locked.

    It is written down first. The store comes last: a run that was killed finds the person again, and does the rest.
    """
    counts = {f"{one.place} {one.name}": one.count for one in left if one.goes}
    retention.write_down(state, "erase", {**note, "erased": counts})
    with waiting.sending(state):
        for receiver in waiting.receivers(state):
            before = waiting.load(state, receiver)
            gone = [change for change in before.changes if traces.tell_of(dataclasses.asdict(change))]
            if gone:
                waiting.save(state, receiver, before.without(gone))
    for campaign in reviews.known(state):
        without = reviews.without_person(campaign, who.worker_id, traces.tell_of, ERASED)
        if without != campaign:
            reviews.remember(state, without)
    person_rows.pseudonymise(state, who, traces.without)


def _until(since: datetime, kind: str, days: Mapping[str, int]) -> str:
    if kind not in days:
        return f"stays, never rewritten; [privacy.retention] sets no days for {kind}"
    return f"stays until {since + timedelta(days=days[kind]):%Y-%m-%d}, never rewritten; `purge` removes it then"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _is_in(traces: Traces, who: Person, line: str) -> bool:
    """Whether a line of a file of any form names the person or an account of theirs, as a whole word."""
    if traces.may_name(line):
        return True
    words = {
        word.strip("\"'[]{}()").lower() for word in line.replace("=", " ").replace(",", " ").replace(";", " ").split()
    }
    return bool(words & {*who.words, *(account.lower() for _, account in who.accounts)})
