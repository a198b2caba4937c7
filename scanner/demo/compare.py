"""Compares what a scan found with what was planted, in both directions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Key = tuple[str, ...]

_FIELDS = ("rule", "app", "username", "entitlement", "worker_id", "subject", "verdict", "severity")
"""What makes two findings the same. A field that the plant leaves open (null) and an account names is not compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome. Each list holds findings as they are written in their file."""

    matched: int
    missing: tuple[Mapping[str, Any], ...]
    """Planted and not found."""
    unexpected: tuple[Mapping[str, Any], ...]
    """Found and not planted."""
    per_rule: Mapping[str, tuple[int, int]]
    """Rule -> planted, found."""

    @property
    def is_equal(self) -> bool:
        """Whether the scan found what was planted, and nothing else."""
        return not self.missing and not self.unexpected


def compare(found: Iterable[Mapping[str, Any]], planted: Sequence[Mapping[str, Any]]) -> Comparison:
    """Pair findings with plants one to one."""
    findings = list(found)
    left = Counter(_key(finding) for finding in findings)
    missing = []
    for plant in planted:
        if left[_key(plant)]:
            left[_key(plant)] -= 1
        else:
            missing.append(plant)
    unexpected = []
    for finding in findings:
        if left[_key(finding)]:
            left[_key(finding)] -= 1
            unexpected.append(finding)
    wanted, got = (Counter(str(item["rule"]) for item in items) for items in (planted, findings))
    rules = {rule: (wanted[rule], got[rule]) for rule in sorted(wanted | got)}
    return Comparison(len(planted) - len(missing), tuple(missing), tuple(unexpected), rules)


def table(comparison: Comparison) -> list[str]:
    """Return the outcome as lines for people."""
    width = max(map(len, comparison.per_rule), default=4)
    lines = [f"{'Rule':<{width}}  planted  found"]
    for rule, (planted, found) in comparison.per_rule.items():
        lines.append(f"{rule:<{width}}  {planted:>7}  {found:>5}{'' if planted == found else '   <-- differs'}")
    total = [sum(pair[side] for pair in comparison.per_rule.values()) for side in (0, 1)]
    lines.append(f"{'All rules':<{width}}  {total[0]:>7}  {total[1]:>5}")
    lines += [f"Planted, not found: {_line(item)} ({item.get('why', '')})" for item in comparison.missing]
    lines += [f"Found, not planted: {_line(item)} ({item.get('reason', '')})" for item in comparison.unexpected]
    return lines


def _key(item: Mapping[str, Any]) -> Key:
    """Return what is compared. A finding about an account is known by the account, whoever it belongs to."""
    return tuple(str(item.get(name) or "") for name in _FIELDS)


def _line(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {item[name]}" for name in _FIELDS if item.get(name))
