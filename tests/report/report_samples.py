"""A synthetic record with everything that can go wrong in a report, and a framework to see it through."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from scanner.frameworks import SECTIONS, Control, Edge, Framework, Strength, Structure
from scanner.model import (
    ApplicationFact,
    AppOutcome,
    Finding,
    FindingState,
    Ledger,
    RuleOutcome,
    RuleResult,
    Scan,
    Severity,
    Source,
    Suppression,
    Verdict,
)
from scanner.model_record import Record
from scanner.model_rules import Needs, Rule, RuleParameter

KEY = bytes(range(32))
SEALED = b'{"schema":"orphanscan.manifest/1"}'
MANIFEST = hashlib.sha256(SEALED).hexdigest()
GENERATED = datetime(2026, 10, 1, 7, 30, tzinfo=UTC)
AS_OF = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
SCRIPT = "<script>document.title='owned'</script>"
LONG_ID = "0123456789abcdef" * 19
HOSTILE = {
    "h1": SCRIPT,
    "h2": "=cmd()",
    "h3": "مريم الكندي",
    "h4": "田中 花子",
    "h5": "bell\x07\x00\x1b[31m\u202egnp.exe",
    "h6": "Οδυσσέας Παπαδόπουλος",
    "h7": "רות לוי",
    "h8": "Łukasz Żółć-Ångström",
    LONG_ID: "long.id",
}
NAMES = ("Ada Brook", "Ben Castle", "Cleo Dunmore", "Dov Everly", "Eve Farrow", "Finn Grady", "Gia Holt", "Hal Irwin")
PEOPLE = {f"p{n:03}": f"{NAMES[n % len(NAMES)]} {n}" for n in range(1, 60)}
BUCKETS = (
    "inactive",
    "matched_leaver",
    "ambiguous",
    "break_glass",
    "service",
    "shared",
    "matched_on_leave",
    "matched_pre_hire",
    "matched_vanished",
    "matched_active_worker",
    "external",
    "unmatched",
    "undetermined",
)
OUTCOMES = ("closed_in_time", "closed_late", "open", "not_due", "no_account", "cannot_tell")
APPS = (
    ("ledger", "General ledger", ("personal", "financial"), "scim", "all", Verdict.COMPLETE, True),
    ("payroll", "Payroll & benefits", ("personal", "financial"), "scim", "all", Verdict.SHORT, False),
    ("crm", "Customer relations", ("personal",), "scim", "provisioned_only", Verdict.COMPLETE, True),
    ("wiki", "Wiki", ("personal",), "scim", "all", Verdict.DRIFT, False),
    ("clinic", "Clinic records", ("personal", "ephi"), "scim_file", "members_no_guests", Verdict.CAPPED, True),
    ("helpdesk", "Help desk", ("personal",), "scim", "one_domain", Verdict.FAILED, False),
    (
        "storage",
        "Files and shared drives of all regional offices",
        ("personal",),
        "scim",
        "unknown",
        Verdict.UNKNOWN,
        False,
    ),
    ("treasury", "Treasury workstation", ("personal", "financial"), "none", "unknown", None, False),
    ("scanner", SCRIPT, ("personal",), "scim", "all", Verdict.COMPLETE, True),
)
RULES = (
    ("leaver-still-active", "Leaver whose account still works", "lifecycle", Severity.HIGH, False),
    ("orphaned-account", "Account that belongs to nobody", "identity", Severity.HIGH, False),
    ("activity-after-leaving", "Account used after its owner left", "lifecycle", Severity.CRITICAL, False),
    ("too-many-admins", "More administrators than agreed", "privilege", Severity.MEDIUM, False),
    ("dormant-account", "Account that nobody used for a long time", "usage", Severity.MEDIUM, False),
    ("external-email-domain", "Account with a foreign e-mail domain", "identity", Severity.LOW, False),
    ("service-account-without-owner", "Service account without an owner", "shared", Severity.HIGH, False),
    ("reused-identity", "Account older than the person it is matched to", "identity", Severity.INFO, False),
    ("peer-outlier", "Rare access among peers", "privilege", Severity.LOW, True),
    ("population-incomplete", "Source that was not read completely", "coverage", Severity.HIGH, False),
    ("duplicate-accounts", "Several accounts of one person", "identity", Severity.MEDIUM, False),
)


def finding(rule: str, n: int, app: str | None = "ledger", **changes: object) -> Finding:
    """Return the n-th finding of a rule."""
    account = f"acc-{n:05}" if app else None
    base = Finding(
        fingerprint=hashlib.sha256(f"{rule}{n}{app}".encode()).hexdigest(),
        rule=rule,
        severity=Severity.HIGH,
        verdict="fail",
        app=app,
        account_id=account,
        entitlement=None,
        worker_id=f"p{n % 59 + 1:03}",
        subject=None,
        reason="{account} still works although {worker} left on 2026-09-01; {manager} was the manager.",
        evidence={
            "terminated_at": "2026-09-01T22:00:00",
            "days": 30 + n,
            "email": f"user{n}@acme.example",
            "note": f"mail went to user{n}@partner.example",
            "manager_id": "p001",
            "is_privileged": n % 2 == 0,
        },
        state=FindingState.NEW,
        first_seen="20260901T060000Z-ab12",
        username=f"user{n}@acme.example" if app else None,
    )
    return replace(base, **changes)


def rule_file(name: str, title: str, theme: str, severity: Severity, lead: bool) -> Rule:
    """Return a rule as parsed from a file."""
    params = (
        RuleParameter("sla_hours", "integer", 24, 0, 720, "Common policy; NIST SP 800-53 PS-4 leaves it open", 24),
        RuleParameter("domains", "list", (), source="", value=("partner.example",)),
    )
    return Rule(
        id=name,
        theme=theme,
        title=title,
        severity=severity,
        population="active_accounts",
        needs=Needs(roster=True),
        why="Whoever holds this account can act in a name that nobody answers for.",
        remedy="Deactivate the account, then ask its manager what was done with it since.",
        remedy_mode="deactivate",
        lead=lead,
        personal=("email",),
        params=params if name in ("leaver-still-active", "dormant-account") else (),
        sql="select 1",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
    )


def result(rule: Rule, outcome: RuleOutcome, findings: Iterable[Finding] = (), detail: str = "") -> RuleResult:
    """Return a rule's result with its shares per application."""
    found = tuple(findings)
    apps = []
    for app, _, _, kind, _, verdict, _ in APPS:
        if kind == "none":
            continue
        own = sum(one.app == app for one in found)
        complete = verdict is Verdict.COMPLETE
        kind_of = RuleOutcome.EXCEPTIONS if own else RuleOutcome.CLEAN if complete else RuleOutcome.UNABLE_TO_TEST
        if outcome in (RuleOutcome.ERROR, RuleOutcome.UNABLE_TO_TEST):
            kind_of, complete = outcome, False
        tested = 400 if complete else own
        apps.append(AppOutcome(app, 412, tested, 412 - tested - 5, 5, own, kind_of))
    return RuleResult(
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        result=outcome,
        population=sum(app.population for app in apps),
        tested=sum(app.tested for app in apps),
        unable=sum(app.unable for app in apps),
        excluded=sum(app.excluded for app in apps),
        findings=found,
        detail=detail,
        apps=tuple(apps),
        lead=rule.lead,
    )


