"""What the directories that we know call things: Active Directory, OpenLDAP, and 389 Directory Server with FreeIPA."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from scanner.collectors.directory_link import Entry

_DISABLED = 0x2
_TRUST = 0x800
"""userAccountControl (MS-ADTS 2.2.16): ACCOUNTDISABLE, and INTERDOMAIN_TRUST_ACCOUNT, which is another domain's."""
_NEVER = frozenset({0, 0x7FFF_FFFF_FFFF_FFFF})
"""accountExpires of an account that does not expire (MS-ADA1 2.1)."""
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_FILETIMES = frozenset(
    {"lastlogontimestamp", "lastlogon", "accountexpires", "pwdlastset", "lockouttime", "badpasswordtime"}
)
"""Attributes in steps of 100 nanoseconds since 1601; 0 is no time."""
_BY_ADMINISTRATOR = "000001010000Z"
"""pwdAccountLockedTime of an account that only an administrator opens again (draft-behera-ldap-password-policy)."""
_GENERALIZED = re.compile(r"(\d{10})(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})")
"""RFC 4517, 3.3.13."""
_SECURITY_GROUP = 0x8000_0000
"""groupType (MS-ADTS 2.2.12): members get rights by it. Groups without it are lists for mail."""

Standing = tuple[bool | None, datetime | None]
"""Whether an account may sign in, None where nothing says so; and since when not, where that is told."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of directory."""

    name: str
    accounts: str
    """Filter of what may sign in."""
    groups: str
    """Filter of groups."""
    id: tuple[str, ...]
    """Attributes that identify an entry for good, the first that is there."""
    columns: Mapping[str, tuple[str, ...]]
    """Our column -> its attributes, the first that is there; of `last_sign_in_at` the latest."""
    standing: Callable[[Entry, datetime], Standing]
    needs: tuple[str, ...]
    """Attributes that tell the standing."""
    is_told: str | None = None
    """The attribute of them that every account has."""
    members: tuple[str, ...] = ("member", "uniqueMember")
    """Attributes of a group that name members by distinguished name."""
    names: tuple[str, ...] = ()
    """Attributes of a group that name members by user name."""
    primary: tuple[str, str] | None = None
    """Attribute of an account, and of a group, that are equal for its primary group, which lists it nowhere."""
    coarse: Mapping[str, int] = field(default_factory=dict)
    """Attribute -> days that the time in it may lag behind."""


def kind_of_account(entry: Entry) -> str | None:
    """Return what an account is for, where its class says so."""
    classes = {one.decode("utf-8", "replace").lower() for one in entry.values.get("objectclass", ())}
    control = number(entry.text("userAccountControl"))
    is_trust = control is not None and bool(control & _TRUST)
    return "service" if is_trust or "msds-managedserviceaccount" in classes else None


def is_list_for_mail(entry: Entry) -> bool:
    """Return whether a group of Active Directory gives no rights."""
    kind = number(entry.text("groupType"))
    return kind is not None and not kind & _SECURITY_GROUP


def said(entry: Entry, attribute: str) -> str | datetime | None:
    """Return the first value of an attribute in plain form: ids as text, times as such; None where there is none."""
    found = entry.values.get(attribute.lower())
    if not found:
        return None
    match attribute.lower():
        case "objectguid" if len(found[0]) == 16:
            return str(uuid.UUID(bytes_le=bytes(found[0])))
        case "objectsid":
            return sid(found[0])
        case name if name in _FILETIMES:
            return _filetime(entry.text(attribute))
    text = entry.text(attribute)
    return generalized(text) or text


