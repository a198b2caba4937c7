"""The configuration as frozen values. `scanner.config_file` reads orphanscan.toml into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from scanner.connections import (
    DatabaseSettings,
    FileSettings,
    GithubSettings,
    LdapSettings,
    ProviderSettings,
    RestSettings,
)

SCIM_TYPES = ("scim", "scim_file")
"""Types of applications whose accounts come as SCIM resources; all others but `none` bring rows."""
ROSTER_COLUMNS = (
    "employee_number",
    "person_id",
    "full_name",
    "first_name",
    "last_name",
    "email",
    "other_emails",
    "status",
    "worker_type",
    "hire_date",
    "termination_date",
    "last_day_worked",
    "contract_end",
    "department",
    "job_title",
    "manager",
    "time_zone",
)
ATTRIBUTES = (
    "last_sign_in_at",
    "last_activity_at",
    "mfa",
    "kind",
    "created_at",
    "deactivated_at",
    "employee_number",
    "department",
    "job_title",
    "manager",
    "owner",
    "origin",
)
ACCOUNT_COLUMNS = (
    "account_id",
    "username",
    "email",
    "display_name",
    "employee_number",
    "external_id",
    "department",
    "job_title",
    "manager",
    "status",
    "kind",
    "owner",
    "user_type",
    "created_at",
    "deactivated_at",
    "last_sign_in_at",
    "last_activity_at",
    "mfa",
    "origin",
    "role",
    "group",
    "entitlement",
)
"""What a row of an application without SCIM may say of an account, and of what it holds."""
COVERAGES = ("all", "provisioned_only", "members_no_guests", "one_domain", "unknown")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies, never the secret itself. `scanner.secrets` is the only reader."""

    kind: str
    """env, file, keyring or command."""
    reference: str | tuple[str, ...]
    """Variable name, path, `service/user`, or the argument list of a command (no shell)."""

    @property
    def named(self) -> str:
        """The reference in words; of a command its first word, as the others may be secret."""
        return f"{self.kind} {self.reference if isinstance(self.reference, str) else ' '.join(self.reference[:1])}"


@dataclass(frozen=True, slots=True)
class Auth:
    """How to sign in to an application."""

    type: str
    """none, bearer, basic, api_key (as the user name of basic), oauth2 (client credentials) or header."""
    secret: Secret | None = None
    scheme: str = "Bearer"
    """Of bearer: the word in front of the token; SSWS for an API token of Okta."""
    username: str | None = None
    """Of basic sign-in."""
    header: str | None = None
    """Name of the header that carries the secret, for instance X-API-Key."""
    token_url: str | None = None
    """Where oauth2 asks for a token."""
    client_id: str | None = None
    """Of the client that oauth2 signs in."""
    scope: str | None = None
    """Asked for with the token, where the server wants it."""
    acknowledged_origins: tuple[str, ...] = ()
    """Further origins, such as "https://new.example", that the secret may go to. A secret is bound to the origins that
    took it first: after a change of base_url or token_url nothing is sent until the new one stands here."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one source."""

    max_seconds: float = 1800
    """Total time for the source."""
    timeout_seconds: float = 30
    """For one request."""
    retries: int = 5
    """Further tries of a request that the server refused for the moment or that got no answer."""
    page_size: int = 100
    """Resources asked for at a time; never more than the server or the profile allows."""
    parallel: int = 8
    """Requests under way at a time, where a list has shown itself regular; 1: one after the other."""
    requests_per_minute: float | None = None
    """To this application's server, all applications on it together; also where it states no limit."""
    rate_share: float = 0.5
    """The part of a limit that the server states which a scan may use; the rest is for others."""
    max_pages: int = 100_000
    """A list that has not ended by then is short."""
    max_page_bytes: int = 64 * 1024 * 1024
    """Largest answer, after decompression."""


