"""Turns the findings of one scan into a plan. Reads evidence and configuration; sends nothing."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from scanner import __version__
from scanner.collectors import profiles
from scanner.config import Application, Config
from scanner.model import Finding, FindingState
from scanner.model_record import Record
from scanner.remediation.account import activity_known, is_own, is_proven
from scanner.remediation.budgets import budget
from scanner.remediation.candidates import Candidate, Filters, candidates
from scanner.remediation.consequences import Standing, consequences
from scanner.remediation.decide import decide
from scanner.remediation.facts import Facts
from scanner.remediation.meaning import meaning
from scanner.remediation.model import (
    Account,
    Action,
    Case,
    Cause,
    Decision,
    Kind,
    Meaning,
    Plan,
    Request,
    SafetyClass,
    Target,
)
from scanner.remediation.requests import request

_CARRIES = (
    Decision.AUTOMATIC,
    Decision.CONFIRMED,
    Decision.WAITING,
    Decision.NEEDS_A_PERSON,
    Decision.TICKET,
    Decision.NEVER,
)
"""How far a decision carries a change."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person who plans asked for, beside the configuration."""

    filters: Filters = field(default_factory=Filters)
    confirmed: tuple[str, ...] = ()
    """Fingerprints, or the beginnings of some."""
    allow_irreversible: bool = False
    waived: Callable[[Finding], bool] = lambda finding: False
    """What to treat as waived beside what is; for `--what-if`."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs and plans left."""

    came_undone: Mapping[str, str] = field(default_factory=dict)
    """Action id -> the run whose change did not last."""
    taken_back: Mapping[str, str] = field(default_factory=dict)
    """Action id -> the run whose change a person took back."""
    sentences: tuple[str, ...] = ()
    versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(app, account id) -> meta.version at the scan."""
    marked_at: Mapping[str, datetime] = field(default_factory=dict)
    """Fingerprint -> when a plan first marked it."""


def build(record: Record, facts: Facts, config: Config, asked: Asked, past: Past, *, now: datetime) -> Plan:
    """Return the plan; equal arguments give equal actions."""
    planner = _Planner(record, facts, config, asked, past, now)
    found = candidates(record, config, asked.filters.allow, planner.is_waived)
    actions = tuple(planner.action(candidate) for candidate in found)
    targets = _targets(record, config, facts, actions)
    needed = config.remediation.approvals
    if any(action.meaning.safety is SafetyClass.S4 and action.decision.is_actionable for action in actions):
        needed = max(needed, config.remediation.approvals_irreversible)
    return Plan(
        id=f"plan-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        created_at=now,
        expires_at=now + timedelta(hours=config.remediation.expires_hours),
        tool_version=__version__,
        organization=record.organization,
        scan_id=record.scan.id,
        scan_as_of=record.scan.as_of,
        scan_complete=record.scan.complete,
        is_baseline=record.scan.is_baseline,
        manifest_sha256=record.scan.manifest_sha256,
        policy_sha256="",
        filters={name: values for name, values in asdict(asked.filters).items() if values},
        confirmed=asked.confirmed,
        irreversible_allowed=asked.allow_irreversible,
        approvals_needed=needed,
        targets=targets,
        actions=actions,
        budget=budget(config.remediation, targets, actions),
        came_undone=past.sentences,
        notices=tuple(_notice(action, config) for action in actions if action.acts_from is not None),
    )


class _Planner:
    """Decides candidates one after the other: what was decided before counts for who is the last administrator."""

    def __init__(self, record: Record, facts: Facts, config: Config, asked: Asked, past: Past, now: datetime) -> None:
        self.record, self.facts, self.config = record, facts, config
        self.asked, self.past, self.now = asked, past, now
        self.leads = {rule.id for rule in record.rules if rule.lead}
        self.apps = {app.id: app for app in config.applications}
        self.profiles = {app.id: profiles.load(app.profile) for app in config.applications}
        self.on_provider = {rule.id for rule in record.rules if "idp_active" in rule.needs.fields}
        self.remaining = {app: dict(found) for app, found in facts.administrators.items()}

    def action(self, candidate: Candidate) -> Action:
        app = self.apps.get(candidate.app)
        account = self._account(candidate)
        if app is None or account is None:
            return self._about_no_account(candidate)
        says = meaning(candidate.kind, self.profiles[app.id], app.write)
        sent = _request(candidate, app, self.profiles[app.id])
        case, acts_from = self._decisive(candidate, account, self._common_case(candidate, app, account, says, sent))
        line = decide(case)
        others = {one: held for one, held in self.remaining.get(app.id, {}).items() if one != account.account_id}
        is_admin = account.account_id in self.facts.administrators.get(app.id, {})
        if line.decision.is_actionable and is_admin and candidate.kind is not Kind.REVOKE_SESSIONS:
            self.remaining[app.id] = others
        standing = Standing(
            grants=self.facts.grants.get((app.id, account.account_id), {}),
            alone_in=self.facts.alone_in.get((app.id, account.account_id), 0),
            owned=self.facts.owned.get(account.worker_id or "", 0),
            other_admins=len(others) if is_admin else None,
        )
        return Action(
            id=candidate.id,
            kind=candidate.kind,
            app=candidate.app,
            account_id=candidate.account_id,
            entitlement=candidate.entitlement,
            causes=_causes(candidate),
            decision=line.decision,
            reason_code=line.code,
            because=line.because,
            may_confirm=line.may_confirm,
            meaning=says,
            case=case,
            account=account,
            request=sent,
            consequences=consequences(candidate.kind, account, standing) if sent else (),
            other_admins=tuple(others.items())[:20] if is_admin else (),
            at_provider=tuple(filter(self._is_readable, self._at_provider(account, candidate.findings))),
            acts_from=acts_from,
            entitlement_name=self.facts.names.get((candidate.app, candidate.entitlement or "")),
            earlier_run=self.past.came_undone.get(candidate.id) or self.past.taken_back.get(candidate.id),
        )

    def _account(self, candidate: Candidate) -> Account | None:
        if candidate.account_id is None:
            return None
        key = (candidate.app, candidate.account_id)
        found = self.facts.accounts.get(key)
        return found and replace(found, version=self.past.versions.get(key))

    def _about_no_account(self, candidate: Candidate) -> Action:
        """Return the notice for a finding about a person, a source, or an account that this scan does not show."""
        is_waived = all(self.is_waived(finding) for finding in candidate.findings)
        case = Case(mode="notify", account_kind="unknown", source="unknown", is_waived=is_waived)
        line = decide(case)
        return Action(
            id=candidate.id,
            kind=Kind.NOTICE,
            app=candidate.app,
            account_id=candidate.account_id,
            entitlement=candidate.entitlement,
            causes=_causes(candidate),
            decision=line.decision,
            reason_code=line.code,
            because=line.because,
            may_confirm=False,
            meaning=meaning(Kind.NOTICE, profiles.load("generic"), None),
            case=case,
        )

    def is_waived(self, finding: Finding) -> bool:
        """Tell whether somebody accepted a finding, or is assumed to."""
        return finding.state is FindingState.WAIVED or self.asked.waived(finding)

    def _at_provider(self, account: Account, findings: Iterable[Finding]) -> tuple[tuple[str, str], ...]:
        """Return the person's accounts in the identity provider, where one of the findings rests on them."""
        if not any(finding.rule in self.on_provider for finding in findings):
            return ()
        return self.facts.at_provider.get(account.worker_id or "", ())

    def _is_readable(self, key: tuple[str, str]) -> bool:
        return key[0] in self.apps and self.apps[key[0]].type == "scim"

    def _decisive(self, candidate: Candidate, account: Account, case: Case) -> tuple[Case, datetime | None]:
        """Return the case of the finding that carries the change furthest, and the end of its grace period.

        Each finding is decided by itself: what one lacks, another does not make up for.
        """
        cases = [self._case_of(finding, candidate.kind, account, case) for finding in candidate.findings]
        return min(cases, key=lambda one: (_CARRIES.index(decide(one[0]).decision), one[1] or self.now))

    def _case_of(self, finding: Finding, kind: Kind, account: Account, case: Case) -> tuple[Case, datetime | None]:
        acts_from = None if kind is Kind.NOTICE else self._acts_from(finding)
        confirmed = bool(self.asked.confirmed) and finding.fingerprint.startswith(self.asked.confirmed)
        own = replace(
            case,
            verdict=finding.verdict,
            is_waived=self.is_waived(finding),
            is_lead=finding.rule in self.leads,
            provider_unread=not all(map(self._is_readable, self._at_provider(account, [finding]))),
            in_grace=acts_from is not None,
            confirmed=confirmed,
        )
        return own, acts_from

    def _common_case(
        self, candidate: Candidate, app: Application, account: Account, says: Meaning, sent: Request | None
    ) -> Case:
        """Return what holds for the change whichever finding asks for it."""
        profile = self.profiles[app.id]
        grant = self.facts.grants.get((app.id, account.account_id), {}).get(candidate.entitlement or "")
        return Case(
            mode=candidate.mode,
            account_kind=account.kind,
            source=self.facts.verdicts.get(app.id) or "unknown",
            is_active=account.is_active,
            match=account.match_confidence,
            roster_complete=self.facts.roster_complete,
            proven=is_proven(account, self.record.scan.as_of),
            activity_known=activity_known(account),
            is_own=is_own(account, app),
            last_admin=self._is_last_admin(candidate, app, account, grant),
            connection="none" if sent is None and candidate.kind is not Kind.REVOKE_SESSIONS else _connection(app),
            effect=says.effect,
            path=grant[0] if grant else "none",
            has_sessions_call=app.write is not None and app.write.revoke_sessions is not None,
            second_writer=bool(profile.deactivation.second_writer_note),
            came_undone=candidate.id in self.past.came_undone,
            taken_back=candidate.id in self.past.taken_back,
            irreversible_allowed=self.asked.allow_irreversible,
        )

    def _is_last_admin(
        self, candidate: Candidate, app: Application, account: Account, grant: tuple[str, bool | None] | None
    ) -> bool | None:
        if candidate.kind in (Kind.NOTICE, Kind.REVOKE_SESSIONS) or account.is_active is False:
            return False
        if not self.facts.administrators_known:
            return None
        if candidate.kind is Kind.REMOVE_GRANT and grant is not None and not grant[1]:
            return False
        if account.account_id not in self.facts.administrators.get(app.id, {}):
            return False
        return not any(one != account.account_id for one in self.remaining.get(app.id, {}))

    def _acts_from(self, finding: Finding) -> datetime | None:
        """Return the end of the grace period; None where there is none, or a scan after its end shows the finding."""
        days = self.config.remediation.grace_days.get(finding.rule, 0)
        end = self.past.marked_at.get(finding.fingerprint, self.now) + timedelta(days=days)
        return end if days and end > self.record.scan.started_at else None


