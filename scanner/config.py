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
from scanner.credentials import Auth
from scanner.settings import (
    EncryptionSettings,
    EvidenceSettings,
    Matching,
    Policy,
    PrivacySettings,
    Receiver,
    RemediationSettings,
    ReportSettings,
    RuleSettings,
    ScanSettings,
    WaiverSettings,
)

SCIM_TYPES = ("scim", "scim_file")
"""Types of applications whose accounts come as SCIM resources; all others but `none` bring rows."""
COVERAGES = ("all", "provisioned_only", "members_no_guests", "one_domain", "unknown")


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
