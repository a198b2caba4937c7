"""What must hold before a plan is applied. Each gate refuses with what to do next; none can be switched off."""

from dataclasses import fields
from datetime import datetime, timedelta

from scanner import evidence
from scanner.config import Config
from scanner.errors import RefusedError
from scanner.model_record import Record
from scanner.remediation import plan_file, planning
from scanner.remediation.accepted import accepted_now
from scanner.remediation.candidates import Filters
from scanner.remediation.model import Action, Decision, Plan, SafetyClass
from scanner.remediation.plan import Asked
from scanner.store import scans

_REMADE = tuple(item.name for item in fields(Plan) if item.name not in ("id", "actions", "came_undone", "notices"))
_FILTERS = {item.name for item in fields(Filters)}
_CLOCKS_DIFFER = timedelta(minutes=5)
"""Between two machines that share a state folder."""


def check(config: Config, plan: Plan, record: Record, now: datetime) -> None:
    """Raise RefusedError unless the plan is in time, of the latest scan, of these settings, untouched, within budget.

    `approve` and `apply` ask the same, so that nobody signs what cannot be applied.
    """
    _refuse_out_of_time(plan, now)
    latest = scans.stored(config.state)[-1]
    if latest.id != plan.scan_id or latest.manifest_sha256 != plan.manifest_sha256:
        raise RefusedError(f"{plan.id} is of scan {plan.scan_id}; the latest is {latest.id}: make a new plan")
    evidence.check_sealed(scans.scan_dir(config.state, plan.scan_id), plan.manifest_sha256, "")
    if plan.policy_sha256 != plan_file.policy_sha256(config):
        raise RefusedError(f"the configuration, the approvers or a policy changed since {plan.id}: make a new plan")
    _refuse_changed(config, plan, record)
    if plan.over_budget:
        raise RefusedError(
            f"{plan.id} is over budget: {plan.over_budget[0].sentence}; nothing was written. Narrow the plan with"
            " --app, --rule or --fingerprint, or raise the limit in [remediation]"
        )


def refuse_irreversible(plan: Plan, chosen: tuple[Action, ...]) -> None:
    """Raise RefusedError if one of the chosen changes cannot be undone."""
    if any(action.meaning.safety is SafetyClass.S4 for action in chosen):
        raise RefusedError(f"{plan.id} holds changes that cannot be undone; say --allow-irreversible here too")


def unattended(config: Config, plan: Plan, scan_finished_at: datetime, now: datetime) -> tuple[Action, ...]:
    """Return the actions of a plan that the policy lets run without an approval; RefusedError if it lets none."""
    settings = config.remediation
    if not settings.unattended_classes or not settings.unattended_rules:
        raise RefusedError(
            "nothing may run unattended: name classes and rules in [remediation] unattended_classes, unattended_rules"
        )
    if plan.is_baseline:
        raise RefusedError(f"{plan.scan_id} is the first scan of this store; nothing runs unattended on a baseline")
    if now - scan_finished_at > timedelta(hours=settings.expires_hours):
        raise RefusedError(
            f"{plan.scan_id} ended more than {settings.expires_hours:g} hours ago (expires_hours); nothing runs"
            " unattended on old evidence: scan again, and make a new plan"
        )
    return tuple(
        action
        for action in plan.to_apply
        if action.decision is Decision.AUTOMATIC
        and action.meaning.safety in settings.unattended_classes
        and all(cause.rule in settings.unattended_rules for cause in action.causes)
    )


def _refuse_out_of_time(plan: Plan, now: datetime) -> None:
    """Raise RefusedError for a plan whose time is over, or has not come: then a clock was or is wrong."""
    if plan.created_at > now + _CLOCKS_DIFFER:
        raise RefusedError(
            f"{plan.id} was made at {plan.created_at:%Y-%m-%d %H:%M} UTC, and here it is {now:%Y-%m-%d %H:%M} UTC:"
            " set the clock, and make a new plan"
        )
    if now >= plan.expires_at:
        raise RefusedError(f"{plan.id} expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC; make a new one")


def _refuse_changed(config: Config, plan: Plan, record: Record) -> None:
    """Make the plan again from the evidence; RefusedError if it does not come out the same.

    A signature says that a person saw the file. This says that the file is what the evidence gives, and that whoever
    signed did not first lower the number of approvals or set a limit higher.
    """
    changing = {cause.fingerprint for action in plan.to_apply for cause in action.causes}
    # What a waiver accepts since the plan is skipped as stale, one by one.
    accepted = accepted_now(config, record) - changing
    scan = scans.get(config.state, plan.scan_id)
    folder = scans.scan_dir(config.state, scan.id)
    found = planning.basis(config, scan, folder, planning.with_accepted(record, accepted), before=plan.created_at)
    asked = Asked(
        Filters(**{name: values for name, values in plan.filters.items() if name in _FILTERS}),
        plan.confirmed,
        plan.irreversible_allowed,
    )
    again = planning.make(config, found, asked, now=lambda: plan.created_at)
    for name in _REMADE:
        if getattr(again, name) != getattr(plan, name):
            raise RefusedError(f"{plan.id}: {name} is not what the evidence gives; it was changed: make a new plan")
    made = {action.id: action for action in again.actions}
    for action in plan.to_apply:
        if made.get(action.id) != action:
            raise RefusedError(
                f"{plan.id}: action {action.id} is not what the evidence gives; it was changed, or what it rests on"
                " was: make a new plan"
            )
