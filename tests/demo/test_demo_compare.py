"""The comparison of found and planted violations, in both directions."""

from scanner.demo.compare import compare, table

PLANT = {
    "rule": "orphaned-account",
    "app": "crm",
    "username": "ghost",
    "entitlement": None,
    "worker_id": None,
    "subject": None,
    "verdict": "fail",
    "severity": "high",
    "why": "Nobody knows it.",
}


def found(**changes):
    """Return a finding as findings.json writes it."""
    return {**PLANT, "reason": "The account belongs to nobody.", "state": "baseline", **changes}


def test_the_same_on_both_sides_is_equal():
    """Nothing missing, nothing unexpected."""
    comparison = compare([found()], [PLANT])

    assert comparison.is_equal
    assert comparison.matched == 1


def test_what_was_not_found_is_missing():
    """A plant without a finding is told with its reason."""
    comparison = compare([], [PLANT])

    assert comparison.missing == (PLANT,)
    assert any("Nobody knows it." in line for line in table(comparison))


def test_what_was_not_planted_is_unexpected():
    """A finding without a plant fails the comparison, also a second one of the same kind."""
    comparison = compare([found(), found()], [PLANT])

    assert not comparison.is_equal
    assert len(comparison.unexpected) == 1


def test_another_severity_or_verdict_is_another_finding():
    """A finding that is right but judged otherwise is both missing and unexpected."""
    for change in ({"severity": "medium"}, {"verdict": "unknown"}):
        comparison = compare([found(**change)], [PLANT])

        assert (len(comparison.missing), len(comparison.unexpected)) == (1, 1)


def test_table_counts_per_rule():
    """The table shows what differs, and the sums."""
    lines = table(compare([], [PLANT]))

    assert lines[1].split() == ["orphaned-account", "1", "0", "<--", "differs"]
    assert lines[2].split() == ["All", "rules", "1", "0"]
