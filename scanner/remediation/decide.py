"""The decision table: from a case to what becomes of it. The first line that matches decides."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from scanner.remediation.model import Case, Decision

_NOT_COMPLETE = ("drift", "short", "capped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Line:
    """If every field of the case has one of the values, this is the decision."""

    code: str
    decision: Decision
    when: Mapping[str, Collection[object]]
    because: str
    may_confirm: bool = False
    """Whether a person may decide otherwise, by fingerprint."""


_NEVER, _TICKET, _PERSON = Decision.NEVER, Decision.TICKET, Decision.NEEDS_A_PERSON

TABLE: tuple[Line, ...] = (
    # What nobody may switch on.
    Line("waived", _NEVER, {"is_waived": (True,)}, "The risk is accepted."),
    Line("notice", _TICKET, {"mode": ("none", "notify")}, "The rule asks a person to look at it."),
    Line("break-glass", _NEVER, {"account_kind": ("break_glass",)}, "It is a break-glass account."),
    Line("service", _NEVER, {"account_kind": ("service",)}, "It is a service account: something may stop working."),
    Line("shared", _NEVER, {"account_kind": ("shared",)}, "It is a shared account: others work with it."),
    Line("own-credential", _NEVER, {"is_own": (True,)}, "orphanscan itself signs in with it."),
    Line("last-administrator", _NEVER, {"last_admin": (True,)}, "No other administrator would remain: name one first."),
    # What the data cannot carry.
    Line("undecided", _PERSON, {"verdict": ("unknown",)}, "The data cannot decide whether this is an exception."),
    Line("source-incomplete", _PERSON, {"source": _NOT_COMPLETE}, "The application was not read completely."),
    Line("roster-incomplete", _PERSON, {"roster_complete": (False,)}, "A roster was not read completely."),
    # What cannot be sent.
    Line("not-connected", _TICKET, {"connection": ("none",)}, "The application cannot be written to over SCIM."),
    Line(
        "no-write-credential",
        _TICKET,
        {"connection": ("read_only",)},
        "The application has no [application.write] in the configuration.",
    ),
    Line(
        "no-sessions-call",
        _TICKET,
        {"mode": ("revoke_sessions",), "has_sessions_call": (False,)},
        "SCIM cannot end sessions, and the configuration names no call of the application that does.",
    ),
    Line(
        "grant-not-direct",
        _TICKET,
        {"mode": ("remove_grant",), "path": ("group", "nested", "none")},
        "The right comes through another group, or the finding does not name it.",
    ),
    Line("already-inactive", _TICKET, {"mode": ("deactivate",), "is_active": (False,)}, "It is inactive already."),
    Line(
        "irreversible",
        _PERSON,
        {"mode": ("deactivate",), "effect": ("remove", "none"), "irreversible_allowed": (False,)},
        "On this system it cannot be undone; plan with --allow-irreversible.",
    ),
    # What a person may decide.
    Line("lead", _PERSON, {"is_lead": (True,)}, "The rule gives leads, not exceptions.", may_confirm=True),
    Line(
        "match-not-certain",
        _PERSON,
        {"match": ("probable", "suggested", "ambiguous", "none")},
        "Whose account it is, is not certain.",
        may_confirm=True,
    ),
    Line(
        "activity-unknown",
        _PERSON,
        {"activity_known": (False,), "proven": (False,)},
        "The application does not say whether it is in use, and HR does not say that its person has left.",
        may_confirm=True,
    ),
    Line(
        "state-unknown",
        _PERSON,
        {"is_active": (None,)},
        "The application does not say whether it is active.",
        may_confirm=True,
    ),
    Line(
        "kind-unknown",
        _PERSON,
        {"account_kind": ("external", "unknown")},
        "It is not known to be the account of a worker.",
        may_confirm=True,
    ),
    Line(
        "administrators-unknown",
        _PERSON,
        {"last_admin": (None,)},
        "Nobody said who is an administrator (policy input privileged_entitlements), so it may be the last one.",
        may_confirm=True,
    ),
    Line(
        "provider-unread",
        _PERSON,
        {"provider_unread": (True,)},
        "It rests on the identity provider, which cannot be asked again over SCIM before the change.",
        may_confirm=True,
    ),
    Line(
        "second-writer",
        _PERSON,
        {"second_writer": (True,)},
        "A write by anybody but the identity provider breaks its synchronisation: change it there.",
        may_confirm=True,
    ),
    Line(
        "came-undone",
        _PERSON,
        {"came_undone": (True,)},
        "An earlier change was reverted, most likely by a synchronisation: change it at its origin.",
        may_confirm=True,
    ),
    Line(
        "taken-back",
        _PERSON,
        {"taken_back": (True,)},
        "A person took an earlier change back by `undo`: ask why, or accept the finding with a waiver.",
        may_confirm=True,
    ),
    Line(
        "cannot-be-undone",
        _PERSON,
        {"mode": ("deactivate",), "effect": ("remove", "none")},
        "On this system it cannot be undone.",
        may_confirm=True,
    ),
    Line("grace", Decision.WAITING, {"in_grace": (True,)}, "Its grace period is not over."),
)
"""A field and its values; a tuple of values means any of them. Fields that a line does not name do not matter to it."""

AUTOMATIC = Line("automatic", Decision.AUTOMATIC, {}, "Every condition for a change is met.")
CONFIRMED = Line("confirmed", Decision.CONFIRMED, {}, "A person chose it.")


def decide(case: Case) -> Line:
    """Return the line of the table that decides a case."""
    overruled = False
    for line in TABLE:
        if all(getattr(case, name) in values for name, values in line.when.items()):
            if not (line.may_confirm and case.confirmed):
                return line
            overruled = True
    return CONFIRMED if overruled else AUTOMATIC
