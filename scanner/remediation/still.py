"""Whether what a decision rested on still holds: the same decision, from the account and HR as they are now."""

from dataclasses import replace
from datetime import UTC, datetime

from scanner.config import Application
from scanner.remediation.account import activity_known, is_own, is_proven
from scanner.remediation.decide import decide
from scanner.remediation.model import Account, Action, Case

_SAME = ("username", "email", "external_id", "worker_id", "worker_status", "worker_terminated_at", "kind")
_USE = ("last_sign_in_at", "last_activity_at")
_ROLE = (
    "worker_type",
    "worker_hired_at",
    "worker_contract_ends_at",
    "worker_department",
    "worker_job_title",
    "worker_manager_id",
)
_SURENESS = ("certain", "probable", "suggested", "ambiguous", "none")


def changed(action: Action, app: Application, now: Account, *, roster_complete: bool, own: bool) -> str | None:
    """Return why an action is stale, or None where the same decision is made again."""
    before = action.account
    if before is None:
        return "the plan holds no account"
    # A leaver who signs in is all the more reason, and what HR still files about one changes nothing. Anybody else who
    # does is using the account, and may hold by now the post that goes with it.
    rests_on = _SAME if action.case.proven else (*_SAME, *_USE, *_ROLE)
    for name in rests_on:
        if getattr(before, name) != getattr(now, name):
            return f"{name} is not as in the plan"
    if before.is_active != now.is_active:
        return "is_active is not as in the plan"
    if more := sorted(set(now.rights) - set(before.rights)):
        return f"it holds {more[0]} now, which it did not in the plan"
    if _SURENESS.index(now.match_confidence) > _SURENESS.index(before.match_confidence):
        return "whose account it is, is less certain than in the plan"
    line = decide(_case(action.case, app, now, roster_complete=roster_complete, own=own))
    if not line.decision.is_actionable:
        return f"it would not be planned now: {line.because}"
    return None


def _case(case: Case, app: Application, now: Account, *, roster_complete: bool, own: bool) -> Case:
    return replace(
        case,
        account_kind=now.kind,
        is_active=now.is_active,
        match=case.match if now.match_confidence == "certain" else now.match_confidence,
        roster_complete=roster_complete,
        proven=is_proven(now, datetime.now(UTC)),
        activity_known=activity_known(now),
        is_own=own or is_own(now, app),
    )
