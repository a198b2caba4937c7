"""The life of findings in the store, and the series of numbers that reports draw from it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from scanner import findings, history, trend
from scanner.model import AppOutcome, Finding, FindingState, RuleOutcome, RuleResult, Severity, Source, Verdict
from scanner.model_rules import Needs, Rule

TABLES = Path(findings.__file__).parent / "store" / "tables.sql"
START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def rule(name: str = "orphaned-account", *, lead: bool = False, sha256: str = "a" * 64) -> Rule:
    """Return a rule as it would be parsed."""
    return Rule(name, "identity", name, Severity.HIGH, "accounts", Needs(), "", "", "none", lead, (), (), "", sha256)


class Store:
    """A store, to which nights are added one by one."""

    def __init__(self, folder: Path) -> None:
        self.con = duckdb.connect(str(folder / "store.duckdb"))
        self.con.execute(TABLES.read_text())
        self.spool = folder / "findings.ndjson"
        self.nights = 0

    def night(
        self,
        found: Mapping[str, str],
        *,
        rules: Sequence[Rule] = (rule(),),
        unread: Sequence[str] = (),
        waived: Sequence[str] = (),
        unknown: Sequence[str] = (),
        verified: Sequence[str] = (),
        apps: Sequence[str] = ("crm", "wiki"),
        severity: Severity = Severity.HIGH,
    ) -> tuple[dict[str, FindingState], dict[str, FindingState]]:
        """Let a scan find these (fingerprint -> app); return the states of what was raised, and of what was closed."""
        self.nights += 1
        at = START + timedelta(days=self.nights)
        self.con.execute(
            "insert into scans values (?, ?, ?, ?, ?, true, '1', '', '', 'sealed', '')",
            [self.nights, f"scan-{self.nights}", *[at.replace(tzinfo=None)] * 3],
        )
        raised = tuple(
            Finding(
                one,
                rules[0].id if rules else "",
                severity,
                "unknown" if one in unknown else "fail",
                app,
                one,
                None,
                None,
                None,
                "Because.",
                {},
                waiver="w" if one in waived else None,
            )
            for one, app in found.items()
            if rules
        )
        results = [
            RuleResult(
                one.id,
                one.title,
                one.severity,
                RuleOutcome.EXCEPTIONS if raised else RuleOutcome.CLEAN,
                9,
                9,
                0,
                0,
                raised if one is rules[0] else (),
                apps=tuple(
                    AppOutcome(app, 9, 9, 0, 0, 0, RuleOutcome.CLEAN, is_read=app not in unread)
                    for app in sorted({*found.values(), *unread})
                ),
                lead=one.lead,
            )
            for one in rules
        ]
        night = findings.Night(
            scan_no=self.nights,
            is_baseline=self.nights == 1,
            results=results,
            rules=rules,
            sources=[
                Source(app, "application", "scim", Verdict.SHORT if app in unread else Verdict.COMPLETE) for app in apps
            ],
            policies={},
            verified=verified,
        )
        aged, closed = findings.live(self.con, night, self.spool)
        states = {one.fingerprint: one.state for result in aged for one in result.findings}
        return states, {one.fingerprint: one.state for one in closed}

    def points(self) -> tuple[trend.TrendPoint, ...]:
        """Return the series up to the last night."""
        return trend.points(history.trend(self.con, self.nights))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store."""
    made = Store(tmp_path)
    yield made
    made.con.close()


NEW, OPEN, AGAIN = FindingState.NEW, FindingState.OPEN, FindingState.REOPENED
GONE, PROVEN, ACCEPTED = FindingState.RESOLVED, FindingState.VERIFIED, FindingState.WAIVED


def test_a_finding_lives_through_every_state_and_keeps_its_first_scan(store: Store) -> None:
    """Baseline, open, accepted, open again, resolved, reopened, verified; a waiver that ends starts no new stretch."""
    nights = [
        ({"f": "crm"}, {}),
        ({"f": "crm"}, {}),
        ({"f": "crm"}, {"waived": ["f"]}),
        ({"f": "crm"}, {"waived": ["f"]}),
        ({"f": "crm"}, {}),
        ({}, {}),
        ({}, {}),
        ({"f": "crm"}, {}),
        ({"f": "crm"}, {"waived": ["f"]}),
        ({}, {"verified": ["f"]}),
        ({"f": "crm"}, {}),
    ]
    lives = [store.night(found, **options) for found, options in nights]  # type: ignore[arg-type]

    raised = [states.get("f") for states, _ in lives]
    assert raised == [
        *(FindingState.BASELINE, OPEN, ACCEPTED, ACCEPTED, AGAIN, None, None, AGAIN, ACCEPTED, None, AGAIN),
    ]
    assert [closed.get("f") for _, closed in lives] == [*[None] * 5, GONE, None, None, None, PROVEN, None]
    firsts = store.con.execute("select scan_no, event, first_scan from finding_events order by 1").fetchall()
    assert firsts == [
        (1, "baseline", 1),
        (3, "waived", 1),
        (5, "waiver_ended", 1),
        (6, "resolved", 1),
        (8, "reopened", 8),
        (9, "waived", 8),
        (10, "verified", 8),
        (11, "reopened", 11),
    ]


