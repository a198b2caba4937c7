"""What a server says about itself: hints only, as many servers leave it out, hide it or get it wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scanner.collectors.http import Session
from scanner.collectors.profiles import Profile
from scanner.collectors.redact import Redactor
from scanner.errors import SourceError

_MAX_BYTES = 1_000_000
_MAX_NUMBER = 10**9
_MAX_SCHEMES = 10
_SCHEME_LENGTH = 60
_ERROR = "urn:ietf:params:scim:api:messages:2.0:error"


@dataclass(frozen=True, slots=True)
class Hints:
    """ServiceProviderConfig as the server states it (RFC 7643 section 5, RFC 9865 section 4). None: it does not say."""

    path: str | None = None
    """Where it was found; None if nowhere."""
    filter: bool | None = None
    patch: bool | None = None
    bulk: bool | None = None
    etag: bool | None = None
    sort: bool | None = None
    max_results: int | None = None
    """Most rows of an answer to a filter."""
    auth_schemes: tuple[str, ...] = ()
    """Names of the ways to sign in; cut, and free of secrets."""
    cursor_paging: bool | None = None
    index_paging: bool | None = None
    default_paging: str | None = None
    """cursor or index."""
    default_page_size: int | None = None
    max_page_size: int | None = None
    cursor_timeout_seconds: int | None = None
    """How long a cursor lives between two requests."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The hints that decide how lists are read."""

    cursor: bool
    """Whether to begin with a cursor."""
    index: bool
    """False if the server says that it cannot page by index. The profile does not decide this: asking by index behind
    an only page is how a server that ignores cursors is found out."""
    max_page_size: int
    hints: Hints = field(default_factory=Hints)
    """All that it said, for people."""


def discover(session: Session, profile: Profile) -> Discovery:
    """Ask for ServiceProviderConfig; the profile answers where the server does not."""
    hints = Hints()
    for path in profile.discovery:
        config = _config(_document(session, path))
        if config is not None:
            hints = _hints(path, config, session.redactor)
            break
    sizes = (hints.max_page_size, hints.max_results, profile.max_page_size)
    return Discovery(
        cursor=profile.paging == "cursor" or (profile.paging == "discover" and hints.cursor_paging is True),
        index=hints.index_paging is not False,
        max_page_size=min(size for size in sizes if size),
        hints=hints,
    )


def offers_groups(session: Session) -> bool:
    """Return False only if /ResourceTypes answers and names no Group."""
    listed = _get(_document(session, "/ResourceTypes") or {}, "Resources")
    if not isinstance(listed, list) or not listed:
        return True
    texts = [
        str(one.get(key, "")).lower() for one in listed if isinstance(one, dict) for key in ("id", "name", "endpoint")
    ]
    return any(text.strip("/") in ("group", "groups") for text in texts)


def _document(session: Session, path: str) -> dict[str, Any] | None:
    """Return the JSON object at a path; None if there is none, or one that is too large for a hint."""
    try:
        # No retries: a hint is not worth a minute.
        body = session.get(path, retries=0).body
        document = json.loads(body) if len(body) <= _MAX_BYTES else None
    except (SourceError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _config(document: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the configuration in an answer: SCIM 1.1 may wrap it in a list, and an error may come with status 200."""
    if document is None:
        return None
    listed = _get(document, "Resources")
    if isinstance(listed, list):
        return listed[0] if len(listed) == 1 and isinstance(listed[0], dict) else None
    schemas = _get(document, "schemas")
    is_error = isinstance(schemas, list) and any(str(one).lower() == _ERROR for one in schemas)
    return None if is_error else document


def _hints(path: str, config: Mapping[str, Any], redactor: Redactor) -> Hints:
    pagination = _object(config, "pagination")
    default = str(_get(pagination, "defaultPaginationMethod")).lower()
    return Hints(
        path=path,
        filter=_flag(_get(_object(config, "filter"), "supported")),
        patch=_flag(_get(_object(config, "patch"), "supported")),
        bulk=_flag(_get(_object(config, "bulk"), "supported")),
        etag=_flag(_get(_object(config, "etag"), "supported")),
        sort=_flag(_get(_object(config, "sort"), "supported")),
        max_results=_number(_get(_object(config, "filter"), "maxResults")),
        auth_schemes=_schemes(_get(config, "authenticationSchemes"), redactor),
        cursor_paging=_flag(_get(pagination, "cursor")),
        index_paging=_flag(_get(pagination, "index")),
        default_paging=default if default in ("cursor", "index") else None,
        default_page_size=_number(_get(pagination, "defaultPageSize")),
        max_page_size=_number(_get(pagination, "maxPageSize")),
        cursor_timeout_seconds=_number(_get(pagination, "cursorTimeout")),
    )


def _schemes(value: object, redactor: Redactor) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    names = []
    for one in listed[:_MAX_SCHEMES]:
        name = (_get(one, "name") or _get(one, "type")) if isinstance(one, dict) else one
        if isinstance(name, str) and (shown := redactor.text(name, _SCHEME_LENGTH)):
            names.append(shown)
    return tuple(dict.fromkeys(names))


def _flag(value: object) -> bool | None:
    """Return a boolean, also one that is spelled as text; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _number(value: object) -> int | None:
    """Return a positive whole number that can be one of rows or seconds, also one spelled as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = float(value[:20])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 1 <= value <= _MAX_NUMBER else None


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = _get(document, key)
    return found if isinstance(found, dict) else {}


def _get(document: Mapping[str, Any], key: str) -> Any:
    """Return the value of an attribute, whose name compares without case (RFC 7643 section 2.1); None without one."""
    if key in document:
        return document[key]
    return next((value for name, value in document.items() if name.lower() == key.lower()), None)
