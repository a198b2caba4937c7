"""One application while it is changed: read with the credential for reading, changed with the one for writing."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from scanner import bindings
from scanner.collectors import politeness, profiles
from scanner.collectors.discovery import discover
from scanner.collectors.http import Answer, HttpError, Session
from scanner.config import Application, Config
from scanner.errors import ConfigError, RefusedError, SourceError

Resource = Mapping[str, Any]
_GONE = (404, 410)
_R = TypeVar("_R", bound="Reader")


@contextmanager
def connected(config: Config, names: Iterable[str]) -> Iterator[dict[str, "Server"]]:
    """Open the servers of these applications, by name, to be changed.

    RefusedError before anything is sent if one is no longer in the configuration, or if a secret would go to an
    origin that it is not bound to.
    """
    with _opened(config, names, Server) as servers:
        yield servers


@contextmanager
def looked_at(config: Config, names: Iterable[str]) -> Iterator[dict[str, "Reader"]]:
    """Open the servers of these applications, by name, to be read; RefusedError as above."""
    with _opened(config, names, Reader) as readers:
        yield readers


@contextmanager
def _opened(config: Config, names: Iterable[str], kind: Callable[[Application], _R]) -> Iterator[dict[str, _R]]:
    apps = {app.id: app for app in config.applications}
    refusals = bindings.refusals(config)
    with ExitStack() as stack:
        servers: dict[str, _R] = {}
        for name in sorted(set(names)):
            if name not in apps:
                raise RefusedError(f"{name} is no longer in the configuration: make a new plan")
            if name in refusals:
                raise RefusedError(f"{name}: {refusals[name]}")
            servers[name] = kind(apps[name])
            stack.enter_context(servers[name])
        yield servers


class Reader:
    """An application that is only read; a context manager."""

    def __init__(self, app: Application) -> None:
        """Read the secret; nothing is sent yet."""
        self.app = app
        self.profile = profiles.load(app.profile)
        self._reading = Session(app, self.profile.requests_per_minute)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._reading)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def user(self, account_id: str) -> Resource | None:
        """Return a user as the server shows it now; None if it is not there. SourceError if that cannot be told."""
        return self._resource(f"/Users/{quote(account_id, safe='')}", account_id)

    def group(self, group_id: str) -> Resource | None:
        """Return a group with its members, as above."""
        return self._resource(f"/Groups/{quote(group_id, safe='')}", group_id)

    def _resource(self, path: str, identifier: str) -> Resource | None:
        try:
            answer = self._reading.get(path)
        except HttpError as error:
            if error.status in _GONE:
                return None
            raise
        document = _document(self._reading, answer)
        if str(document.get("id")) != identifier:
            raise SourceError(f"GET {path} was answered with another resource")
        return document


class Server(Reader):
    """An application that is changed: both sessions."""

    def __init__(self, app: Application) -> None:
        """Read both secrets; nothing is sent yet."""
        if app.write is None:
            raise ConfigError(f"{app.id} has no [application.write]; nothing may be written there")
        super().__init__(app)
        self.settle_seconds = app.write.settle_seconds
        self._writing = Session(replace(app, auth=app.write.auth), self.profile.requests_per_minute)
        self._knows_versions: bool | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        self._stack.enter_context(self._writing)
        return self

    def own_accounts(self) -> frozenset[str]:
        """Return the ids of the accounts behind both credentials, where the server tells (RFC 7644, 3.11)."""
        found = set()
        for session in (self._reading, self._writing):
            with suppress(SourceError):
                document = _document(session, session.get("/Me", retries=0))
                found |= {str(document["id"])} if "id" in document else set()
        return frozenset(found)

    def version(self, resource: Resource | None) -> str | None:
        """Return meta.version, for If-Match; None where there is none, or where the server says that it ignores it."""
        meta = resource.get("meta") if resource else None
        found = meta.get("version") if isinstance(meta, Mapping) else None
        if not (isinstance(found, str) and found.isascii() and found.isprintable() and found):
            return None
        if self._knows_versions is None:
            self._knows_versions = discover(self._reading, self.profile).hints.etag is not False
        return found if self._knows_versions else None

    def send(self, method: str, url: str, body: Mapping[str, Any] | None, if_match: str | None) -> Answer:
        """Send a change once; see Session.send."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self._writing.send(method, url, content, if_match)

    def said(self, answer: Answer) -> str:
        """Return the server's own words of a refusal, without secrets."""
        try:
            document = json.loads(answer.body)
            words = document.get("detail") or document.get("scimType") or ""
        except (ValueError, AttributeError, RecursionError):
            words = answer.body[:200].decode("utf-8", "replace")
        return self._writing.redactor.text(str(words), 160)

    def pause_of(self, answer: Answer) -> float:
        """Return the seconds that the server asks to wait; 1 where it does not say."""
        asked = politeness.retry_after(answer.headers.get("retry-after"))
        if asked is None:
            asked = politeness.reset_in(answer.headers)
        return 1.0 if asked is None else asked

    @property
    def remaining(self) -> float:
        """Seconds left for this application."""
        return self._writing.remaining


def active(resource: Resource | None) -> bool | None:
    """Return whether a user is active, in the spellings that servers use; None: not said."""
    for name, value in (resource or {}).items():
        if name.casefold() == "active":
            return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().casefold())
    return None


def members(resource: Resource | None) -> dict[str, Any]:
    """Return member id -> element of a group."""
    return elements(resource, "members")


def elements(resource: Resource | None, attribute: str) -> dict[str, Any]:
    """Return value -> element of a multi-valued attribute whose elements are objects or bare strings."""
    for name, items in (resource or {}).items():
        if name.casefold() == attribute and isinstance(items, list):
            return {
                str(item["value"] if isinstance(item, Mapping) else item): item for item in items if _has_value(item)
            }
    return {}


def _has_value(item: object) -> bool:
    return isinstance(item, str) or (isinstance(item, Mapping) and item.get("value") is not None)


def _document(session: Session, answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(session.redactor.body(answer.body).decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SourceError("the answer is no JSON object")
    return document
