"""Collects the accounts and groups of a directory over LDAP: Active Directory, OpenLDAP, 389 Directory Server.

Rights needed: an account that may read the entries below `base`, with the attributes that docs/sources/directories.md
lists, and nothing else; it is never written to. Covers what one server shows to that account: an entry or an attribute
that its access rules hide is not there. Parts that other servers hold are not followed, and keep the list from being
complete unless the configuration knows them. One connection, one search at a time, `page_size` entries a page; there is
no rate limit.

Accounts and groups are walked twice: the second walk proves the first, and brings the members of groups.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scanner.collectors import accounts
from scanner.collectors.directory_groups import Groups
from scanner.collectors.directory_kinds import KINDS, Kind, kind_of_account, said
from scanner.collectors.directory_link import Entry, Link, ListCutError
from scanner.collectors.directory_names import key, same
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading, collect_accounts
from scanner.collectors.redact import Redactor
from scanner.config import Application
from scanner.errors import SourceError
from scanner.model import Collected, Verdict

_OWN_PARTS = ("dc=domaindnszones,", "dc=forestdnszones,", "cn=configuration,", "cn=schema,cn=configuration,")
"""Parts of every Active Directory that hold no accounts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a directory is asked."""

    kind: Kind
    base: str
    accounts: str
    columns: dict[str, tuple[str, ...]]
    """Our column -> attributes."""
    groups_base: str
    groups: str

    @property
    def attributes(self) -> tuple[str, ...]:
        """Of accounts."""
        mapped = (name for names in self.columns.values() for name in names)
        primary = self.kind.primary[:1] if self.kind.primary else ()
        own = ("objectClass", *self.kind.id, *self.kind.needs, *primary, *(["uid"] if self.kind.names else []))
        return tuple(dict.fromkeys((*own, *mapped)))

    @property
    def query(self) -> str:
        """What is asked, for the evidence."""
        asked = f"{self.kind.name}: accounts below {self.base!r} by {self.accounts}, {', '.join(self.attributes)}"
        return f"{asked}; groups below {self.groups_base!r} by {self.groups}" if self.groups else asked


@dataclass(slots=True)
class Known:
    """The accounts of the first walk."""

    ids: set[str] = field(default_factory=set)
    by_name: dict[int, str] = field(default_factory=dict)
    """Key of the distinguished name -> id."""
    by_login: dict[str, str | None] = field(default_factory=dict)
    """User name -> id; None where several have it."""
    by_primary: dict[str, list[str]] = field(default_factory=dict)
    """What an account says of its primary group -> ids."""
    without_standing: int = 0


def collect_directory(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and groups.ndjson in `into`, with the verdict on both."""
    return collect_accounts(app, into, progress, _read)


def look(app: Application) -> Look:
    """Sign in, ask the server what it is, and read one page of accounts."""
    with _linked(app, Redactor()) as (link, plan):
        seen, columns = 0, {"account_id"}
        has_standing = plan.kind.is_told is None
        for entry in link.listed(plan.base, plan.accounts, plan.attributes):
            seen += 1
            row = _row(entry, plan, datetime.now(UTC))
            columns |= {name for name, value in row.items() if value is not None}
            has_standing = has_standing or entry.text(plan.kind.is_told or "") is not None
            if seen >= app.limits.page_size:
                break
    if not seen:
        raise SourceError(f"signed in to {plan.kind.name}, but no account was shown; may this account see them?")
    doubt = "" if has_standing else f"no account shows {plan.kind.is_told}: who is active cannot be told"
    return Look(f"signed in to {plan.kind.name}, {seen:,} accounts read, {len(columns)} columns known", doubt)


@contextmanager
def _linked(app: Application, redactor: Redactor) -> Iterator[tuple[Link, Plan]]:
    with Link(app, redactor) as link:
        root = link.root()
        kind = KINDS[app.ldap.directory or root.directory]
        base = app.ldap.base or root.base
        if base is None:
            raise SourceError("the directory holds several trees, or names none; set base in [application.ldap]")
        groups = kind.groups if app.ldap.groups is None else app.ldap.groups
        mapped = {ours: (theirs,) for ours, theirs in app.columns.items()}
        columns = {"account_id": kind.id, **kind.columns, **mapped}
        yield link, Plan(kind, base, app.ldap.accounts or kind.accounts, columns, app.ldap.groups_base or base, groups)


