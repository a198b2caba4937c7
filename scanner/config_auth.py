"""Addresses and the `auth` table of an application: where it is reached, and where its secret lies."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scanner.config_keys import Key, Problems, join, list_of, one_of, path_from, read_table, text
from scanner.config_values import of_form, split_address
from scanner.credentials import Auth, Secret

CLEAR = ("token", "password", "client_secret", "value", "secret", "api_key", "key", "bearer")
"""Keys under which people write secrets in clear."""

_HTTP_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
"""A token of RFC 9110, 5.6.2."""
_SECRETS = {"bearer": "token", "basic": "password", "oauth2": "client_secret", "header": "value", "api_key": "key"}


def url(value: object) -> str:
    """Accept an http or https address without credentials, query or fragment."""
    # What is wrong is told without the address: it may hold a password.
    address = text(value)
    parts = split_address(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\\]", address):
        raise ValueError("must be a URL such as https://crm.example/scim/v2")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password; use auth")
    if "#" in address:
        raise ValueError("must not hold a fragment (#...)")
    if "?" in address:
        raise ValueError("must not hold a query (?...)")
    return address


def is_plain_http(address: object) -> bool:
    """Return whether this is an http address of another machine."""
    if not isinstance(address, str) or not address.lower().startswith("http:"):
        return False
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return not is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return whether a host name is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")


def read_secret(raw: object, where: str, base: Path, problems: Problems) -> Secret | None:
    """Return the reference that a table such as {env = "CHAT_URL"} holds, or None with the reasons in `problems`."""
    forms = _references(base)
    if not isinstance(raw, dict):
        problems.add(where, f"a secret never stands in this file; name where it lies, with one of {', '.join(forms)}")
        return None
    mark = len(problems.lines)
    values = read_table(raw, {name: Key(check) for name, check in forms.items()}, where, problems)
    if len(problems.lines) == mark and len(values) != 1:
        problems.add(where, f"needs {'only one' if values else 'one'} of {', '.join(forms)}")
    return Secret(*values.popitem()) if len(problems.lines) == mark else None


def read_auth(raw: Mapping[str, Any], where: str, base: Path, problems: Problems) -> Auth | None:
    """Return the way to sign in that an `auth` table describes, or None with the reasons in `problems`."""
    mark = len(problems.lines)
    kind = raw.get("type")
    stem = _SECRETS.get(kind, "") if isinstance(kind, str) else ""
    forms = {f"{stem}_{form}": check for form, check in _references(base).items()} if stem else {}
    known = isinstance(kind, str) and kind in ("none", *_SECRETS)
    clear = [name for name in raw if name in CLEAR]
    for name in clear:
        advice = ", ".join(f"{stem or name}_{form}" for form in _references(base))
        problems.add(join(where, name), f"a secret never stands in this file; use one of {advice}")
    rest = {name: value for name, value in raw.items() if name not in clear}
    if not known:
        # Without the type nobody can say which other keys belong here.
        rest = {name: value for name, value in rest.items() if name == "type"}
    keys = (
        {"type": Key(one_of("none", *_SECRETS), required=True)}
        | ({"acknowledged_origins": Key(list_of(_origin))} if stem else {})
        | _auth_keys(kind)
        | {n: Key(c) for n, c in forms.items()}
    )
    values = read_table(rest, keys, where, problems)
    given = [name for name in forms if name in raw]
    if stem and not clear and len(given) != 1:
        problems.add(where, f"needs {'only one' if given else 'one'} of {', '.join(forms)}")
    if len(problems.lines) > mark:
        return None
    secret = Secret(given[0].removeprefix(f"{stem}_"), values[given[0]]) if given else None
    return Auth(
        kind if isinstance(kind, str) else "none",
        secret,
        username=values.get("username"),
        header=values.get("name"),
        token_url=values.get("token_url"),
        client_id=values.get("client_id"),
        scope=values.get("scope"),
        scheme=values.get("scheme", "Bearer"),
        acknowledged_origins=values.get("acknowledged_origins", ()),
    )


def _auth_keys(kind: object) -> dict[str, Key]:
    """Return the keys, besides type and secret, of one way to sign in."""
    match kind:
        case "bearer":
            return {"scheme": Key(_SCHEME)}
        case "basic":
            return {"username": Key(text, required=True)}
        case "oauth2":
            return {
                "token_url": Key(url, required=True),
                "client_id": Key(text, required=True),
                "scope": Key(text),
            }
        case "header":
            return {"name": Key(_HEADER, required=True)}
        case _:
            return {}


def secret_keys(stem: str, base: Path) -> dict[str, Key]:
    """Return the keys by which a table may name a secret, such as token_env and token_file."""
    return {f"{stem}_{form}": Key(check) for form, check in _references(base).items()}


def take_secret(stem: str, values: dict[str, Any], where: str, problems: Problems) -> Secret | None:
    """Take the reference to a secret out of the checked values of a table; None if there is none."""
    given = [name for name in (f"{stem}_{form}" for form in ("env", "file", "keyring", "command")) if name in values]
    found = [Secret(name.removeprefix(f"{stem}_"), values.pop(name)) for name in given]
    if len(found) > 1:
        problems.add(where, f"needs only one of {', '.join(given)}")
    return found[0] if found else None


def _references(base: Path) -> dict[str, Callable[[object], str | tuple[str, ...]]]:
    """Return the forms in which a secret is named. Their errors never repeat the value: it may be the secret."""
    resolve = path_from(base)

    def file(value: object) -> str:
        return str(resolve(value))

    def keyring(value: object) -> str:
        service, _, user = text(value).partition("/")
        if not service or not user:
            raise ValueError('must be "service/user", as stored in the keyring')
        return text(value)

    def command(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise ValueError('must be a list of words such as ["pass", "show", "crm"]; no shell reads it')
        program, *rest = value
        return (str(resolve(program)) if os.sep in program else program, *rest)

    return {"env": _VARIABLE, "file": file, "keyring": keyring, "command": command}


def _origin(value: object) -> str:
    address = text(value)
    if re.fullmatch(r"(postgresql|mysql|mssql|oracle|ldaps?)://[^/?#@\s]+", address):
        return address
    if urlsplit(url(address)).path not in ("", "/"):
        raise ValueError("must be scheme, host and port only, such as https://crm.example")
    return address


_VARIABLE = of_form(
    r"[A-Za-z_][A-Za-z0-9_]*",
    "must be the name of an environment variable, such as CRM_TOKEN; not the secret itself",
)
_SCHEME = of_form(_HTTP_WORD, "must be one word, such as SSWS; the token itself stands elsewhere")
_HEADER = of_form(_HTTP_WORD, "must be the name of an HTTP header, such as X-API-Key")
