"""What each policy input may hold: the one home of its keys, their checks, its JSON schema and its documentation."""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.config_file import domain
from scanner.config_keys import Check, Key, boolean, day, list_of, number, one_of, text

_CHECKS: dict[str, Callable[[], Check]] = {
    "text": lambda: text,
    "texts": lambda: list_of(text, empty=False),
    "day": lambda: day,
    "instant": lambda: text,
    "boolean": lambda: boolean,
    "days": lambda: number(0, 36_500, whole=True),
    "domain": lambda: domain,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a table, or a column of a CSV file."""

    name: str
    kind: str
    """text, texts, day, instant, boolean, days, domain or word."""
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()
    """Of kind `word`: what it may say."""

    def key(self) -> Key:
        """Return the check of the value in a TOML file."""
        return Key(one_of(*self.words) if self.kind == "word" else _CHECKS[self.kind](), required=self.required)


@dataclass(frozen=True, slots=True)
class Table:
    """A `[[name]]` of a TOML file."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    identities: tuple[tuple[str, ...], ...] = ()
    """Keys that no two entries may have in common."""

    def keys(self) -> dict[str, Key]:
        """Return the checks of all keys."""
        return {field.name: field.key() for field in self.fields}


@dataclass(frozen=True, slots=True)
class Input:
    """One policy input: a TOML file of tables, or a CSV file of columns."""

    name: str
    meaning: str
    fields: tuple[Field, ...] = ()
    """Of a TOML file: keys above all tables. Of a CSV file: its columns."""
    tables: tuple[Table, ...] = ()
    needs_approval: bool = False
    """Rules are unable to test by it until somebody has approved it: a vendor's matrix is not the company's."""

    @property
    def is_csv(self) -> bool:
        """Whether it is a list that another system exports."""
        return not self.tables

    @property
    def file_name(self) -> str:
        """Return the usual name of the file."""
        return f"{self.name}.{'csv' if self.is_csv else 'toml'}"


_APP = Field("app", "text", "Id of the application.", required=True)
_APPS = Field("app", "text", "Id of the application, or a pattern with * and ?. Unset: all.")
_ACCOUNT = Field("account", "text", "Id of the account in the application, or its user name.", required=True)
_ENTITLEMENT = Field("entitlement", "text", "Name or id of the entitlement, or a pattern with * and ?.", required=True)
_APPROVAL = (
    Field("approved_by", "text", "Who approved this file for the organisation."),
    Field("approved_on", "day", "When. Rules that rest on the file are unable to test before."),
)
_WORKER = "Person id, employee number or e-mail"

INPUTS: dict[str, Input] = {
    item.name: item
    for item in (
        Input(
            "service_register",
            "Service, shared and break-glass accounts, with the person who answers for each.",
            tables=(
                Table(
                    "account",
                    "One registered account, by user name or id.",
                    (
                        _APP,
                        Field("username", "text", "User name."),
                        Field("account_id", "text", "Id of the account, where the user name does not tell."),
                        Field(
                            "kind",
                            "word",
                            "What it is.",
                            required=True,
                            words=("service", "shared", "break_glass"),
                        ),
                        Field("owner", "text", f"{_WORKER} of the person who answers for it."),
                        Field("attested_on", "day", "When the owner last confirmed it."),
                        Field("purpose", "text", "What it is for.", required=True),
                        Field("interactive", "boolean", "Whether people may sign in with it at a screen."),
                    ),
                    identities=(("app", "account_id"), ("app", "username")),
                ),
            ),
        ),
        Input(
            "approved_domains",
            "Foreign e-mail domains that accounts may have.",
            tables=(
                Table(
                    "domain",
                    "One domain.",
                    (
                        Field("domain", "domain", "The domain.", required=True),
                        Field("reason", "text", "Why it is welcome.", required=True),
                    ),
                    identities=(("domain",),),
                ),
            ),
        ),
        Input(
            "privileged_entitlements",
            "Entitlements that give power over others or over the system.",
            tables=(
                Table(
                    "entitlement",
                    "One entitlement, or a pattern of them.",
                    (
                        _APPS,
                        _ENTITLEMENT,
                        Field("exact", "boolean", "Take the entitlement literally: * ? and [ are no patterns."),
                    ),
                    identities=(("app", "entitlement"),),
                ),
            ),
        ),
        Input(
            "role_policy",
            "Who may hold which entitlement, by department and job title.",
            fields=(
                *_APPROVAL,
                Field(
                    "groups_only", "texts", "Applications (ids or patterns) in which access is given by groups only."
                ),
                Field(
                    "separate_admin_accounts",
                    "texts",
                    "Applications (ids or patterns) in which privilege belongs on a second account of the person.",
                ),
            ),
            tables=(
                Table(
                    "allow",
                    "People of these departments with these job titles may hold the entitlement.",
                    (
                        _APPS,
                        _ENTITLEMENT,
                        Field("departments", "texts", "Departments, or patterns. Unset: all."),
                        Field("job_titles", "texts", "Job titles, or patterns. Unset: all."),
                        Field("birthright", "boolean", "Given with the job: it needs no request of its own."),
                        Field("direct", "boolean", "May be given without a group, where others may not."),
                    ),
                ),
            ),
            needs_approval=True,
        ),
        Input(
            "duty_conflicts",
            "Functions that no one person may hold together, and the entitlements that give them.",
            fields=_APPROVAL,
            tables=(
                Table(
                    "function",
                    "An entitlement that gives a business function; a function may have several.",
                    (Field("name", "text", "Name of the function.", required=True), _APPS, _ENTITLEMENT),
                    identities=(("name", "app", "entitlement"),),
                ),
                Table(
                    "conflict",
                    "Two functions that conflict.",
                    (
                        Field("first", "text", "Name of a function.", required=True),
                        Field("second", "text", "Name of another function.", required=True),
                        Field("risk", "text", "What one person could do with both.", required=True),
                        Field("compensating_control", "text", "What limits the risk; printed with each finding."),
                    ),
                    identities=(("first", "second"),),
                ),
            ),
            needs_approval=True,
        ),
        Input(
            "erasure_schedule",
            "How long accounts of people who left may be kept, and for whom erasure is on hold.",
            tables=(
                Table(
                    "keep",
                    "How long an application may keep the account of a person who left.",
                    (
                        _APPS,
                        Field("days", "days", "Days after the end of work. Unset: the parameter of the rule."),
                        Field("basis", "text", "The law or the policy that says so.", required=True),
                    ),
                    identities=(("app",),),
                ),
                Table(
                    "hold",
                    "A person whose data must not be erased for now.",
                    (
                        Field("worker", "text", f"{_WORKER}.", required=True),
                        Field("reason", "text", "Reference of the matter; no detail.", required=True),
                    ),
                    identities=(("worker",),),
                ),
            ),
        ),
        Input(
            "access_reviews",
            "Results of access reviews: one decision a row.",
            fields=(
                Field("campaign", "text", "Name of the review.", required=True),
                _APP,
                _ACCOUNT,
                Field("entitlement", "text", "Name or id of the entitlement; empty: the account as a whole."),
                Field("reviewer", "text", f"{_WORKER} of the person who decides.", required=True),
                Field("decision", "word", "What was decided.", required=True, words=("keep", "revoke", "undecided")),
                Field("decided_at", "instant", "When."),
            ),
        ),
        Input(
            "idp_assignments",
            "Which people the identity provider lets into which application.",
            fields=(
                _APP,
                Field("worker", "text", f"{_WORKER}.", required=True),
                Field("assigned_at", "instant", "When."),
            ),
        ),
        Input(
            "grant_approvals",
            "Who granted and who approved an entitlement: an export of the access requests.",
            fields=(
                _APP,
                _ACCOUNT,
                Field("entitlement", "text", "Name or id of the entitlement.", required=True),
                Field("granted_at", "instant", "When it was granted."),
                Field("granted_by", "text", f"{_WORKER} of the person who granted it, or a user name."),
                Field("approved_by", "text", f"{_WORKER} of the person who approved it, or a user name."),
                Field("expires_at", "instant", "When it ends by itself."),
            ),
        ),
        Input(
            "sign_ins",
            "Single sign-ins, where an application or a log keeps them.",
            fields=(
                _APP,
                _ACCOUNT,
                Field("signed_in_at", "instant", "When.", required=True),
                Field("interactive", "boolean", "By a person at a screen; empty: not known."),
            ),
        ),
        Input(
            "mfa",
            "Whether accounts have a second factor, as the identity provider enforces it.",
            fields=(_APP, _ACCOUNT, Field("mfa", "boolean", "Whether a second factor is asked for.", required=True)),
        ),
    )
}
"""Key of `[policy]` -> the input."""