def _read(reading: Reading) -> None:
    with _linked(reading.app, reading.redactor) as (link, plan):
        reading.query = f"{reading.app.ldap.url} {plan.query}"
        coarse = (plan.kind.coarse.get(name.lower(), 0) for name in plan.columns.get("last_sign_in_at", ()))
        reading.sign_in_grain_days = max(coarse, default=0)
        known = Known()
        try:
            _accounts(reading, link, plan, known)
            groups = Groups(plan.kind, reading)
            if plan.groups:
                groups.read(link, plan.groups_base, plan.groups, known.by_name, known.by_login, known.by_primary)
            _prove(reading, link, plan, known, groups)
        except ListCutError as error:
            reading.doubt(str(error), error.verdict)
        finally:
            reading.pages = link.pages
        _weigh(reading, link, plan, known)


def _accounts(reading: Reading, link: Link, plan: Plan, known: Known) -> None:
    now = datetime.now(UTC)
    kind = plan.kind
    for entry in link.listed(plan.base, plan.accounts, plan.attributes):
        row = _row(entry, plan, now)
        reading.account(row)
        known.without_standing += kind.is_told is not None and entry.text(kind.is_told) is None
        own = row["account_id"]
        if not isinstance(own, str):
            continue  # a row without an id is rejected
        known.ids.add(own)
        known.by_name[key(entry.dn)] = own
        login = entry.text("uid") if kind.names else None
        if login is not None:
            known.by_login[login] = None if login in known.by_login else own
        primary = entry.text(kind.primary[0]) if kind.primary else None
        if primary is not None:
            known.by_primary.setdefault(primary, []).append(own)


def _row(entry: Entry, plan: Plan, now: datetime) -> dict[str, object]:
    """Return an account as our columns; what its directory says of its standing outweighs a word for it."""
    row: dict[str, object] = {}
    for ours, names in plan.columns.items():
        if ours in accounts.LISTS:
            row[ours] = [one.decode("utf-8", "replace") for name in names for one in entry.values.get(name.lower(), ())]
            continue
        found = [value for name in names if (value := said(entry, name)) is not None]
        times = [value for value in found if isinstance(value, datetime)]
        row[ours] = max(times) if ours == "last_sign_in_at" and times else next(iter(found), None)
    is_active, since = plan.kind.standing(entry, now)
    if is_active is False or "status" not in plan.columns:
        row["status"] = None if is_active is None else ("active" if is_active else "disabled")
    if "kind" not in plan.columns:
        row["kind"] = kind_of_account(entry)
    if "deactivated_at" not in plan.columns:
        row["deactivated_at"] = since
    return row


def _prove(reading: Reading, link: Link, plan: Plan, known: Known, groups: Groups) -> None:
    """Walk the accounts once more, by their ids alone, with the groups that they name themselves."""
    again: set[str] = set()
    for entry in link.listed(plan.base, plan.accounts, (*plan.columns["account_id"], "memberOf")):
        own = next((value for name in plan.columns["account_id"] if isinstance(value := said(entry, name), str)), None)
        if own is None:
            continue
        again.add(own)
        if plan.groups:
            groups.compare(own, (one.decode("utf-8", "replace") for one in entry.values.get("memberof", ())))
    reading.stated = len(again)
    if apart := len(again ^ known.ids):
        reading.stated = None
        reading.doubt(f"{apart:,} accounts came or went while the directory was read", Verdict.DRIFT)
    groups.weigh()


def _weigh(reading: Reading, link: Link, plan: Plan, known: Known) -> None:
    if reading.rows.rows and known.without_standing == reading.rows.rows:
        reading.doubt(f"no account shows {plan.kind.is_told}; may this account read it?")
    elsewhere = [
        place
        for place in sorted(link.references)
        if not place.lower().startswith(_OWN_PARTS)
        and not any(same(place, known) for known in reading.app.ldap.elsewhere)
    ]
    if elsewhere:
        told = ", ".join(elsewhere[:3]) + (", ..." if len(elsewhere) > 3 else "")
        reading.doubt(
            f"other servers hold {told}, and are not followed: read them as an application of their own and name them"
            " in elsewhere"
        )
    if reading.app.auth.secret is None:
        reading.notes.append("read without signing in: it shows what everybody may see")
