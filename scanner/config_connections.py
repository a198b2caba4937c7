"""The tables of orphanscan.toml that say how applications without SCIM are read."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scanner import config_ldap, config_rest
from scanner.config_keys import Key, Problems, boolean, map_of, number, one_of, text
from scanner.config_values import delimiter, encoding, of_form, split_address
from scanner.connections import (
    DatabaseSettings,
    FileSettings,
    GithubSettings,
    LdapSettings,
    ProviderSettings,
    RestSettings,
)

MAKE: Mapping[str, Callable[..., object]] = {
    "file": FileSettings,
    "database": DatabaseSettings,
    "rest": RestSettings,
    "ldap": LdapSettings,
    "provider": ProviderSettings,
    "github": GithubSettings,
}
"""Name of the table -> the value that it is read into."""


def keys() -> dict[str, dict[str, Key]]:
    """Return the keys of each table."""
    return {
        "file": _FILE,
        "database": _DATABASE,
        "rest": config_rest.keys(),
        "ldap": config_ldap.keys(),
        "provider": _PROVIDER,
        "github": {"organization": Key(_ORGANIZATION, required=True)},
    }


DATABASES = ("postgresql", "mysql", "mssql", "oracle")


def pattern_of_total(value: object) -> str:
    """Accept a regular expression that finds one number."""
    pattern = text(value)
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f'needs one group for the number, such as "TRAILER (\\\\d+)"; it has {groups}')
    return pattern


def select(value: object) -> str:
    """Accept one statement that reads, over as many lines as it likes."""
    text(re.sub(r"[\t\r\n]", " ", value) if isinstance(value, str) else value)
    statement = str(value).strip().rstrip(";").rstrip()
    if not re.match(r"(?is)(\s|--[^\n]*\n|/\*.*?\*/)*(select|with)\b", statement):
        raise ValueError("must begin with select or with")
    return statement


def database_url(value: object) -> str:
    """Accept the address of a database without name and password; its errors never repeat it."""
    address = text(value)
    parts = split_address(address)
    if parts.scheme not in DATABASES or not parts.hostname:
        raise ValueError(f"must be a URL such as postgresql://db.example/erp; known: {', '.join(DATABASES)}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not hold a name, password or options; use auth for the first two")
    return address


def check_database(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Demand what a database is asked, and refuse ways to sign in that it does not know."""
    settings = raw.get("database", {})
    if not isinstance(settings, dict):
        return
    if raw["type"] == "database" and "url" not in settings:
        problems.add(f"{where}.database.url", "missing; type database needs it")
    if raw["type"] == "sqlite" and "url" in settings:
        problems.add(f"{where}.database.url", "does not apply to type sqlite; use path")
    if not {"accounts", "profile"} & set(settings):
        problems.add(f"{where}.database.accounts", "missing; without a profile, somebody must say what is asked")
    auth = raw.get("auth")
    if isinstance(auth, dict) and auth.get("type") not in ("basic", "none"):
        problems.add(f"{where}.auth.type", "must be basic or none with this type")


_PROFILES = Path(__file__).parent / "collectors" / "database_profiles"
_DATABASE = {
    "url": Key(database_url),
    "profile": Key(one_of(*(file.stem for file in sorted(_PROFILES.glob("*.toml"))))),
    "accounts": Key(select),
    "grants": Key(select),
    "entitlements": Key(select),
    "count": Key(select),
    "statement_seconds": Key(number(1, 86_400)),
}
_ORGANIZATION = of_form(
    r"[A-Za-z0-9][A-Za-z0-9_-]*", "must be the name of an organisation, as it stands in its address"
)
_PROVIDER = {
    "applications": Key(map_of(text)),
    "mfa": Key(boolean),
    "sign_in_days": Key(number(0, 400, whole=True)),
}
_FILE = {
    "delimiter": Key(delimiter),
    "encoding": Key(encoding),
    "sheet": Key(text),
    "header_row": Key(number(1, 10_000, whole=True)),
    "records": Key(text),
    "newest_by": Key(one_of("modified", "name")),
    "done_marker": Key(boolean),
    "stable_seconds": Key(number(0, 600)),
    "max_age_hours": Key(number(0.1, 87_600)),
    "min_rows": Key(number(1, 100_000_000, whole=True)),
    "control_total": Key(pattern_of_total),
    "expected_rows": Key(number(0, 1_000_000_000, whole=True)),
}


def check_rest(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Demand the column that is the id of an account, and what the way of paging needs."""
    columns = raw.get("columns")
    if isinstance(columns, dict) and not {"account_id", "username", "email"} & set(columns):
        problems.add(f"{where}.columns", "must say where the id of an account is: account_id, username or email")
    config_rest.check(raw.get("rest"), f"{where}.rest", problems)


def check_rest_roster(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Demand what the way of paging needs."""
    config_rest.check(raw.get("rest"), f"{where}.rest", problems)


WORKDAY_UNUSED = tuple(sorted({*config_rest.list_keys()} - {"path", "query"}))
"""Keys of a list that a report of Workday has no use for."""
