"""What must hold before a plan is applied. Each gate refuses with what to do next; none can be switched off."""

from datetime import datetime

from scanner import evidence
from scanner.config import Config
from scanner.errors import RefusedError
from scanner.model import Record
from scanner.remediation import plan_file, planning
from scanner.remediation.approve import refuse_if_expired
from scanner.remediation.budgets import budget
from scanner.remediation.candidates import Filters
from scanner.remediation.decide import decide
from scanner.remediation.model import Action, Decision, Plan, SafetyClass
from scanner.remediation.plan import Asked
from scanner.store import scans


def check(config: Config, plan: Plan, chosen: tuple[Action, ...], *, allow_irreversible: bool, now: datetime) -> None:
    """Raise RefusedError unless the plan is in time, of the latest scan, of these settings and within budget."""
    refuse_if_expired(plan, now)
    latest = scans.stored(config.state)[-1]
    if latest.id != plan.scan_id or latest.manifest_sha256 != plan.manifest_sha256:
        raise RefusedError(f"{plan.id} is of scan {plan.scan_id}; the latest is {latest.id}: make a new plan")
    evidence.check_sealed(scans.scan_dir(config.state, plan.scan_id), plan.manifest_sha256, "")
    if plan.policy_sha256 != plan_file.policy_sha256(config):
        raise RefusedError(f"the configuration, the approvers or a policy changed since {plan.id}: make a new plan")
    if any(decide(action.case).decision is not action.decision for action in plan.actions):
        raise RefusedError(f"{plan.id} holds a decision that the decision table does not make: it was changed")
    over = [line for line in budget(config.remediation, plan.targets, chosen) if line.is_over]
    if over:
        raise RefusedError(f"over budget: {over[0].sentence}; nothing was written. Make a smaller plan, or raise it")
    if not allow_irreversible and any(action.meaning.safety is SafetyClass.S4 for action in chosen):
        raise RefusedError(f"{plan.id} holds changes that cannot be undone; say --allow-irreversible here too")


def unattended(config: Config, plan: Plan, record: Record) -> tuple[Action, ...]:
    """Return the actions of a plan that the policy lets run without an approval; RefusedError if it lets none.

    Nobody signed the plan, so it is made again from the evidence, and must come out the same.
    """
    settings = config.remediation
    if not settings.unattended_classes or not settings.unattended_rules:
        raise RefusedError(
            "nothing may run unattended: name classes and rules in [remediation] unattended_classes, unattended_rules"
        )
    if plan.is_baseline:
        raise RefusedError(f"{plan.scan_id} is the first scan of this store; nothing runs unattended on a baseline")
    chosen = tuple(
        action
        for action in plan.to_apply
        if action.decision is Decision.AUTOMATIC
        and action.meaning.safety in settings.unattended_classes
        and all(cause.rule in settings.unattended_rules for cause in action.causes)
    )
    scan = scans.get(config.state, plan.scan_id)
    found = planning.basis(config, scan, scans.scan_dir(config.state, scan.id), record)
    asked = Asked(Filters(**plan.filters))
    made = {action.id: action for action in planning.make(config, found, asked).actions}
    for action in chosen:
        if made.get(action.id) != action:
            raise RefusedError(f"{plan.id}: action {action.id} is not what the evidence gives: it was changed")
    return chosen
