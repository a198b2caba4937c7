"""One entry of the waiver file: its keys, what is wrong with it, and what it stands for."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import translate
from re import compile as compile_pattern
from typing import Any
from zoneinfo import ZoneInfo

from scanner.config_keys import Problems, nearest
from scanner.policy.entries import check_app
from scanner.policy.spec import Field, Input, Table

USUAL_DAYS = 180
"""From the day on which it was granted, where the entry names no last day."""
MOST_DAYS = 366
"""A year, also one with a 29 February in it."""
MOST_CHARACTERS = 300
"""Of a subject; longer ones name nothing that exists."""
_SUBJECTS = ("app", "account", "worker", "entitlement")
_OR_GLOB = "or a pattern with * ? and [ ]"

WAIVERS = Input(
    "waivers",
    "Accepted risks: findings that somebody answers for, for a time. Named by `file` in the table `[waivers]`.",
    tables=(
        Table(
            "waiver",
            "One accepted risk. At least one of app, account, worker and entitlement says what it is about.",
            (
                Field("rule", "text", f"Id of the rule, {_OR_GLOB}.", required=True),
                Field("app", "text", f"Id of the application, {_OR_GLOB}; * for all findings of the rule."),
                Field("account", "text", f"Id of the account, or its user name, {_OR_GLOB}."),
                Field("worker", "text", f"Person id, employee number or e-mail of the person, {_OR_GLOB}."),
                Field("entitlement", "text", f"Id of the entitlement, or its name, {_OR_GLOB}."),
                Field("exact", "boolean", "Take the texts above literally: * ? and [ are no patterns."),
                Field("reason", "text", "Why the risk is acceptable.", required=True),
                Field("approver", "text", "Who accepted it. Nobody accepts a risk of their own.", required=True),
                Field("ticket", "text", "Where it was decided."),
                Field("compensating_control", "text", "What limits the risk meanwhile."),
                Field("granted_on", "day", "When it was accepted; it holds from that day on.", required=True),
                Field(
                    "expires_on",
                    "day",
                    f"The last day on which it holds, at most a year later. Unset: {USUAL_DAYS} days after granted_on.",
                ),
            ),
            identities=(("rule", *_SUBJECTS),),
        ),
    ),
)
"""The keys of the file, with their meaning, as `[policy]` inputs have them."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An entry of the file, checked."""

    line: int
    rule: str
    app: str | None
    account: str | None
    worker: str | None
    entitlement: str | None
    exact: bool
    reason: str
    approver: str
    ticket: str | None
    compensating_control: str | None
    granted_on: date
    expires_on: date

    @property
    def id(self) -> str:
        """12 hex digits over rule and subject: a renewed waiver keeps it."""
        named = [self.rule, self.app, self.account, self.worker, self.entitlement, self.exact]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:12]

    def begins(self, zone: ZoneInfo) -> datetime:
        """Return the start of its first day."""
        return datetime.combine(self.granted_on, time(), zone).astimezone(UTC)

    def ends(self, zone: ZoneInfo) -> datetime:
        """Return the end of its last day."""
        return _end_of(self.expires_on, zone)

    def granted_by(self, zone: ZoneInfo) -> datetime:
        """Return the end of the day on which it was granted: what a scan had shown by then was known."""
        return _end_of(self.granted_on, zone)


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def is_glob(text: str) -> bool:
    """Tell whether a text is a pattern."""
    return any(character in text for character in "*?[")


def waiver(
    values: Mapping[str, Any], line: int, where: str, rules: Collection[str], apps: Collection[str], problems: Problems
) -> Waiver | None:
    """Return the entry, or None with what is wrong with it in `problems`."""
    mark = len(problems.lines)
    exact = values.get("exact", False)
    _check_rule(values, where, rules, problems, exact=exact)
    _check_subject(values, where, apps, problems, exact=exact)
    granted: date | None = values.get("granted_on")
    expires: date | None = None
    if granted is not None:
        expires = _expiry(granted, values.get("expires_on"), where, problems)
    if len(problems.lines) > mark or granted is None or expires is None:
        return None
    if not {"rule", "reason", "approver"} <= values.keys():
        return None  # read_table has said so
    return Waiver(
        line=line,
        rule=values["rule"],
        **{name: values.get(name) for name in _SUBJECTS},
        exact=exact,
        reason=values["reason"],
        approver=values["approver"],
        ticket=values.get("ticket"),
        compensating_control=values.get("compensating_control"),
        granted_on=granted,
        expires_on=expires,
    )


def _check_rule(
    values: Mapping[str, Any], where: str, rules: Collection[str], problems: Problems, *, exact: bool
) -> None:
    rule = values.get("rule")
    if rule is None:
        return
    if is_glob(rule) and not exact:
        matches = compile_pattern(translate(rule)).match
        if not any(matches(known) for known in rules):
            problems.add(f"{where}.rule", f"{rule} matches no rule")
    elif rule not in rules:
        problems.add(f"{where}.rule", f"there is no rule {rule}{nearest(rule, rules)}")


def _check_subject(
    values: Mapping[str, Any], where: str, apps: Collection[str], problems: Problems, *, exact: bool
) -> None:
    named = [name for name in _SUBJECTS if name in values]
    if not named:
        problems.add(where, 'says not what it is about: name app, account, worker or entitlement; app = "*" for all')
    for name in ("rule", *named):
        if len(values.get(name, "")) > MOST_CHARACTERS:
            problems.add(f"{where}.{name}", f"must not be longer than {MOST_CHARACTERS} characters")
            return
    if values.get("app", "*") != "*":
        check_app(values["app"], apps, f"{where}.app", problems, globs=not exact)
    said = [values[name] for name in ("rule", *named) if name in values]
    if named and "rule" in values and not exact and all(not text.strip("*?") for text in said):
        problems.add(where, "would accept every finding there is; name a rule, or a subject")
    approver = str(values.get("approver", "")).strip().casefold()
    for name in ("account", "worker"):
        if approver and str(values.get(name, "")).strip().casefold() == approver:
            problems.add(f"{where}.approver", f"is the {name} itself; nobody accepts a risk of their own")


def _expiry(granted: date, expires: date | None, where: str, problems: Problems) -> date | None:
    try:
        last = expires or granted + timedelta(days=USUAL_DAYS)
        too_late = last - granted > timedelta(days=MOST_DAYS)
        last + timedelta(days=1)
    except OverflowError:
        problems.add(f"{where}.granted_on", "lies too far ahead")
        return None
    if last < granted:
        problems.add(f"{where}.expires_on", f"lies before granted_on ({granted})")
    elif too_late:
        problems.add(f"{where}.expires_on", f"is more than a year after granted_on ({granted})")
    return last
