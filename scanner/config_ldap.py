"""The table of orphanscan.toml that says how a directory is read."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from scanner.config_auth import is_loopback
from scanner.config_keys import Key, Problems, boolean, list_of, one_of, text
from scanner.config_values import split_address

DIRECTORIES = ("active_directory", "openldap", "389ds")
_GLOBAL_CATALOG = (3268, 3269)


def ldap_url(value: object) -> str:
    """Accept the address of a directory; its errors never repeat it."""
    address = text(value)
    parts = split_address(address)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or re.search(r"\s", address):
        raise ValueError("must be a URL such as ldaps://dc1.acme.example")
    if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only; the rest has keys of its own")
    if parts.port in _GLOBAL_CATALOG:
        raise ValueError("must not be the global catalog, which holds a part of the attributes only")
    return address


def ldap_filter(value: object) -> str:
    """Accept the filter of a search."""
    said = text(value).strip()
    if not said.startswith("(") or not said.endswith(")"):
        raise ValueError('must be a filter in brackets, such as "(objectClass=person)"')
    return said


def check_ldap(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Demand an address, refuse to send a password in clear, and ways to sign in that directories do not know."""
    settings = raw.get("ldap", {})
    if not isinstance(settings, dict):
        return
    if "url" not in settings:
        problems.add(f"{where}.ldap.url", "missing; type ldap needs it")
    url = settings.get("url")
    parts = urlsplit(url) if isinstance(url, str) and re.match(r"ldaps?://[\w.-]+(:\d{1,5})?$", url) else None
    if parts is not None and parts.scheme == "ldaps" and settings.get("start_tls"):
        problems.add(f"{where}.ldap.start_tls", "does not apply to an ldaps:// address, which is encrypted anyway")
    is_plain = parts is not None and parts.scheme == "ldap" and not settings.get("start_tls")
    if parts is not None and is_plain and not raw.get("allow_http") and not is_loopback(parts.hostname or ""):
        problems.add(
            f"{where}.ldap.url",
            "ldap:// sends the password in clear; use ldaps://, or set start_tls = true, or allow_http = true",
        )
    auth = raw.get("auth")
    if isinstance(auth, dict) and auth.get("type") not in ("basic", "none"):
        problems.add(f"{where}.auth.type", "must be basic or none with this type")


def keys() -> dict[str, Key]:
    """Return the keys of `[application.ldap]`."""
    return {
        "url": Key(ldap_url),
        "start_tls": Key(boolean),
        "directory": Key(one_of(*DIRECTORIES)),
        "base": Key(text),
        "accounts": Key(ldap_filter),
        "groups_base": Key(text),
        "groups": Key(lambda value: value if value == "" else ldap_filter(value)),
        "elsewhere": Key(list_of(text)),
    }