def record(findings: int = 70, *, hostile: bool = True) -> Record:
    """Return a record with every verdict, outcome and state, and hostile names."""
    rules = tuple(rule_file(*row) for row in RULES)
    by_id = {rule.id: rule for rule in rules}
    ids = [one[0] for one in APPS if one[3] != "none"]
    many = [finding("leaver-still-active", n, ids[n % 4], severity=list(Severity)[n % 3]) for n in range(findings)]
    odd = (
        [
            finding(
                "orphaned-account",
                n,
                "ledger",
                account_id=account,
                username=name,
                worker_id=None,
                reason="{account} in the general ledger belongs to nobody.",
                evidence={"display_name": name},
            )
            for n, (account, name) in enumerate(HOSTILE.items())
        ]
        if hostile
        else [finding("orphaned-account", n, "ledger", worker_id=None) for n in range(3)]
    )
    states = [
        finding("duplicate-accounts", n, "crm", state=state, severity=Severity.MEDIUM)
        for n, state in enumerate(FindingState)
    ]
    E, C, U, X = RuleOutcome.EXCEPTIONS, RuleOutcome.CLEAN, RuleOutcome.UNABLE_TO_TEST, RuleOutcome.ERROR  # noqa: N806
    results = (
        result(
            by_id["leaver-still-active"], E, [*many, finding("leaver-still-active", 9001, "wiki", verdict="unknown")]
        ),
        result(by_id["orphaned-account"], E, odd),
        result(
            by_id["activity-after-leaving"],
            E,
            [finding("activity-after-leaving", 1, "ledger", severity=Severity.CRITICAL)],
        ),
        result(
            by_id["too-many-admins"],
            E,
            [
                finding(
                    "too-many-admins",
                    1,
                    "crm",
                    account_id=None,
                    worker_id=None,
                    severity=Severity.MEDIUM,
                    reason="31 of 410 accounts are administrators; 8 are agreed.",
                    evidence={"admins": 31},
                )
            ],
        ),
        result(by_id["dormant-account"], U, detail="Payroll supplies no last sign-in; map last_sign_in_at to test it."),
        result(by_id["external-email-domain"], C),
        result(by_id["service-account-without-owner"], U, detail="The policy input service_register is not supplied."),
        result(by_id["reused-identity"], X, detail="The rule was stopped after 120 seconds."),
        result(by_id["peer-outlier"], E, [finding("peer-outlier", n, "crm", severity=Severity.LOW) for n in range(3)]),
        result(
            by_id["population-incomplete"],
            E,
            [
                finding(
                    "population-incomplete",
                    1,
                    None,
                    worker_id=None,
                    reason="Two sources were not read completely.",
                    evidence={"sources": ["payroll", "wiki"]},
                )
            ],
        ),
        result(by_id["duplicate-accounts"], E, states),
    )
    every = [one for outcome in results for one in outcome.findings]
    buckets = {app: {b: (n * 7 + i * 3) % 40 for i, b in enumerate(BUCKETS[:11])} for n, app in enumerate(ids)}
    outcomes = {one[0]: {o: (n + i * 2) % 9 for i, o in enumerate(OUTCOMES)} for n, one in enumerate(APPS)}
    return Record(
        scan=Scan("20261001T060000Z-1a2b", AS_OF, AS_OF, AS_OF, False, False, "0.1.0", "c" * 64, "d" * 64, MANIFEST),
        organization="Acme Åland GmbH & Co",
        timezone="Europe/Berlin",
        sources=tuple(sources()),
        applications=tuple(
            ApplicationFact(
                app,
                name,
                "jane.owner@acme.example" if app != "wiki" else None,
                data,
                kind,
                "generic",
                coverage,
                verdict,
                "No licence for the interface" if kind == "none" else None,
                412 if kind != "none" else 0,
                401 if kind != "none" else 0,
                sign_ins,
            )
            for app, name, data, kind, coverage, verdict, sign_ins in APPS
        ),
        rules=rules,
        results=results,
        ledger=Ledger(_sums(buckets, BUCKETS), _sums(outcomes, OUTCOMES)),
        suppressions=(
            Suppression("links", 4, 2),
            Suppression("service_register", 12, 12),
            Suppression("disabled_rules", 1, None),
        ),
        names={(one.app, one.account_id): one.username for one in every if one.app and one.account_id and one.username},
        workers={one.worker_id: PEOPLE[one.worker_id] for one in every if one.worker_id} | {"p001": PEOPLE["p001"]},
        account_buckets=buckets,
        leaver_outcomes=outcomes,
    )


