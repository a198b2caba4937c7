"""`plan --what-if`: what other budgets, rule parameters and waivers would change. Writes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from scanner.config import Config
from scanner.errors import ConfigError
from scanner.model import Finding
from scanner.remediation.model import Action, Plan
from scanner.settings import RemediationSettings, WaiverSettings

_BUDGETS = tuple(
    item.name for item in fields(RemediationSettings) if item.name.startswith("max_") or item.name == "floor"
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed to be different."""

    config: Config
    changes_rules: bool
    """Whether the findings themselves have to be judged again."""
    waived: tuple[str, ...]
    """Rules and fingerprints."""
    changes_waivers: bool = False
    """Whether another waiver file is assumed."""

    def waives(self, finding: Finding) -> bool:
        """Tell whether a finding is assumed to be accepted."""
        return finding.rule in self.waived or finding.fingerprint.startswith(self.waived)


def assume(config: Config, texts: Sequence[str]) -> Assumptions:
    """Read `KEY=VALUE` texts: a budget, RULE.PARAMETER, waive=RULE, waive=FINGERPRINT, or waivers=FILE."""
    params = {rule: dict(values) for rule, values in config.rules.params.items()}
    budgets: dict[str, float] = {}
    waived = []
    file = config.waivers.file
    for text in texts:
        key, is_pair, value = text.partition("=")
        rule, is_param, name = key.partition(".")
        if not is_pair or not value:
            raise ConfigError(f"--what-if {text!r} is not KEY=VALUE, such as max_unproven=10 or waive=dormant-account")
        if key == "waive":
            waived.append(value)
        elif key == "waivers":
            file = Path(value).absolute()
        elif is_param:
            params.setdefault(rule, {})[name] = _value(value)
        elif key in _BUDGETS:
            number = _value(value)
            if not isinstance(number, (int, float)) or isinstance(number, bool) or number < 0:
                raise ConfigError(f"--what-if {text!r}: {key} is a number, 0 or more")
            budgets[key] = number
        else:
            raise ConfigError(
                f"--what-if {text!r}: there is no {key}; known are {', '.join(_BUDGETS)}, RULE.PARAM, waive, waivers"
            )
    changed = replace(
        config,
        remediation=replace(config.remediation, **budgets),  # type: ignore[arg-type]  # names and numbers are checked
        rules=replace(config.rules, params=params),
        waivers=WaiverSettings(file),
    )
    return Assumptions(changed, params != config.rules.params, tuple(waived), file != config.waivers.file)


def difference(now: Plan, then: Plan) -> list[tuple[Action, str, str]]:
    """Return every action whose decision differs, with both; `none` where a plan does not hold it."""
    before, after = _by_id(now), _by_id(then)
    rows = []
    for one in sorted({*before, *after}):
        was = str(before[one].decision) if one in before else "none"
        becomes = str(after[one].decision) if one in after else "none"
        if was != becomes:
            rows.append((after.get(one) or before[one], was, becomes))
    return rows


def _by_id(plan: Plan) -> Mapping[str, Action]:
    return {action.id: action for action in plan.actions}


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