class Endpoint(Protocol):
    """What is asked over HTTP: an application, or a roster."""

    @property
    def id(self) -> str:
        """As the configuration calls it."""

    @property
    def base_url(self) -> str | None:
        """The address in front of everything that is asked."""

    @property
    def auth(self) -> Auth:
        """How to sign in."""

    @property
    def ca_file(self) -> Path | None:
        """Certificates to trust in place of the public authorities."""

    @property
    def allow_http(self) -> bool:
        """Whether secrets may travel unencrypted."""

    @property
    def limits(self) -> Limits:
        """Bounds of the collection."""


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """The write side of an application, for `apply` and `undo`. Without it nothing is ever written there."""

    auth: Auth
    """A credential of its own for writing; see `[application.auth]`."""
    own_accounts: tuple[str, ...]
    """User names or ids of the accounts behind the two credentials, which are never touched. [] says that they belong
    to no account of this application."""
    inactive: str | None = None
    """What active = false does here, where you know better than the profile: disable, remove, licence or none (the
    application knows no inactive accounts; only DELETE ends access)."""
    reversible: bool | None = None
    """Whether active = true brings everything back, where you know better than the profile."""
    revoke_sessions: str | None = None
    """Path of the application's own call that ends sessions, on the origin of base_url, with {id} for the account; for
    instance /api/users/{id}/sessions/revoke. It is a POST unless DELETE and a blank stand before it. SCIM has none."""
    settle_seconds: float = 5
    """How long to wait for a change to show when it is read back."""


@dataclass(frozen=True, slots=True)
class ScimView:
    """The SCIM server of an application whose own list is read: what the identity provider manages there."""

    base_url: str
    """In front of /Users."""
    auth: Auth
    """How to sign in; see `[application.auth]`."""
    profile: str = "generic"
    """What is known of the vendor's SCIM server."""


@dataclass(frozen=True, slots=True)
class Application:
    """One system that holds accounts."""

    id: str
    """Small letters, digits, - and _. It names the application in the store and in findings for good."""
    name: str
    """As people know it; stands in reports."""
    type: str
    """scim, scim_file, a type of docs/sources (csv, database, ldap, rest ...), one that an installed package brings, or
    none."""
    data: tuple[str, ...] = ("personal",)
    """personal, financial, ephi, cardholder: decides to which framework reports the application belongs."""
    owner: str | None = None
    """Who answers for its accounts; stands in reports."""
    reason: str | None = None
    """Why an application of type `none` is not connected."""
    profile: str = "generic"
    """What is known of the vendor's SCIM server."""
    base_url: str | None = None
    """Of a scim application: the address in front of /Users and /Groups."""
    path: Path | None = None
    """Of an application that is read from a file: the export. Its name may hold * and ? for what changes from one
    export to the next (not with scim_file); the newest is read."""
    auth: Auth = field(default_factory=lambda: Auth("none"))
    """How to sign in; see `[application.auth]`."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust in place of the public authorities."""
    allow_http: bool = False
    """Let the secret and the data travel unencrypted to a host that is not loopback."""
    coverage: str | None = None
    """Overrides the profile's coverage label."""
    sso: bool | None = None
    """Whether people sign in through the identity provider. None: not known."""
    identity_provider: bool = False
    """Whether this is the identity provider itself: who is closed there should be closed everywhere."""
    external_id: str | None = None
    """`employee_number` or `person_id` where the application's externalId is declared to be an HR id."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Our account field -> dotted SCIM path, for instance
    last_sign_in_at = "urn:acme:1.0:User:lastLogin" (RFC 7644 3.10 notation; sub-attributes after a
    dot). Fields: last_sign_in_at, last_activity_at, mfa, kind, created_at, deactivated_at, employee_number,
    department, job_title, manager, owner,
    origin."""
    limits: Limits = field(default_factory=Limits)
    """Bounds of the collection; see `[application.limits]`."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of an application without SCIM: our column -> theirs (of json a dotted path). Unnamed ones are looked up under
    our name. Columns: account_id, username, email, display_name, employee_number, external_id, department, job_title,
    manager, status, kind, owner,
    user_type, created_at, deactivated_at, last_sign_in_at, last_activity_at, mfa, origin, role, group, entitlement."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Their status word -> active, inactive or unknown; before the built-in words. "" is the empty cell. A word that
    stands in neither is a rejected row, never a guess."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Their word for what an account is for -> human, service, shared, break_glass or external."""
    date_format: str | None = None
    """strptime format of all dates. None: ISO 8601, or seconds or milliseconds since 1970."""
    time_zone: str | None = None
    """Of dates that name no zone. None: the organisation's."""
    separator: str | None = None
    """What separates several roles, groups or entitlements in one cell. None: a cell holds one."""
    entitlements: Path | None = None
    """Catalogue (CSV) of what accounts may hold: entitlement, kind (role, group or entitlement), name, privileged."""
    file: FileSettings = field(default_factory=FileSettings)
    """Of csv, excel and json; see `[application.file]`."""
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    """Of database and sqlite; see `[application.database]`."""
    rest: RestSettings = field(default_factory=RestSettings)
    """Of rest; see `[application.rest]`."""
    ldap: LdapSettings = field(default_factory=LdapSettings)
    """Of ldap; see `[application.ldap]`."""
    provider: ProviderSettings = field(default_factory=ProviderSettings)
    """Of an identity provider that is read over its own API; see `[application.provider]`."""
    github: GithubSettings = field(default_factory=GithubSettings)
    """Of github; see `[application.github]`."""
    scim: ScimView | None = None
    """Of an application that is read over its own API: its SCIM server, to compare with; see `[application.scim]`."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Keys of a type that an installed package brings; its documentation names them."""
    write: WriteSettings | None = None
    """The write side; see `[application.write]`. None: read only."""

    @property
    def views(self) -> tuple["Application", ...]:
        """The application itself, and its SCIM list as an application of its own where that is compared."""
        if self.scim is None:
            return (self,)
        view = self.scim
        scim = replace(
            self, type="scim", base_url=view.base_url, auth=view.auth, profile=view.profile, scim=None, coverage=None
        )
        return self, scim


