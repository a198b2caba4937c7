"""Compares distinguished names, which have many spellings (RFC 4514)."""

import re

_ODD = re.compile(r'[\\"+#]|\s,|,\s|\s=|=\s|^\s|\s$|\s\s')


def key(name: str) -> int:
    """Return a number that is the same for all spellings of a distinguished name; 64 bits, so never by accident."""
    return hash(_plain(name))


def same(one: str, other: str) -> bool:
    """Return whether two distinguished names are the same."""
    return _plain(one) == _plain(other)


def is_within(name: str, place: str) -> bool:
    """Return whether a distinguished name is a place, or lies below it."""
    return f",{_plain(name)}".endswith(f",{_plain(place)}")


def first_value(name: str) -> str:
    """Return the value that a distinguished name begins with, such as Admins of cn=Admins,dc=x."""
    import ldap.dn

    try:
        return str(ldap.dn.str2dn(name)[0][0][1])
    except (ldap.DECODING_ERROR, IndexError, ValueError):
        return name


def _plain(name: str) -> str:
    if not _ODD.search(name):
        return name.lower()
    import ldap.dn

    try:
        parts = ldap.dn.str2dn(name)
    except (ldap.DECODING_ERROR, ValueError):
        return name.lower()
    plain = [sorted((kind.lower(), " ".join(value.split()).lower(), 1) for kind, value, _ in part) for part in parts]
    return str(ldap.dn.dn2str(plain)).lower()