def sources() -> Iterable[Source]:
    """Yield a roster and one source per connected application, one of each verdict at least."""
    yield Source(
        "hr",
        "roster",
        "csv",
        Verdict.COMPLETE,
        431,
        431,
        0,
        0,
        "all",
        "",
        AS_OF,
        AS_OF,
        1,
        "hr.csv, UTF-8, comma, dates %Y-%m-%d",
        "a" * 64,
    )
    for n, (app, _, _, kind, coverage, verdict, _) in enumerate(APPS):
        if verdict is None:
            continue
        failed = verdict is Verdict.FAILED
        yield Source(
            app,
            "application",
            kind,
            verdict,
            None if verdict is Verdict.UNKNOWN else 412,
            0 if failed else 412 - 9 * (verdict is Verdict.SHORT),
            n % 3,
            9 if verdict is Verdict.SHORT else 0,
            coverage,
            "The server answered 401; renew the token." if failed else "",
            AS_OF,
            None if failed else AS_OF,
            5,
            f"GET /scim/v2/Users?startIndex=1&count=100&sortBy=id ({app})",
            hashlib.sha256(app.encode()).hexdigest(),
            14,
            14,
        )


def _sums(per_app: dict[str, dict[str, int]], names: tuple[str, ...]) -> dict[str, int]:
    sums = {name: sum(parts.get(name, 0) for parts in per_app.values()) for name in names}
    return sums | {"total": sum(sums.values())}