def test_silence_of_an_incomplete_application_resolves_nothing_although_it_shows_other_exceptions(store: Store) -> None:
    """Neither what it still shows nor what it leaves out proves that the rest is gone; the next complete scan does."""
    store.night({"a": "crm", "b": "crm", "c": "wiki"})

    _, closed = store.night({"a": "crm"}, unread=["crm"])
    assert closed == {"c": GONE}

    _, closed = store.night({"a": "crm"})
    assert closed == {"b": GONE}


def test_an_application_without_a_population_left_resolves_its_findings(store: Store) -> None:
    """When the last account of a population is gone, so is its finding; nothing has to remain to say so."""
    store.night({"a": "crm"})

    assert store.night({})[1] == {"a": GONE}


def test_a_quiet_night_adds_no_row(store: Store) -> None:
    """Nothing but the scan itself is written when nothing changed."""
    names = ("findings", "finding_versions", "rule_versions", "tested_versions")

    def rows() -> list[int]:
        return [store.con.execute(f"select count(*) from {name}").fetchall()[0][0] for name in names]

    store.night({"a": "crm", "b": "wiki"}, waived=["b"])
    before = rows()
    store.night({"a": "crm", "b": "wiki"}, waived=["b"])
    assert rows() == before
    assert all(before)


def test_every_change_of_the_numbers_has_one_cause_and_the_sums_add_up(store: Store) -> None:
    """People, rules, coverage and waivers are told apart, and what came less what went is the difference."""
    store.night({"a": "crm", "b": "crm", "c": "wiki"})
    store.night({"a": "crm", "b": "crm", "c": "wiki", "d": "crm"})
    store.night({"a": "crm", "b": "crm", "c": "wiki", "d": "crm"}, waived=["b"])
    store.night({"a": "crm", "b": "crm", "c": "wiki", "d": "crm"})
    store.night({"a": "crm"}, unread=["crm"], apps=["crm", "wiki"])
    store.night({"a": "crm", "b": "crm", "d": "crm"})
    store.night({"a": "crm", "d": "crm", "e": "crm"}, rules=[rule(sha256="b" * 64)])
    store.night({}, rules=[])
    store.night({"a": "crm"}, rules=[rule(sha256="b" * 64)])
    store.night({"a": "crm"}, rules=[rule(sha256="b" * 64)], severity=Severity.CRITICAL)
    store.night({"a": "crm"}, rules=[rule(sha256="b" * 64)], unknown=["a"])

    points = store.points()

    assert [(dict(one.came), dict(one.went)) for one in points] == [
        ({"baseline": 3}, {}),
        ({"people": 1}, {}),
        ({}, {"waivers": 1}),
        ({"waivers": 1}, {}),
        ({}, {"people": 1, "coverage": 2}),
        ({"coverage": 2}, {}),
        ({"rules": 1}, {"rules": 1}),
        ({}, {"rules": 3}),
        ({"rules": 1}, {}),
        ({"people": 1}, {"people": 1}),
        ({}, {"people": 1}),
    ]
    totals = [sum(one.exceptions.values()) for one in points]
    assert totals == [3, 4, 3, 4, 1, 3, 3, 0, 1, 1, 0]
    changes = [after - before for before, after in zip([0, *totals], totals, strict=False)]
    assert [sum(one.came.values()) - sum(one.went.values()) for one in points] == changes
    assert [one.waived for one in points][2:4] == [1, 0]
    assert points[9].exceptions[Severity.CRITICAL] == 1


def test_a_trend_that_begins_later_opens_with_what_stood_before(store: Store) -> None:
    """Cutting the series off changes none of the numbers that remain."""
    for n in range(6):
        store.night({f"f{k}": "crm" for k in range(n, n + 3)})
    whole = store.points()

    short = trend.points(history.trend(store.con, store.nights, most=3))

    assert [one.exceptions for one in short] == [one.exceptions for one in whole[-3:]]
    assert (short[0].came, short[0].went) == ({"before": 3, "people": 1}, {"people": 1})
    assert short[1:] == whole[-2:]


def test_a_trend_can_be_narrowed_to_the_applications_of_a_report(store: Store) -> None:
    """The numbers of one framework are those of its own rules and applications."""
    store.night({"a": "crm", "b": "wiki"})
    store.night({"b": "wiki", "c": "wiki"})

    narrow = trend.points(history.trend(store.con, 2), wanted=lambda change: change.app == "wiki")

    assert [sum(one.exceptions.values()) for one in narrow] == [1, 2]
    assert Counter(narrow[1].events) == Counter({"new": 1})
