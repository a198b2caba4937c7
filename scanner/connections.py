"""How applications without SCIM are read, as frozen values; one table of orphanscan.toml each."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FileSettings:
    """How an account export is written, and what proves that it is whole and recent."""

    delimiter: str | None = None
    """Of csv. None: found among comma, semicolon, tab and bar in the header line."""
    encoding: str | None = None
    """Of csv. None: by byte order mark, else UTF-8."""
    sheet: str | None = None
    """Of excel. None: the first."""
    header_row: int | None = None
    """Of csv and excel: the row that names the columns, counted from 1. None: the first that is not empty."""
    records: str | None = None
    """Of json: dotted path to the array of accounts, such as data.users. None: the document is the array, or the file
    holds one object a line."""
    newest_by: str = "modified"
    """Of a path with wildcards the newest file is read: by its time of change, or by `name` where that holds a date."""
    done_marker: bool = False
    """Wait for `<file>.done`, the sign that the upload is finished."""
    stable_seconds: float = 2
    """A file that changed less than this ago is looked at again after that time; if it still grows it is not read."""
    max_age_hours: float | None = None
    """An export older than this proves nothing about today: its verdict is `unknown`."""
    min_rows: int = 1
    """A file with fewer rows is refused."""
    control_total: str | None = None
    """Regular expression with one group that holds the number of rows, looked for in the last row and in the lines
    above the header, cells joined by blanks; for instance "TRAILER (\\\\d+)". Where it is not found, or the number is
    another one, the source is `short`."""
    expected_rows: int | None = None
    """The number of rows, where somebody states it by hand."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """What a database is asked; nothing but these statements is ever sent, in a transaction that can only read."""

    url: str | None = None
    """Of type database: where it is, such as postgresql://db.example:5432/erp; also mysql, mssql and oracle. Name and
    password stand in `auth` (type basic)."""
    profile: str | None = None
    """Ready statements: postgresql_roles reads the server's own roles."""
    accounts: str | None = None
    """One select: a row for each account, or several. Its columns are named as ours, or mapped by `columns`."""
    grants: str | None = None
    """One select, where they are not columns of the accounts: account_id, entitlement, and kind (role, group or
    entitlement), name and path (direct or nested), if you have them."""
    entitlements: str | None = None
    """One select: entitlement, and kind, name and privileged (true or false), if you have them."""
    count: str | None = None
    """One select of one number: how many accounts there are, asked in the same snapshot. None: the rows of `accounts`
    are counted."""
    statement_seconds: float = 300
    """A statement that takes longer is ended by the server."""


@dataclass(frozen=True, slots=True)
class GrantList:
    """A further list of a REST application: what its accounts hold."""

    path: str
    """Below base_url. With {id} it is asked for each account, such as /users/{id}/roles; else once."""
    items: str | None = None
    """Dotted path to the array. None: the answer is the array."""
    kind: str = "role"
    """role, group or entitlement: what the list speaks of."""
    entitlement: str = "id"
    """Dotted path to what is held, in an item of the list."""
    name: str | None = None
    """Dotted path to its name for people."""
    account: str | None = None
    """Dotted path to the account's id: in an item of the list, or, with `members`, in an item of those lists."""
    members: str | None = None
    """Path with {id} of what is held, such as /roles/{id}/users: asked for each item of the list at `path`."""
    members_items: str | None = None
    """Dotted path to the array in those answers. None: the answer is the array."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    """How a list is asked for over REST, and how it goes on from page to page."""

    path: str = ""
    """Of the list, below base_url: /v1/users."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters of every request of this list, such as {include = "inactive"}."""
    items: str | None = None
    """Dotted path to the array in an answer, such as data.users. None: the answer is the array."""
    paging: str = "none"
    """How a list goes on: none (one answer holds all), page (by number), offset (by position), cursor (a value in the
    answer is sent back), next (an address in the answer) or link (an address in the header Link, RFC 8288)."""
    parameter: str | None = None
    """Of page, offset and cursor: the query parameter; page, offset or cursor if it is called so."""
    size_parameter: str | None = None
    """Query parameter for how many rows are asked for at a time (limits.page_size). None: none is sent."""
    first: int | None = None
    """Number of the first page (1 if not said), or position of the first row (0)."""
    next: str | None = None
    """Of cursor and next: dotted path to the cursor or the address in an answer; where it is absent or empty the list
    ends."""
    count: str | None = None
    """Dotted path to the number of rows that the whole list has, such as meta.total. The list is complete when as many
    came. None: the list is read twice."""
    count_header: str | None = None
    """Header of the answer with that number, such as X-Total-Count."""
    grants: tuple[GrantList, ...] = ()
    """Lists of what accounts hold, where it does not stand in their own rows."""


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """How a directory is reached, and which of its entries are accounts and groups."""

    url: str | None = None
    """Where it is: ldaps://dc1.acme.example, or ldap://... with start_tls. One server: others are never followed."""
    start_tls: bool = False
    """Of an ldap:// address: turn the connection into an encrypted one before anything is said."""
    directory: str | None = None
    """active_directory, openldap or 389ds. None: as the server calls itself."""
    base: str | None = None
    """Distinguished name below which accounts are looked for. None: the directory's own."""
    accounts: str | None = None
    """Filter of accounts, such as "(objectClass=inetOrgPerson)". None: everything that may sign in."""
    groups_base: str | None = None
    """Distinguished name below which groups are looked for. None: as `base`."""
    groups: str | None = None
    """Filter of groups. None: all of them; "" is no group at all."""
    elsewhere: tuple[str, ...] = ()
    """Distinguished names of parts that other servers hold, and that hold no accounts or are read as an application of
    their own. A part below `base` that is held elsewhere and does not stand here makes the list `short`, as does a
    group there that an account is in."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What an identity provider is asked beside its accounts, groups and roles."""

    applications: Mapping[str, str] = field(default_factory=dict)
    """Its id of an application -> our id: whom it lets in there is asked, and taken as idp_assignments for ours."""
    mfa: bool = True
    """Whether to ask for the second factor of each account."""
    sign_in_days: int = 30
    """How far back single sign-ins are asked for; 0: none are."""


@dataclass(frozen=True, slots=True)
class GithubSettings:
    """What of GitHub is asked for."""

    organization: str = ""
    """Name of the organisation, as in its address."""