def _connection(app: Application) -> str:
    if app.type != "scim":
        return "none"
    return "write" if app.write is not None else "read_only"


def _request(candidate: Candidate, app: Application, profile: profiles.Profile) -> Request | None:
    if app.type != "scim" or candidate.account_id is None:
        return None
    return request(candidate.kind, app, profile, candidate.account_id, candidate.entitlement)


def _causes(candidate: Candidate) -> tuple[Cause, ...]:
    return tuple(Cause(f.fingerprint, f.rule, f.severity, f.reason) for f in candidate.findings)


def _targets(record: Record, config: Config, facts: Facts, actions: tuple[Action, ...]) -> tuple[Target, ...]:
    named = {action.app for action in actions}
    return tuple(
        Target(app.id, app.name, app.base_url, app.profile, facts.totals.get(app.id, 0))
        for app in config.applications
        if app.id in named
    )


def _notice(action: Action, config: Config) -> Mapping[str, str]:
    owners = {app.id: app.owner or "" for app in config.applications}
    rules = ", ".join(sorted({cause.rule for cause in action.causes}))
    when = f"{action.acts_from:%Y-%m-%d %H:%M} UTC" if action.acts_from else ""
    name = (action.account.username if action.account else None) or action.account_id or ""
    return {
        "action": action.id,
        "owner": owners.get(action.app, ""),
        "acts_from": when,
        "text": f"{name} in {action.app} is marked by {rules}: {action.kind} from {when} on, unless it is resolved.",
    }