def sid(raw: bytes) -> str | None:
    """Return a security identifier as people write it (MS-DTYP 2.4.2.2)."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        return None
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(map(str, ("S", raw[0], int.from_bytes(raw[2:8], "big"), *parts)))


def number(text: str | None) -> int | None:
    """Return a whole number, or None where there is none."""
    return int(text) if text and re.fullmatch(r"-?\d{1,20}", text.strip()) else None


def generalized(text: str | None) -> datetime | None:
    """Return the instant that a generalized time stands for; None where it is none."""
    match = _GENERALIZED.fullmatch(text or "")
    if match is None:
        return None
    hours, minutes, seconds, zone = match.groups()
    away = timedelta() if zone == "Z" else timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    try:
        naive = datetime.strptime(f"{hours}{minutes or '00'}{seconds or '00'}", "%Y%m%d%H%M%S")
        return naive.replace(tzinfo=timezone(away)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _filetime(text: str | None) -> datetime | None:
    ticks = number(text)
    if ticks is None or ticks in _NEVER or ticks < 0:
        return None
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def _ended(until: datetime | None, now: datetime) -> bool:
    return until is not None and until <= now


def _in_active_directory(entry: Entry, now: datetime) -> Standing:
    control = number(entry.text("userAccountControl"))
    expires = said(entry, "accountExpires")
    if isinstance(expires, datetime) and _ended(expires, now):
        return False, expires
    return (None if control is None else not control & _DISABLED), None


def _in_openldap(entry: Entry, now: datetime) -> Standing:
    if entry.text("pwdAccountLockedTime") == _BY_ADMINISTRATOR:
        return False, None
    ended = said(entry, "pwdEndTime")
    if isinstance(ended, datetime) and _ended(ended, now):
        return False, ended
    # shadow(5): days since 1970; empty or negative is never, and what 0 means nobody agrees about.
    days = number(entry.text("shadowExpire"))
    if days == 0:
        return None, None
    if days is not None and 0 < days < 100_000:
        expires = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
        return (False, expires) if _ended(expires, now) else (True, None)
    return True, None


def _in_389ds(entry: Entry, now: datetime) -> Standing:
    if (entry.text("nsAccountLock") or "").lower() == "true":
        return False, None
    ended = said(entry, "krbPrincipalExpiration")
    if isinstance(ended, datetime) and _ended(ended, now):
        return False, ended
    return _in_openldap(entry, now)


_PERSON = {
    "username": ("uid", "cn"),
    "email": ("mail",),
    "display_name": ("displayName", "cn"),
    "employee_number": ("employeeNumber",),
    "created_at": ("createTimestamp",),
}
_MAY_SIGN_IN = (
    "(|(objectClass=person)(objectClass=posixAccount)(objectClass=account)(objectClass=simpleSecurityObject))"
)
_GROUPS = (
    "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)(objectClass=posixGroup))"
)

KINDS: Mapping[str, Kind] = {
    "active_directory": Kind(
        name="active_directory",
        # Computers, and with them managed accounts of groups, sign in by keys that nobody knows.
        accounts="(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=msDS-ManagedServiceAccount))",
        groups="(objectClass=group)",
        id=("objectGUID",),
        columns={
            "username": ("sAMAccountName", "userPrincipalName"),
            "email": ("mail",),
            "display_name": ("displayName", "cn"),
            "employee_number": ("employeeID", "employeeNumber"),
            "created_at": ("whenCreated",),
            "last_sign_in_at": ("lastLogonTimestamp",),
        },
        standing=_in_active_directory,
        needs=("userAccountControl", "accountExpires"),
        is_told="userAccountControl",
        members=("member",),
        primary=("primaryGroupID", "objectSid"),
        # msDS-LogonTimeSyncInterval: written only where the value before is older than 14 days, less up to 5 by chance.
        coarse={"lastlogontimestamp": 14},
    ),
    "openldap": Kind(
        name="openldap",
        accounts=_MAY_SIGN_IN,
        groups=_GROUPS,
        id=("entryUUID",),
        columns={**_PERSON, "last_sign_in_at": ("authTimestamp", "pwdLastSuccess")},
        standing=_in_openldap,
        needs=("pwdAccountLockedTime", "pwdEndTime", "shadowExpire"),
        names=("memberUid",),
        primary=("gidNumber", "gidNumber"),
    ),
    "389ds": Kind(
        name="389ds",
        accounts=_MAY_SIGN_IN,
        groups=_GROUPS,
        id=("entryUUID", "nsUniqueId"),
        columns={**_PERSON, "last_sign_in_at": ("lastLoginTime", "krbLastSuccessfulAuth")},
        standing=_in_389ds,
        needs=("nsAccountLock", "krbPrincipalExpiration", "pwdAccountLockedTime", "shadowExpire"),
        names=("memberUid",),
        primary=("gidNumber", "gidNumber"),
    ),
}
"""What a server calls itself -> how it is read."""
