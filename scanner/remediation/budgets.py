"""Budgets: how much one run may change. Over any of them nothing is written at all."""

import math
from collections import Counter
from collections.abc import Sequence

from scanner.remediation.model import Action, BudgetLine, Target
from scanner.settings import RemediationSettings


def budget(
    settings: RemediationSettings, targets: Sequence[Target], actions: Sequence[Action]
) -> tuple[BudgetLine, ...]:
    """Return every limit with what the actionable ones among `actions` would use of it."""
    acting = [action for action in actions if action.decision.is_actionable]
    used = Counter(action.app for action in acting)
    touched = [target for target in targets if used[target.app]]
    return (
        _line("max_actions", None, len(acting), settings.max_actions),
        _percent("max_percent", None, len(acting), sum(t.accounts for t in touched), settings.max_percent, settings),
        _line("max_unproven", None, sum(not action.case.proven for action in acting), settings.max_unproven),
        *(
            line
            for target in touched
            for line in (
                _line(
                    "max_actions_per_application",
                    target.app,
                    used[target.app],
                    settings.max_actions_per_application,
                ),
                _percent(
                    "max_percent_per_application",
                    target.app,
                    used[target.app],
                    target.accounts,
                    settings.max_percent_per_application,
                    settings,
                ),
            )
        ),
    )


_ABOUT = {
    "max_actions": "changes in one run",
    "max_percent": "changes in one run",
    "max_unproven": "changes that do not rest on a termination in HR",
    "max_actions_per_application": "changes in one application",
    "max_percent_per_application": "changes in one application",
}


def _line(limit: str, app: str | None, used: int, allowed: int, how: str = "") -> BudgetLine:
    where = f" ({app})" if app else ""
    return BudgetLine(limit, app, used, allowed, f"{used} {_ABOUT[limit]}{where}; {limit} allows {allowed}{how}")


def _percent(
    limit: str, app: str | None, used: int, accounts: int, percent: float, settings: RemediationSettings
) -> BudgetLine:
    share = math.floor(accounts * percent / 100)
    how = f": {percent:g} % of {accounts} accounts that are not inactive"
    if share < settings.floor:
        # A percentage of a small application is no change at all, or none that makes sense.
        return _line(limit, app, used, settings.floor, f"{how} would be {share}, the floor is {settings.floor}")
    return _line(limit, app, used, share, how)
