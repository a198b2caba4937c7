"""The configuration as frozen values. `scanner.config_file` reads orphanscan.toml into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies, never the secret itself. `scanner.secrets` is the only reader."""

    kind: str
    """env, file, keyring or command."""
    reference: str | tuple[str, ...]
    """Variable name, path, `service/user`, or the argument list of a command (no shell)."""


@dataclass(frozen=True, slots=True)
class Auth:
    """How to sign in to an application."""

    type: str
    """none, bearer, basic, oauth2 (client credentials) or header."""
    secret: Secret | None = None
    username: str | None = None
    header: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one source."""

    max_seconds: float = 1800
    """Total time for the source."""
    timeout_seconds: float = 30
    """For one request."""
    retries: int = 5
    page_size: int = 100
    max_pages: int = 100_000
    max_page_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Application:
    """One system that holds accounts."""

    id: str
    name: str
    type: str
    """scim, scim_file or none."""
    data: tuple[str, ...] = ("personal",)
    """personal, financial, ephi: decides to which framework reports the application belongs."""
    owner: str | None = None
    reason: str | None = None
    """Why an application of type `none` is not connected."""
    profile: str = "generic"
    base_url: str | None = None
    path: Path | None = None
    auth: Auth = field(default_factory=lambda: Auth("none"))
    ca_file: Path | None = None
    allow_http: bool = False
    coverage: str | None = None
    """Overrides the profile's coverage label."""
    sso: bool | None = None
    external_id: str | None = None
    """`employee_number` or `person_id` where the application's externalId is declared to be an HR id."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Our account field -> dotted SCIM path, for instance
    last_sign_in_at = "urn:acme:1.0:User:lastLogin" (RFC 7644 3.10 notation; sub-attributes after a
    dot). Fields: last_sign_in_at, last_activity_at, mfa, kind, created_at, deactivated_at, employee_number, owner."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Roster:
    """One list of people from HR."""

    id: str
    path: Path
    type: str = "csv"
    """csv or excel."""
    sheet: str | None = None
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
    done_marker: bool = False
    """Wait for `<path>.done`, the sign that the upload is finished."""


@dataclass(frozen=True, slots=True)
class KindPattern:
    """Accounts whose user name matches `pattern` (a glob, letter case ignored) are of `kind`."""

    pattern: str
    kind: str
    app: str = "*"


@dataclass(frozen=True, slots=True)
class Matching:
    """Inputs of the match of accounts to workers."""

    links: Path | None = None
    """CSV of decisions by people: app, account_id, worker, decided_by, decided_at, reason."""
    domain_aliases: Mapping[str, str] = field(default_factory=dict)
    """alias domain -> main domain."""
    kinds: tuple[KindPattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Paths of the policy inputs; None: not supplied."""

    privileged_entitlements: Path | None = None
    service_register: Path | None = None
    approved_domains: Path | None = None


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The table [scan]."""

    fail_on: str = "high"
    parallel: int = 4
    max_seconds: float = 3600
    memory_mb: int = 1024
    """DuckDB's memory limit; more is spilled to the staging folder."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """The table [rules]."""

    paths: tuple[Path, ...] = ()
    """Further folders of rule files."""
    disable: tuple[str, ...] = ()
    params: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    max_seconds: float = 120
    """For one rule."""
    memory_mb: int = 4096
    """Address space of the child process that runs the rules."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The table [report]."""

    frameworks: tuple[str, ...] = ("gdpr", "sox", "hipaa")
    formats: tuple[str, ...] = ("pdf", "html")
    privacy: str = "L1"
    """L1: pseudonyms. L2: identified working paper."""
    rows_per_rule: int = 50
    """Exceptions printed per rule; the full list is beside the report."""
    prepared_by: str = ""


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
