"""What orphanscan.toml says besides its sources, as frozen values; one table each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scanner.credentials import Auth, Secret


@dataclass(frozen=True, slots=True)
class KindPattern:
    """Accounts whose user name matches `pattern` (a glob, letter case ignored) are of `kind`."""

    pattern: str
    """A glob such as svc-*."""
    kind: str
    """human, service, shared, break_glass or external."""
    app: str = "*"
    """Id of an application; * stands for all."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Inputs of the match of accounts to workers."""

    links: Path | None = None
    """CSV of decisions by people: app, account_id, worker, decided_by, decided_at, reason."""
    domain_aliases: Mapping[str, str] = field(default_factory=dict)
    """alias domain -> main domain."""
    kinds: tuple[KindPattern, ...] = ()
    """Patterns of user names that tell what an account is for; see `[[matching.kinds]]`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Paths of the policy inputs; None: not supplied."""

    privileged_entitlements: Path | None = None
    """TOML of entitlements that give power over others or over the system: patterns of name or id, by application."""
    service_register: Path | None = None
    """TOML of service, shared and break-glass accounts, with the person who answers for each."""
    approved_domains: Path | None = None
    """TOML of foreign e-mail domains that accounts may have, each with a reason."""
    role_policy: Path | None = None
    """TOML of who may hold which entitlement, by department and job title; used from its approval on."""
    duty_conflicts: Path | None = None
    """TOML of functions that no one person may hold together, and what gives them; used from its approval on."""
    erasure_schedule: Path | None = None
    """TOML of how long accounts of people who left may be kept, and legal holds."""
    access_reviews: Path | None = None
    """CSV of decisions of access reviews: campaign, app, account, entitlement, reviewer, decision, decided_at."""
    idp_assignments: Path | None = None
    """CSV of the people whom the identity provider lets into an application: app, worker, assigned_at."""
    grant_approvals: Path | None = None
    """CSV of access requests: app, account, entitlement, granted_at, granted_by, approved_by, expires_at."""
    sign_ins: Path | None = None
    """CSV of single sign-ins: app, account, signed_in_at, interactive."""
    mfa: Path | None = None
    """CSV of second factors as the identity provider enforces them: app, account, mfa."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The table [scan]."""

    fail_on: str = "high"
    """Exit 1 where an exception is of this severity or worse: critical, high, medium, low or info."""
    parallel: int = 64
    """Sources collected at the same time; each server is asked no faster for it."""
    max_seconds: float = 3600
    """For collecting all sources; what has not ended by then is incomplete."""
    memory_mb: int = 1024
    """DuckDB's memory limit; more is spilled to the staging folder."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """The table [rules]."""

    paths: tuple[Path, ...] = ()
    """Further folders of rule files; `frameworks` in one may hold frameworks and control families of your own."""
    disable: tuple[str, ...] = ()
    """Ids of rules that are not run. Reports count them."""
    params: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Rule id -> parameter -> value, in place of the rule's default."""
    max_seconds: float = 120
    """For one rule."""
    memory_mb: int = 4096
    """Address space of the child process that runs the rules."""


