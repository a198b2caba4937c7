"""What holds for every shipped rule, seen on the known-answer data set."""

import re
import shutil
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from scanner import known_answers, rule_cases, rules
from scanner.known_answers import run_known_answers
from scanner.model import Finding, RuleOutcome, RuleResult
from scanner.model_rules import Rule
from scanner.paths import bundled
from scanner.rule_process import Child
from scanner.rule_runner import run_in
from scanner.store.audit import FILE, create_audit

FOLDER = bundled("sample_data") / "known_answers"
DOCUMENTS = {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}
CLOCK = datetime(2026, 3, 31, tzinfo=UTC)
RULES = rules.find()


def turned(value: Any) -> Any:
    """Return a document with all its rows the other way round."""
    if isinstance(value, dict):
        return {key: turned(entry) for key, entry in value.items()}
    return value[::-1] if isinstance(value, list) and value and isinstance(value[0], dict) else value


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RuleResult], list[RuleResult], set[str]]:
    """Judge the data set as it is and with its rows in another order; return both, and all that names somebody."""
    runs = []
    with Child(memory_mb=4096) as child:
        for turn, documents in enumerate((DOCUMENTS, {n: turned(d) for n, d in reversed(DOCUMENTS.items())})):
            file = tmp_path_factory.mktemp(f"known-{turn}") / FILE
            create_audit(file)
            with duckdb.connect(str(file)) as con:
                known_answers._fill(con, documents.values(), CLOCK)
                names = con.execute(
                    "select username from audit.accounts union select email from audit.accounts"
                    " union select display_name from audit.accounts union select full_name from audit.workers"
                    " union select email from audit.workers union select worker_id from audit.workers"
                    " union select approved_by from audit.grants union select reviewer from audit.review_items"
                ).fetchall()
            runs.append(list(run_in(child, file, RULES, as_of=CLOCK, max_seconds=60)))
    return runs[0], runs[1], {name for (name,) in names if name and len(name) > 2}


def stripped(result: RuleResult) -> list[Finding]:
    """Return the findings in the order of their fingerprints."""
    return sorted(result.findings, key=lambda finding: finding.fingerprint)


def test_every_rule_runs_and_says_the_same_whatever_the_order_of_the_rows(judged: Any) -> None:
    """Subjects, severities, reasons and evidence depend on the data alone."""
    first, second, _ = judged

    assert {result.rule: result.detail for result in first if result.result is RuleOutcome.ERROR} == {}
    for one, other in zip(first, second, strict=True):
        assert stripped(one) == stripped(other), one.rule


def test_no_reason_names_anybody_and_personal_evidence_is_declared(judged: Any) -> None:
    """Reports without names print reasons as they are, and leave out the columns that a rule calls personal."""
    first, _, names = judged
    declared = {rule.id: rule.personal for rule in RULES}

    assert len(names) > 100
    for finding in (finding for result in first for finding in result.findings):
        told = set(finding.reason.replace(",", " ").replace(".", " ").split()) | {finding.reason}
        assert not told & names, finding
        shown = {str(value) for key, value in finding.evidence.items() if key not in declared[finding.rule]}
        assert not shown & names, finding


def test_every_rule_is_planted_twice_and_has_two_near_misses() -> None:
    """What is not planted cannot be missed."""
    assert set(DOCUMENTS) - {"frame"} == {rule.id for rule in RULES}
    for name, document in DOCUMENTS.items():
        if name != "frame":
            counted = Counter(plant["what"] for plant in document["plant"])
            fails = [f for plant in document["plant"] for f in plant.get("found", ()) if f["verdict"] == "fail"]
            assert len(fails) >= 2, name
            assert counted["near miss"] >= 2, name
            assert all(("found" in plant) == (plant["what"] == "violation") for plant in document["plant"]), name


def test_no_plant_is_a_copy_of_another_in_other_names() -> None:
    """Two violations of a rule differ in kind, else the second proves nothing that the first did not."""
    copies = []
    for path in FOLDER.glob("*.toml"):
        plants = [p for p in tomllib.loads(path.read_text()).get("plant", []) if p["what"] == "violation"]
        bare = [
            re.sub(rf"{path.stem}[.-]\d", "", repr({k: v for k, v in p.items() if k not in ("what", "why")}))
            for p in plants
        ]
        copies += [path.stem for one in set(bare) if bare.count(one) > 1]

    assert copies == []


def test_the_rules_give_the_known_answers() -> None:
    """All that was planted is found, and nothing else."""
    with Child(memory_mb=4096) as child:
        known = run_known_answers(RULES, child)

    assert known.problems == ()
    assert str(known) == f"{known.planted} of {known.planted} planted violations detected, 0 false"
    assert (known.rules, known.unplanted) == (len(RULES), ())
    assert known.near_misses >= 2 * len(RULES)


@pytest.mark.parametrize(
    ("condition", "problem"),
    [("where a.worker_id is null and", "planted, not found: rule orphaned-account"), (None, "found, not planted")],
)
def test_a_rule_whose_logic_was_changed_is_noticed(condition: str | None, problem: str) -> None:
    """One that finds too little, and one that finds too much; a rule of one's own is named, not judged."""
    (rule,) = (rule for rule in RULES if rule.id == "orphaned-account")
    sql = rule.sql.replace("and a.excluded_because is null", "and false" if condition else "")
    changed: tuple[Rule, ...] = (replace(rule, sql=sql), replace(rule, id="our-own"))

    with Child(memory_mb=4096) as child:
        known = run_known_answers(changed, child)

    assert not known.is_right
    assert all(text.startswith(problem) for text in known.problems)
    assert known.unplanted == ("our-own",)
    assert known.detected + sum(text.startswith("planted") for text in known.problems) == known.planted


