"""The decision table of docs/remediation.md, line by line, against the program."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.collectors import profiles
from scanner.remediation.decide import TABLE, decide
from scanner.remediation.meaning import meaning
from scanner.remediation.model import Case, Decision, Kind

DOCUMENT = (Path(__file__).parents[2] / "docs" / "remediation.md").read_text()
ANY: dict[str, tuple[Any, ...]] = {
    "mode": ("none", "notify", "deactivate", "remove_grant", "revoke_sessions"),
    "account_kind": ("human", "service", "shared", "break_glass", "external", "unknown"),
    "source": ("complete", "drift", "short", "capped", "failed", "unknown"),
    "match": ("certain", "probable", "suggested", "ambiguous", "none"),
}
CHANGES = ("deactivate", "remove_grant", "revoke_sessions")
CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "undecided": {"verdict": "unknown"},
    "roster_incomplete": {"roster_complete": False},
    "not_connected": {"connection": "none"},
    "read_only": {"connection": "read_only"},
    "nested": {"path": "nested"},
    "inactive": {"is_active": False},
    "removal": {"effect": "remove"},
    "only_delete": {"effect": "none"},
    "activity_unknown": {"activity_known": False},
    "state_unknown": {"is_active": None},
    "admins_unknown": {"last_admin": None},
    "provider_unread": {"provider_unread": True},
}
"""Word of the table -> fields of the case; every other word is a field that is true."""


def lines() -> Iterator[tuple[str, ...]]:
    """Yield the cells of the table."""
    section = DOCUMENT.split("## What becomes of a finding\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|$", section, re.MULTILINE)
    return (tuple(cell.strip() for cell in row.split("|")) for row in rows if not row.startswith(("rule asks", "---")))


def cases(mode: str, kind: str, source: str, match: str, circumstances: str) -> Iterator[Case]:
    """Yield every case that a line speaks of."""
    words = [word for word in circumstances.split(", ") if word]
    more: dict[str, Any] = {}
    for word in words:
        more |= CIRCUMSTANCES.get(word, {word: True})
    modes = CHANGES if mode == "change" else ANY["mode"] if mode == "any" else (mode,)
    chosen = (
        modes,
        *(ANY[n] if v == "any" else (v,) for n, v in (("account_kind", kind), ("source", source), ("match", match))),
    )
    for one, account_kind, verdict, confidence in itertools.product(*chosen):
        yield Case(mode=one, account_kind=account_kind, source=verdict, match=confidence, **more)


@pytest.mark.parametrize("line", list(lines()), ids=lambda cells: "-".join(cells[:5]))
def test_the_program_decides_as_the_table_says(line: tuple[str, ...]) -> None:
    """Every combination that a line stands for."""
    *what, decision, why = line

    decided = {(str(found.decision), found.code) for found in map(decide, cases(*what))}

    assert decided == {(decision, why)}


def test_every_line_of_the_program_is_in_the_table() -> None:
    """A new line is written down before it decides."""
    told = {cells[-1] for cells in lines()}

    assert {line.code for line in TABLE} <= told


def test_what_must_never_be_touched_is_never_touched_whatever_else_holds() -> None:
    """All combinations of account kind, source, match and confirmation; the product of what can be true at once."""
    flags = ("proven", "has_sessions_call", "irreversible_allowed", "confirmed", "in_grace", "came_undone")
    for kind, source, match, mode in itertools.product(
        ("service", "shared", "break_glass"), ANY["source"], ANY["match"], CHANGES
    ):
        for chosen in itertools.product((False, True), repeat=len(flags)):
            case = Case(
                mode=mode,
                account_kind=kind,
                source=source,
                match=match,
                **dict(zip(flags, chosen, strict=True)),  # type: ignore[arg-type]
            )
            assert decide(case).decision is Decision.NEVER


@pytest.mark.parametrize(
    ("profile", "effect", "safety"),
    [
        ("generic", "unknown", "S3"),
        ("slack", "disable", "S2"),
        ("atlassian", "disable", "S2"),
        ("salesforce", "disable", "S2"),
        ("github-emu", "disable", "S2"),
        ("gitlab-instance", "disable", "S3"),
        ("tableau-cloud", "licence", "S3"),
        ("gitlab-group", "remove", "S4"),
        ("figma", "remove", "S4"),
        ("sentry", "remove", "S4"),
        ("pagerduty", "remove", "S4"),
    ],
)
def test_what_switching_off_means_on_a_system_decides_its_safety_class(profile: str, effect: str, safety: str) -> None:
    """Where it removes the account, a person has to allow it twice and two people to sign."""
    said = meaning(Kind.DEACTIVATE, profiles.load(profile), None)

    assert (said.effect, said.safety) == (effect, safety)
    case = Case(mode="deactivate", account_kind="human", source="complete", effect=said.effect, proven=True)
    assert decide(case).decision.is_actionable == (effect != "remove")


def test_an_incomplete_source_never_leads_to_a_request() -> None:
    """Neither a confirmation nor a termination in HR opens it."""
    for source, kind, mode in itertools.product(ANY["source"][1:], ANY["account_kind"], CHANGES):
        case = Case(mode=mode, account_kind=kind, source=source, proven=True, confirmed=True, has_sessions_call=True)
        assert not decide(case).decision.is_actionable
