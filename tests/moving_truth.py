"""The life of every finding of the moving company, computed from its events and never from the program."""

from collections import Counter
from collections.abc import Mapping

from moving_company import APPS, LEAD, OVERDUE_DAYS, WAIVED_ACCOUNT, WAIVED_FROM, WAIVED_TO, Key, Person, World

Told = tuple[str, str, str]
"""What a notice says: heading, application or roster, account; a source has no account."""


class Truth:
    """The life of every finding, told anew from the events."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state: dict[Key, str] = {}
        self.first: dict[Key, int] = {}
        self.reads: dict[str, list[tuple[int, dict[str, bool], bool]]] = {app: [] for app in APPS}
        """Application -> day, what was seen, and whether it was all, for each scan."""

    def night(self, day: int) -> dict[Key, tuple[str, int]]:
        """Return what findings.json must hold: key -> state and day of the first scan of its stretch."""
        is_waived = WAIVED_FROM <= day <= WAIVED_TO
        raised = self.world.raised(day)
        told: dict[Key, tuple[str, int]] = {}
        for key in raised | set(self.state):
            before = self.state.get(key)
            if key in raised:
                if before in (None, "resolved"):
                    self.first[key] = day
                waived = is_waived and key == ("orphaned-account", "crm", WAIVED_ACCOUNT)
                self.state[key] = "waived" if waived else "open"
                if waived:
                    shown = "waived"
                elif before is None:
                    shown = "baseline" if day == 0 else "new"
                else:
                    shown = "reopened" if before in ("resolved", "waived") else "open"
                told[key] = (shown, self.first[key])
            elif before != "resolved" and self.world.is_tested(key, day):
                self.state[key] = "resolved"
                told[key] = ("resolved", self.first[key])
            elif before != "resolved":
                self.state[key] = "unseen"
        for app in APPS:
            self.reads[app].append((day, self.world.shown(app, day), self.world.is_complete(app, day)))
        return told

    def notices(self, day: int, before: int | None, told: Mapping[Key, tuple[str, int]]) -> set[Told]:
        """Return what is to be told of a night, the last one before it being `before`; nothing of the first."""
        if before is None:
            return set()
        headings = {"new": "New", "reopened": "Reopened", "resolved": "Resolved"}
        found = set()
        for (rule, app, name), (state, first) in told.items():
            if state in headings:
                found.add((headings[state], app, name))
            elif rule != LEAD and state == "open" and before < first + OVERDUE_DAYS <= day:
                found.add(("Overdue", app, name))
        now, earlier = self.world.lacking(day), self.world.lacking(before)
        found |= {("Source not complete", source, "") for source in now - earlier}
        return found | {("Source complete again", source, "") for source in earlier - now}

    def ledger(self, day: int) -> Counter[str]:
        """Return leavers x applications by outcome."""
        return Counter(self._outcome(one, app, day) for one in self.world.people if one.has_left(day) for app in APPS)

    def _outcome(self, one: Person, app: str, day: int) -> str:
        reads = self.reads[app]
        _, shown, is_complete = reads[-1]
        due = (one.left or 0) + 2  # the first scan after the time allowed
        if one.name not in shown:
            return "cannot_tell"
        if shown[one.name]:
            if day >= due:
                return "open"
            return "not_due" if is_complete else "cannot_tell"
        # Off: seen on by the last complete scan of the stretch in which it was on, seen off by the first scan after.
        off = max(n for n, (_, seen, _) in enumerate(reads) if seen.get(one.name) is True) + 1
        closed = next(d for d, seen, _ in reads[off:] if one.name in seen)
        active = max(d for d, _, complete in reads if complete and d < closed)
        if closed < due:
            outcome = "closed_in_time"
        elif active >= due:
            outcome = "closed_late"
        else:
            outcome = "cannot_tell"
        return outcome if is_complete or outcome == "closed_late" else "cannot_tell"