def test_a_damaged_data_set_is_told(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "frame.toml").write_text("as_of = ")

    with Child(memory_mb=4096) as child, pytest.raises(rules.ConfigError, match="known-answer data set"):
        run_known_answers(RULES, child, tmp_path)


ABOUT_PRIVILEGE = {
    "disabled-keeps-privilege",
    "on-leave-privileged",
    "privilege-outside-role",
    "privileged-without-mfa",
    "self-approved-privilege",
    "too-many-admins",
}
"""Their severity counts the privilege already; the data of the application makes it one step worse."""
ONE_SEVERITY = {
    "access-review-overdue",  # of the application's data: cases of its own
    "activity-after-leaving",  # critical in itself
    "departed-person-data-kept",  # nobody can use a closed account
    "manager-gone",
    "peer-outlier",  # a lead: by privilege alone
    "population-incomplete",
    "roster-implausible",
    "source-stale-or-failed",
    "upcoming-leaver",
}
"""Rules whose severity says something else, or nothing, about the account."""


NO_PRIVILEGE = "update audit.grants set is_privileged = false"
ALL_PRIVILEGED = (
    f"{NO_PRIVILEGE};"
    " insert into audit.grants (app, account_id, entitlement, is_privileged)"
    " select app, account_id, 'group:root', true from audit.accounts"
)
PERSONAL = "update audit.applications set data = ['personal']"
HEALTH = "update audit.applications set data = ['personal', 'ephi']"


def severities(child: Child, file: Path, *changes: str) -> dict[str, tuple[str, int]]:
    """Return fingerprint -> rule and rank of severity, for the data set with the changes."""
    shutil.copyfile(file.with_name(FILE), file)
    with duckdb.connect(str(file)) as con:
        for change in changes:
            con.execute(change)
    judged = [rule for rule in RULES if rule.id not in ONE_SEVERITY]
    results = run_in(child, file, judged, as_of=CLOCK, max_seconds=60)
    return {f.fingerprint: (f.rule, f.severity.rank) for result in results for f in result.findings}


def test_health_records_or_money_and_privilege_make_a_finding_one_step_more_severe(tmp_path: Path) -> None:
    """In every rule about an account, and never by two steps: one that is worse for another reason stays."""
    base = {rule.id: rule.severity.rank for rule in RULES}
    seen = set()
    create_audit(tmp_path / FILE)
    with duckdb.connect(str(tmp_path / FILE)) as con:
        known_answers._fill(con, DOCUMENTS.values(), CLOCK)
    with Child(memory_mb=4096) as child:
        as_is = severities(child, tmp_path / "a", PERSONAL), severities(child, tmp_path / "b", HEALTH)
        bare = severities(child, tmp_path / "c", PERSONAL, NO_PRIVILEGE)
        data = severities(child, tmp_path / "d", HEALTH, NO_PRIVILEGE)
        privilege = severities(child, tmp_path / "e", PERSONAL, ALL_PRIVILEGED)

    for plain, raised, about in ((*as_is, True), (bare, data, False), (bare, privilege, False)):
        for fingerprint in plain.keys() & raised.keys():
            rule, rank = plain[fingerprint]
            if (rule in ABOUT_PRIVILEGE) is about:
                seen.add((rule, raised is privilege))
                assert raised[fingerprint] == (rule, max(rank - 1, base[rule] - 1)), fingerprint
    judged = base.keys() - ONE_SEVERITY
    assert {rule for rule, of_privilege in seen if not of_privilege} == judged
    assert {rule for rule, of_privilege in seen if of_privilege} == judged - ABOUT_PRIVILEGE


def test_what_hr_took_and_what_it_took_are_told_apart() -> None:
    """Since when IT could know is not known where the first scan of all already showed the departure."""
    chosen = [rule for rule in RULES if rule.id in ("leaver-deactivated-late", "leaver-still-active")]
    left = {"worker_id": "w", "status": "terminated", "terminated_at": "2026-03-01 23:00:00"}
    account = {"app": "crm", "account_id": "1", "worker_id": "w", "match_confidence": "certain"}
    closed = {"is_active": False, "deactivated_at": "2026-03-08 23:00:00"}
    lags = {}
    for recorded in (None, "2026-03-08 06:00:00"):
        for state in (closed, {"is_active": True}):
            case = {"as_of": f"{CLOCK:%Y-%m-%dT%H:%M:%SZ}", "name": "lags", "flagged": [{}]}
            rows = {"workers": [{**left, "termination_recorded_at": recorded}], "accounts": [{**account, **state}]}
            found = rule_cases.run_cases(
                chosen[state["is_active"] :][:1], bundled("cases"), lambda _, c={**case, **rows}: [c]
            )
            evidence = found[0].findings[0].evidence
            names = ("hr_lag_hours", "it_lag_hours", "open_since_recorded_hours")
            lags[recorded, state["is_active"]] = {name: evidence[name] for name in names if name in evidence}

    assert lags == {
        (None, False): {"hr_lag_hours": None, "it_lag_hours": None},
        (None, True): {"hr_lag_hours": None, "open_since_recorded_hours": None},
        ("2026-03-08 06:00:00", False): {"hr_lag_hours": 151, "it_lag_hours": 17},
        ("2026-03-08 06:00:00", True): {"hr_lag_hours": 151, "open_since_recorded_hours": 546},
    }