FORMATS = ("pdf", "html", "oscal", "xlsx", "csv", "json", "ocsf", "md")
"""Of reports: the first three make a file for each framework, the others one for the scan."""
PRINTED = ("pdf", "html")
"""Those for readers. Counts only (L0) and reports beside those of the frameworks come in no other."""
EVERY_APPLICATION = "all"
"""In place of an application's id: each one has a report of its own."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The table [report]."""

    frameworks: tuple[str, ...] = ("gdpr", "sox", "hipaa")
    """Ids of the frameworks to report on."""
    management: bool = False
    """A page for management over these frameworks beside their reports, as PDF and HTML."""
    applications: tuple[str, ...] = ()
    """Ids of applications whose owners get a report of their own with every scan, as PDF and HTML; or `all`."""
    formats: tuple[str, ...] = ("pdf", "html")
    """pdf, html and oscal: a file for each framework. xlsx (needs the extra `xlsx`), csv, json, ocsf, md: one for the
    scan."""
    privacy: str = "L1"
    """L0: counts only, small ones hidden. L1: pseudonyms. L2: identified working paper, for the named recipient."""
    recipient: str = ""
    """For whom L2 reports are; printed on each page, kept in their manifest and in the access log."""
    rows_per_rule: int = 50
    """Exceptions printed per rule; the full list is beside the report."""
    sheets: int = 10
    """Exceptions of critical and high severity that get a sheet of their own, per report."""
    prepared_by: str = ""
    """Printed on the cover and in the sign-off block."""
    memory_mb: int = 3072
    """Address space of the process that draws the PDFs."""
    max_seconds: float = 600
    """Seconds after which the drawing of one PDF is stopped; the scan is stored all the same."""


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """The table [evidence]."""

    signing_key: Secret | None = None
    """Private Ed25519 key (PEM or OpenSSH) that signs the manifest of each scan. Unset: not signed."""
    passphrase: Secret | None = None
    """Of the signing key, if it has one."""
    timestamp_url: str | None = None
    """Address of an RFC 3161 authority that is asked for the time of each manifest; only its hash is sent."""
    timestamp_ca_file: Path | None = None
    """Certificates (PEM) of the authority's root, by which `verify` proves the timestamps."""
    timestamp_seconds: float = 20
    """How long to wait for the authority; a scan is stored without a timestamp all the same."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """The table [privacy]."""

    retention: Mapping[str, int] = field(default_factory=dict)
    """Class -> days that it is kept, for `purge`: reports, evidence (with findings.*), plans, and history (what the
    store says of people, accounts, grants and findings of the past). A class that is not named is kept."""


@dataclass(frozen=True, slots=True)
class EncryptionSettings:
    """The table [encryption]: the store and the scans are sealed as files in the age format."""

    recipients: tuple[str, ...]
    """Public keys (age1...) to which everything is sealed; the key to a second one can lie in a safe, for recovery."""
    identity: Secret
    """Where the private key to one of the recipients lies."""
    previous_identity: Secret | None = None
    """Where the private key of before lies, until `key rotate` has sealed everything anew."""
    seal_reports: bool = True
    """Whether the reports are sealed as well; `export scan` opens them."""
    staging: Path | None = None
    """Folder, on tmpfs best, in which sealed files are opened. Unset: `staging` in the state folder."""


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """The table [remediation]. Budgets are on without it."""

    max_actions: int = 50
    """Changes in one run, over all applications."""
    max_percent: float = 5
    """Changes in one run, in percent of the accounts, inactive ones left out, of the applications that it changes."""
    max_actions_per_application: int = 20
    """Changes in one application in one run."""
    max_percent_per_application: float = 5
    """Changes in one application in one run, in percent of its accounts, inactive ones left out."""
    floor: int = 3
    """So many changes are allowed where the percentage of a small application would be less."""
    max_unproven: int = 5
    """Changes in one run that do not rest on a termination in HR."""
    expires_hours: float = 24
    """How long a plan may be approved and applied."""
    approvers: Path | None = None
    """TOML of the people who may approve, each with a public key. Unset: nothing can be approved."""
    approvals: int = 1
    """Different approvers that a plan needs."""
    approvals_irreversible: int = 2
    """Different approvers that a plan needs in which a change is, or may be, irreversible (class S4)."""
    unattended_classes: tuple[str, ...] = ()
    """Safety classes that `apply --unattended` may apply without an approval: S2, S3 or both."""
    unattended_rules: tuple[str, ...] = ()
    """Rules whose findings `apply --unattended` may act on."""
    grace_days: Mapping[str, int] = field(default_factory=dict)
    """Rule -> days between the plan that first marks an account and the first scan whose plan may act on it."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One place that hears of changes after a scan."""

    id: str
    """Small letters, digits, - and _. What it was told is remembered under this name."""
    type: str
    """email, slack, teams, webhook, jira, servicenow, syslog, metrics or heartbeat."""
    owners: tuple[str, ...] = ()
    """Only what belongs to these owners of applications. Unset: everything."""
    min_severity: str = "low"
    """Findings below it are not told: critical, high, medium, low or info."""
    privacy: str = "L1"
    """L1: pseudonyms. L2: user names; not for slack and teams."""
    confidential: bool = False
    """Whether it may hear of terminations that are still to come. Every other receiver hears nothing of them."""
    include_existing: bool = False
    """At first, tell also what is open already; otherwise only how much it is."""
    overdue_days: Mapping[str, int] = field(
        default_factory=lambda: {"critical": 1, "high": 7, "medium": 30, "low": 90, "info": 180}
    )
    """Severity -> days after which a finding that is still open is told once more, as overdue."""
    max_seconds: float = 60
    """For all attempts of one run; what was not delivered by then is told after the next scan."""
    url: Secret | None = None
    """Of slack, teams, webhook and heartbeat: where the address lies, as such addresses are secrets themselves."""
    fail_url: Secret | None = None
    """Of heartbeat: what to call when a scan did not end as it should. Unset: the address with /fail at its end."""
    secret: Secret | None = None
    """Of webhook: where the key of the signatures lies (Standard Webhooks; whsec_ and Base64)."""
    base_url: str | None = None
    """Of jira and servicenow: the address of the site, such as https://acme.atlassian.net."""
    auth: Auth = field(default_factory=lambda: Auth("none"))
    """Of email, jira and servicenow: as in `[application.auth]`, without oauth2; basic for email."""
    project: str | None = None
    """Of jira: key of the project."""
    issue_type: str = "Task"
    """Of jira: name of the kind of issue."""
    api: str = "3"
    """Of jira: 3 for Jira Cloud, 2 for Jira Data Center."""
    table: str = "incident"
    """Of servicenow: the table."""
    host: str | None = None
    """Of email: the mail server."""
    port: int | None = None
    """Of email. Unset: 587 with starttls, 465 with implicit, 25 with none."""
    tls: str = "starttls"
    """Of email: starttls, implicit, or none, which is for a mail server on this machine only."""
    sender: str | None = None
    """Of email: the address that it comes from."""
    to: tuple[str, ...] = ()
    """Of email: who gets it; with to_owners, who gets what has no owner with an e-mail address."""
    to_owners: bool = False
    """Of email: one message to each owner about their own applications."""
    address: str | None = None
    """Of syslog: udp://host:514, tcp://host:601, tls://host:6514 or unix:///dev/log."""
    format: str = "rfc5424"
    """Of syslog: rfc5424 (its message is JSON), cef or ocsf."""
    path: Path | None = None
    """Of metrics: the .prom file for the textfile collector of the node exporter."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust in place of the public authorities."""


@dataclass(frozen=True, slots=True)
class WaiverSettings:
    """The table [waivers]."""

    file: Path | None = None
    """TOML of accepted risks, each with a reason, an approver and a last day; see docs/waivers.md."""
