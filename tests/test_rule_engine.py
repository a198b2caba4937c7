"""The rule engine: cases of all rules, limits of the child process, refused SQL."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import rule_cases, rules
from scanner.errors import ConfigError
from scanner.model import RuleOutcome
from scanner.paths import bundled
from scanner.rule_runner import run
from scanner.store.audit import FILE, create_audit

AS_OF = datetime(2026, 3, 31, tzinfo=UTC)
FRONT = """/*---
title = "A title"
severity = "low"
population = "active_accounts"
why = "Because."
remedy = "Do."
---*/
"""


def write_rule(folder: Path, name: str, sql: str) -> Path:
    """Write a rule file with plain front matter."""
    path = folder / "custom" / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FRONT + sql)
    return path


def test_every_case_of_every_rule_comes_out_as_written() -> None:
    """Each shipped rule flags what its cases say, and nothing else."""
    results = rule_cases.run_cases(rules.find(), bundled("cases"))

    assert [f"{r.rule}: {r.case}: {r.problem}" for r in results if r.problem] == []
    assert len(results) > 80


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select app, account_id, 'x' as reason, now() as t from accounts", "does not give the same result twice"),
        ("select app, account_id, 'x' as reason from accounts where random() < 1", "does not give the same result"),
        ("select app, account_id, 'x' as reason from accounts; select 1", "exactly one select"),
        ("delete from accounts", "exactly one select"),
        ("select content as app, '' as account_id, '' as reason from read_text('/etc/passwd')", "not for rules"),
        ("select app, account_id, 'x' as reason from accounts where mfa = $factor", "not declared"),
        ("select app, account_id, 'x' as reason from", "syntax error"),
    ],
)
def test_a_rule_that_breaks_the_contract_is_refused(tmp_path: Path, sql: str, message: str) -> None:
    """The error names the file and what is wrong with it."""
    path = write_rule(tmp_path, "bad", sql)

    with pytest.raises(ConfigError, match=message) as caught:
        rules.parse(path)

    assert str(path) in str(caught.value)


def test_a_rule_that_never_ends_eats_memory_or_errs_is_stopped_and_named_and_the_others_go_on(tmp_path: Path) -> None:
    """Each is an error with its reason; the rule after them still gives its result."""
    endless = (
        "with recursive r as (select 1 as n union all select n + 1 from r)"
        " select null as app, null as account_id, 'x' as reason from r where n < 0"
    )
    hungry = (
        "select null as app, null as account_id,"
        " len(list_transform(range(90000000), lambda x: x + 1))::varchar as reason"
    )
    plain = "select app, account_id, 'An account.' as reason from active_accounts"
    chosen = [
        rules.parse(write_rule(tmp_path, name, sql))
        for name, sql in (
            ("a-endless", endless),
            ("b-hungry", hungry),
            ("c-columns", "select app, account_id from accounts"),
            ("d-names", "select nothing from accounts"),
            ("e-plain", plain),
        )
    ]
    audit_file = tmp_path / FILE
    create_audit(audit_file)
    with duckdb.connect(str(audit_file)) as con:
        con.execute("insert into audit.settings (as_of) values ('2026-03-31')")
        con.execute("insert into audit.applications (app) values ('crm')")
        con.execute("insert into audit.accounts (app, account_id, is_active) values ('crm', '1', true)")

    results = run(audit_file, chosen, as_of=AS_OF, max_seconds=4, memory_mb=2048)

    assert [result.result for result in results] == [*[RuleOutcome.ERROR] * 4, RuleOutcome.EXCEPTIONS]
    assert "did not end in time" in results[0].detail
    assert "memory" in results[1].detail or "MB" in results[1].detail or "in time" in results[1].detail
    assert "lacks the column reason" in results[2].detail
    assert "nothing" in results[3].detail
    assert results[4].population == results[4].tested == 1


@pytest.mark.parametrize(
    ("verdict", "result"), [("short", RuleOutcome.UNABLE_TO_TEST), ("complete", RuleOutcome.CLEAN)]
)
def test_an_incomplete_list_without_a_row_of_the_population_is_not_clean(
    tmp_path: Path, verdict: str, result: RuleOutcome
) -> None:
    """Whom the list did not show may be the very ones that the rule looks for, also where nobody was shown at all."""
    rule = rules.parse(write_rule(tmp_path, "plain", "select app, account_id, 'x' as reason from active_accounts"))
    audit_file = tmp_path / FILE
    create_audit(audit_file)
    with duckdb.connect(str(audit_file)) as con:
        con.execute("insert into audit.settings (as_of) values ('2026-03-31')")
        con.execute("insert into audit.applications (app, type, verdict) values ('crm', 'scim', $1)", [verdict])

    (found,) = run(audit_file, [rule], as_of=AS_OF, max_seconds=30, memory_mb=2048)

    assert (found.result, found.population) == (result, 0)
    assert ("crm: the list of accounts is not complete" in found.detail) is (verdict == "short")


def test_a_parameter_out_of_range_is_refused_by_name() -> None:
    """The message tells the key and the range."""
    rule = next(rule for rule in rules.find() if rule.id == "dormant-account")

    with pytest.raises(ConfigError, match=r"\[rules.params.dormant-account\] dormant_days is 0; .* between 1 and 1000"):
        rules.with_params(rule, {"dormant_days": 0})
    with pytest.raises(ConfigError, match="did you mean 'dormant_days'"):
        rules.with_params(rule, {"dormant_day": 10})


def test_the_fingerprint_is_the_hash_that_the_contract_names() -> None:
    """A person is part of it only where there is no account."""
    with_account = rules.fingerprint("r", "a", "1", None, "w1", None)

    assert with_account == rules.fingerprint("r", "a", "1", None, "w2", None)
    assert rules.fingerprint("r", None, None, None, "w1", None) != rules.fingerprint("r", None, None, None, "w2", None)
    assert len(with_account) == 64


_TEXTS = st.none() | st.text(max_size=8)


@given(st.tuples(_TEXTS, _TEXTS, _TEXTS, _TEXTS, _TEXTS), st.tuples(_TEXTS, _TEXTS, _TEXTS, _TEXTS, _TEXTS))
def test_two_findings_share_a_fingerprint_only_if_they_speak_of_the_same(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    """None, empty text and separators never run into each other; the worker counts without account only."""

    def identity(parts: tuple[str | None, ...]) -> tuple[str | None, ...]:
        app, account_id, entitlement, worker_id, subject = parts
        return app, account_id, entitlement, worker_id if account_id is None else None, subject

    same = rules.fingerprint("r", *one) == rules.fingerprint("r", *other)

    assert same == (identity(one) == identity(other))
