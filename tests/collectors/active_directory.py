"""Entries of Active Directory as LDIF."""

import base64
import struct
import uuid
from datetime import UTC, datetime

from rig_directories import GROUPS, PEOPLE
from slapd import BASE

DOMAIN = (21, 1, 2, 3)
NEVER = str(0x7FFF_FFFF_FFFF_FFFF)


def filetime(moment: datetime) -> str:
    """Return an instant as Active Directory writes it."""
    return str(int((moment - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000)


def security_id(last: int) -> bytes:
    """Return the identifier of an account or group of the domain."""
    parts = (*DOMAIN, last)
    return bytes([1, len(parts)]) + (5).to_bytes(6, "big") + struct.pack(f"<{len(parts)}I", *parts)


def ad_entry(name: str, place: str, classes: list[str], number: int, **more: str | list[str]) -> str:
    """Return an entry of Active Directory as LDIF."""
    values: dict[str, str | list[str]] = {
        "objectClass": ["top", *classes, "extensibleObject"],
        "cn": name,
        "instanceType": "4",
        "nTSecurityDescriptor": "x",
        "objectCategory": f"cn=person,{BASE}",
        "sAMAccountName": name,
        **more,
    }
    lines = [f"dn: cn={name},{place}", f"objectGUID:: {base64.b64encode(uuid.UUID(int=number).bytes_le).decode()}"]
    lines.append(f"objectSid:: {base64.b64encode(security_id(number)).decode()}")
    for attribute, said in values.items():
        lines += [f"{attribute}: {value}" for value in ([said] if isinstance(said, str) else said)]
    return "\n".join(lines) + "\n\n"


def ad_user(name: str, number: int, **more: str | list[str]) -> str:
    """Return a user that may sign in, unless told otherwise."""
    usual = {"sn": name, "userAccountControl": "512", "accountExpires": NEVER, "primaryGroupID": "513"}
    return ad_entry(name, PEOPLE, ["user"], number, **{**usual, **more})


def ad_group(name: str, number: int, *members: str, kind: str = "-2147483646", **more: str) -> str:
    """Return a group, of users by name and groups as group:name; one that gives rights, unless told otherwise."""
    named = [f"cn={one[6:]},{GROUPS}" if one.startswith("group:") else f"cn={one},{PEOPLE}" for one in members]
    return ad_entry(name, GROUPS, ["group"], number, groupType=kind, **({"member": named} if named else {}), **more)
