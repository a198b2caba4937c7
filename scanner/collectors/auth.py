"""How a source proves who it is: fixed headers, or a token of the OAuth 2 client credentials grant."""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from scanner import secrets
from scanner.collectors import origin
from scanner.collectors.redact import Redactor
from scanner.collectors.refusal import refusal
from scanner.config import Endpoint
from scanner.credentials import Auth, Secret
from scanner.errors import ConfigError, SourceError

Post = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]
"""(url, headers, form) -> status and body."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_OURS_TO_SET = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_EARLY_SECONDS = 30.0
_DEFAULT_LIFETIME = 3600.0


class Authorizer(Protocol):
    """Supplies the headers of a request."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry the credential."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Drop the credential that got a 401, unless it is replaced already; return whether to try again."""


def authorizer(app: Endpoint, redactor: Redactor, post: Post) -> Authorizer:
    """Read the secret of an application and return what signs its requests."""
    auth = app.auth
    if auth.type == "none":
        return _Fixed(dict, is_kept=False)
    if auth.secret is None:
        raise ConfigError(f"auth of {app.id} names no secret; add token_env, password_env or the like")
    if auth.type == "oauth2":
        origin.check(auth.token_url, f"token_url of {app.id}", allow_http=app.allow_http)
        return _ClientCredentials(auth, _read(auth.secret, redactor), redactor, post)
    # A file, a keyring or a command may give a fresh secret later, a variable never.
    return _Fixed(lambda: _signed(app, redactor), is_kept=auth.secret.kind != "env")


def _read(secret: Secret, redactor: Redactor) -> str:
    value = secrets.read(secret)
    redactor.add(value)
    return value


def _signed(app: Endpoint, redactor: Redactor) -> Mapping[str, str]:
    """Return the headers that carry the secret as it is now."""
    return headers(app.auth, app.id, redactor)


def headers(auth: Auth, owner: str, redactor: Redactor) -> Mapping[str, str]:
    """Return the headers of a credential that is sent as it is; none for the type none.

    Raises ConfigError if it cannot be read or sent; `owner` is the id that it names.
    """
    if auth.type == "none":
        return {}
    if auth.secret is None or auth.type not in ("bearer", "basic", "api_key", "header"):
        raise ConfigError(f"auth of {owner} has the unknown type {auth.type!r}")
    name = auth.header or "" if auth.type == "header" else "Authorization"
    if not _TOKEN.fullmatch(name) or name.lower() in _NOT_OURS_TO_SET:
        raise ConfigError(f"auth of {owner}: {name!r} cannot be the name of a header with a credential")
    secret = _read(auth.secret, redactor)
    if auth.type == "basic":
        return {name: _basic(auth.username or "", secret, redactor)}
    if auth.type == "api_key":
        return {name: _basic(secret, "x", redactor)}
    return {name: (f"{auth.scheme} " if auth.type == "bearer" else "") + _ascii(secret, owner)}


def _ascii(secret: str, app_id: str) -> str:
    if not secret.isascii():
        raise ConfigError(f"the secret of {app_id} holds a character that no HTTP header can carry")
    return secret


def _basic(username: str, password: str, redactor: Redactor) -> str:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    redactor.add(pair)
    return f"Basic {pair}"


class _Fixed:
    """Headers that stay until they are refused; then the secret may have been replaced where it is kept."""

    def __init__(self, read: Callable[[], Mapping[str, str]], *, is_kept: bool) -> None:
        self._read = read
        self._is_kept = is_kept
        self._headers = read()
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        if not self._is_kept:
            return False
        with self._lock:
            if refused == self._headers:
                try:
                    self._headers = self._read()
                except ConfigError:
                    return False  # what the server said is of more use
            return refused != self._headers


class _ClientCredentials:
    """RFC 6749, 4.4: one token for many requests, fetched again when it expires or is refused."""

    def __init__(self, auth: Auth, secret: str, redactor: Redactor, post: Post) -> None:
        self._auth = auth
        self._secret = secret
        self._redactor = redactor
        self._post = post
        self._token = ""
        self._expires = 0.0
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if not self._token or time.monotonic() >= self._expires:
                self._fetch()
            return self._carried()

    def renew(self, refused: Mapping[str, str]) -> bool:
        # Of several requests under way with the same token, the first to be refused has it fetched again.
        with self._lock:
            if refused == self._carried():
                self._token = ""
        return True

    def _carried(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _fetch(self) -> None:
        form = {"grant_type": "client_credentials"}
        if self._auth.scope:
            form["scope"] = self._auth.scope
        client_id = self._auth.client_id or ""
        basic = _basic(quote_plus(client_id), quote_plus(self._secret), self._redactor)
        status, body = self._send({"Authorization": basic}, form)
        if status in (400, 401):
            # Some servers only know client_id and client_secret in the body (RFC 6749, 2.3.1).
            status, body = self._send({}, {**form, "client_id": client_id, "client_secret": self._secret})
        if status != 200:
            raise refusal(status, body, "the token endpoint", self._redactor)
        self._token, lifetime = _token(body)
        self._redactor.add(self._token)
        self._expires = time.monotonic() + max(lifetime - _EARLY_SECONDS, lifetime / 2)

    def _send(self, headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, bytes]:
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self._post(self._auth.token_url or "", {**kind, **headers}, urlencode(form).encode())


def _token(body: bytes) -> tuple[str, float]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise SourceError("the token endpoint gave no access_token")
    if len(token) > 64 * 1024 or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceError("the token endpoint gave an access_token that no HTTP header can carry")
    try:
        lifetime = float(answer.get("expires_in", _DEFAULT_LIFETIME))
    except (TypeError, ValueError, OverflowError):
        lifetime = _DEFAULT_LIFETIME
    return token, lifetime if 0 < lifetime < 1e9 else _DEFAULT_LIFETIME