@dataclass(frozen=True, slots=True)
class Roster:
    """One list of people from HR."""

    id: str
    """Small letters, digits, - and _. It names the roster in the store for good."""
    path: Path | None = None
    """Of csv and excel: the file, as HR exports it, also where it is put by SFTP. Its name may hold * and ?; the newest
    is read."""
    type: str = "csv"
    """csv, excel, rest, workday or bamboohr."""
    sheet: str | None = None
    """Of an Excel file. None: the first."""
    delimiter: str | None = None
    """None: found among comma, semicolon, tab and bar in the header line."""
    encoding: str | None = None
    """None: by byte order mark, else UTF-8."""
    date_format: str = "%Y-%m-%d"
    """strptime format of every date column; dates are never guessed."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column -> theirs. Unnamed ones are looked up under our name."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Their status word -> pre_hire, active, on_leave or terminated; added to the built-in words."""
    worker_types: Mapping[str, str] = field(default_factory=dict)
    """Their word -> employee, contractor, vendor, intern or external."""
    time_zone: str | None = None
    """Of the dates, where a row has none of its own. None: the organisation's."""
    max_shrink_percent: float = 5
    """A roster that lost more than this share of its people since the last scan is refused."""
    min_rows: int = 1
    """A roster with fewer rows is refused."""
    done_marker: bool = False
    """Wait for `<path>.done`, the sign that the upload is finished."""
    stable_seconds: float = 0
    """A file that changed less than this ago is looked at again after that time; if it still grows it is not read."""
    newest_by: str = "modified"
    """Of several files the newest is read: by its time of change, or by `name` where that holds a date."""
    base_url: str | None = None
    """Of rest, workday and bamboohr: the address in front of everything that is asked."""
    auth: Auth = field(default_factory=lambda: Auth("none"))
    """How to sign in there; see `[application.auth]`."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust in place of the public authorities."""
    allow_http: bool = False
    """Let the secret and the data travel unencrypted to a host that is not loopback."""
    limits: Limits = field(default_factory=Limits)
    """Bounds of the collection; see `[application.limits]`."""
    rest: RestSettings = field(default_factory=RestSettings)
    """Of rest and workday: the list of people; see `[application.rest]`. Of workday `path` and `query` only."""


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


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of orphanscan.toml. Every path is absolute."""

    path: Path
    sha256: str
    state: Path
    organization: str
    timezone: str
    email_domains: tuple[str, ...]
    rosters: tuple[Roster, ...]
    applications: tuple[Application, ...]
    scan: ScanSettings = field(default_factory=ScanSettings)
    matching: Matching = field(default_factory=Matching)
    policy: Policy = field(default_factory=Policy)
    rules: RuleSettings = field(default_factory=RuleSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    notify: tuple[Receiver, ...] = ()
    waivers: WaiverSettings = field(default_factory=WaiverSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    encryption: EncryptionSettings | None = None
    """None: nothing is sealed."""
    keys: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the file says, key by key and without secrets, for the evidence."""

    @property
    def sources(self) -> tuple[Roster | Application, ...]:
        """Every roster, then every application, each as often as it is asked with a credential of its own."""
        return (*self.rosters, *(view for app in self.applications for view in app.views))
