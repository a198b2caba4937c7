"""A plan for readers: one set of sentences for the terminal, HTML and PDF."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from scanner.remediation.model import Action, Decision, Kind, Plan
from scanner.report.cover import Cover, Fact
from scanner.report.pdf import Drawing
from scanner.report.sheet import sheet_drawing, sheet_html
from scanner.report.words import load

_SECTIONS = {
    Decision.AUTOMATIC: ("To apply", "Once approved, each account is read again, changed, and read back."),
    Decision.CONFIRMED: ("To apply, because a person chose it", "As above, and never unattended."),
    Decision.NEEDS_A_PERSON: (
        "Needs a person",
        "Never applied as they stand. Where it says so, `plan --confirm FINGERPRINT` makes one an action.",
    ),
    Decision.WAITING: ("Waiting", "Marked; the grace period is not over. Tell the owner now."),
    Decision.NEVER: ("Never", "Nothing switches these on."),
    Decision.TICKET: ("Tickets and notices", "For people to do; nothing is sent."),
}
_KINDS = {
    Kind.DEACTIVATE: "Deactivate",
    Kind.REVOKE_SESSIONS: "End the sessions of",
    Kind.REMOVE_GRANT: "Remove a right of",
    Kind.DELETE: "Delete",
    Kind.NOTICE: "Look at",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One action, in words."""

    id: str
    title: str
    severity: str
    safety: str
    application: str
    lines: tuple[tuple[str, str, bool], ...]
    """Term, value, and whether the value is code."""


def headline(plan: Plan) -> str:
    """Return the plan in one sentence."""
    counts = dict.fromkeys(Decision, 0)
    for action in plan.actions:
        counts[action.decision] += 1
    acting = counts[Decision.AUTOMATIC] + counts[Decision.CONFIRMED]
    return (
        f"{acting} to apply, {counts[Decision.NEEDS_A_PERSON]} for a person to decide,"
        f" {counts[Decision.WAITING]} waiting,"
        f" {counts[Decision.TICKET]} tickets, {counts[Decision.NEVER]} never."
    )


def sections(plan: Plan, wanted: tuple[Decision, ...] = tuple(_SECTIONS)) -> list[tuple[str, str, list[Shown]]]:
    """Return title, introduction and actions of every part, the actions as planned."""
    names = {target.app: target.name for target in plan.targets}
    return [
        (*_SECTIONS[decision], [shown(one, names) for one in plan.actions if one.decision is decision])
        for decision in wanted
    ]


def shown(action: Action, names: Mapping[str, str]) -> Shown:
    """Return an action in words."""
    return Shown(
        id=action.id,
        title=title(action),
        severity=str(action.severity),
        safety=f"class {action.meaning.safety}",
        application=names.get(action.app, action.app),
        lines=tuple(_lines(action)),
    )


def title(action: Action) -> str:
    """Return what is done to whom."""
    name = (action.account.username if action.account else None) or action.account_id or action.app or "the scan"
    what = f"{_KINDS[action.kind]} {name}"
    if action.kind is not Kind.REMOVE_GRANT or action.entitlement is None:
        return what
    kind, _, value = action.entitlement.partition(":")
    called = action.entitlement_name
    return f"{what}: {kind} {value if called in (None, action.entitlement, value) else f'{called} ({value})'}"


def _lines(action: Action) -> list[tuple[str, str, bool]]:
    account = action.account
    lines = [(f"Finding ({cause.rule})", _filled(cause.reason, action), False) for cause in action.causes]
    lines += [("Fingerprint", cause.fingerprint, True) for cause in action.causes]
    confirm = " A person may decide otherwise with --confirm." if action.may_confirm else ""
    lines.append(("Decision", f"{action.because}{confirm}", False))
    if action.kind is not Kind.NOTICE:
        lines.append(("What it does", action.meaning.sentence, False))
    if account is not None:
        lines.append(("Account before", _state(action), False))
        lines.append(("Person", _person(action), False))
    if action.request is not None:
        lines.append(("Request", f"{action.request.method} {action.request.url}", True))
        if action.request.body is not None:
            lines.append(("Body", _json(action.request.body), True))
        if action.request.alternative is not None:
            lines.append(("If refused (400)", _json(action.request.alternative), True))
    lines += [("Consequence", sentence, False) for sentence in action.consequences]
    if action.acts_from is not None:
        lines.append(("Acts from", f"{action.acts_from:%Y-%m-%d %H:%M} UTC", False))
    if action.earlier_run is not None:
        lines.append(("Before", f"{action.earlier_run} had changed it, which did not last.", False))
    return lines


def _filled(reason: str, action: Action) -> str:
    name = (action.account.username if action.account else None) or action.account_id or "the account"
    worker = (action.account.worker_id if action.account else None) or "the person"
    return reason.replace("{account}", name).replace("{worker}", worker).replace("{manager}", "the manager")


def _state(action: Action) -> str:
    account = action.account
    if account is None:
        return ""
    active = {True: "active", False: "inactive", None: "not said whether active"}[account.is_active]
    version = f", version {account.version}" if account.version else ""
    return f"{account.username or '-'} ({account.account_id}), {active}, {account.kind}{version}"


def _person(action: Action) -> str:
    account = action.account
    if account is None or account.worker_id is None:
        return f"nobody ({account.match_confidence} match)" if account else ""
    ended = f" since {account.worker_terminated_at}" if account.worker_terminated_at else ""
    return f"{account.worker_id}, {account.worker_status}{ended} ({account.match_confidence} by {account.match_method})"


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False)


def to_html(plan: Plan, sha256: str) -> bytes:
    """Return the plan as one HTML page."""
    return sheet_html("plan.html", _cover(plan, sha256), _values(plan))


def to_drawing(plan: Plan, sha256: str) -> Drawing:
    """Return what it takes to draw the plan as PDF, in a process with limits."""
    return sheet_drawing("plan.html", _cover(plan, sha256), _values(plan))


def _cover(plan: Plan, sha256: str) -> Cover:
    words = load()
    doubts = f"{'' if plan.scan_complete else ', not complete'}{', baseline' if plan.is_baseline else ''}"
    filters = "; ".join(f"{name} {', '.join(values)}" for name, values in plan.filters.items())
    return Cover(
        id=plan.id,
        title=words("plan.title"),
        subtitle="",
        organization=plan.organization,
        about=plan.id,
        classification=words("classification.L2.short"),
        is_draft=False,
        created_at=plan.created_at,
        seal=f"{words('plan.hash')} {sha256[:16]}",
        facts=(
            Fact("Plan", plan.id, is_code=True),
            Fact("SHA-256 of the plan", sha256, is_code=True),
            Fact("Made", f"{plan.created_at:%Y-%m-%d %H:%M:%S} UTC"),
            Fact("Expires", f"{plan.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
            Fact("Scan", f"{plan.scan_id}{doubts}"),
            Fact("Evidence manifest, SHA-256", plan.manifest_sha256, is_code=True),
            Fact("Approvals needed", str(plan.approvals_needed)),
            Fact("Filters", filters or "none"),
        ),
        reader=headline(plan),
    )


def _values(plan: Plan) -> dict[str, object]:
    return {"plan": plan, "over": plan.over_budget, "sections": sections(plan)}