def framework(name: str = "gdpr", data: str = "personal") -> Framework:
    """Return a framework with a control for each of the four results."""
    return Framework(
        id=name,
        title="General Data Protection Regulation",
        edition="Regulation (EU) 2016/679, as of 2026-06",
        status="in_force",
        data=data,
        unit="article",
        note="Citations are paraphrased.",
        structure=Structure(
            sections=(*SECTIONS[:2], "worksheet", *SECTIONS[2:]), shows_data=True, worksheet="applications"
        ),
        controls=(
            control(
                "Art. 5(1)(f)",
                "Integrity and confidentiality",
                ("leaver-still-active", "orphaned-account", "activity-after-leaving", "peer-outlier"),
            ),
            control(
                "Art. 32(1)(b)", "Ongoing confidentiality of systems", ("external-email-domain", "duplicate-accounts")
            ),
            control("Art. 25(2)", "Protection by default", ("too-many-admins", "dormant-account")),
            control("Art. 28", "Processors act on documented instructions only", ("external-email-domain",)),
            control("Art. 5(1)(d)", "Accuracy", ("reused-identity",), confidence="unconfirmed"),
            control("Art. 5(2)", "Accountability", ("population-incomplete", "service-account-without-owner")),
            control("Art. 32(4)", "People act on instructions only", ("no-such-rule",)),
            control("Art. 5(1)(e)", "Storage limitation", ()),
        ),
    )


def control(name: str, title: str, rules: tuple[str, ...], confidence: str = "confirmed") -> Control:
    """Return a control that draws on some rules, the last of several as supporting evidence."""
    strengths = [Strength.DIRECT, Strength.PARTIAL, Strength.DIRECT, Strength.SUPPORTING]
    edges = tuple(
        Edge(
            rule, "access-ends", strengths[n], "An open account of a leaver is access without need.", "badges and keys"
        )
        for n, rule in enumerate(rules)
    )
    return Control(
        id=name,
        title=title,
        paraphrase="Personal data are kept from those who have no business with them, by measures that fit the risk.",
        kind="article",
        force="mandatory",
        families=("access-ends",),
        edges=edges,
        bounds=(),
        not_tested=("encryption of data in transit and at rest", "physical access"),
        confidence=confidence,
        verified_on="2026-06",
        source="https://eur-lex.europa.eu/eli/reg/2016/679/oj",
    )
