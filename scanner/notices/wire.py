"""HTTP for notices: one origin, no redirects, bounded time and bytes, and no secret in what is told."""

import contextlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from scanner import __version__, secrets
from scanner.collectors import connecting
from scanner.collectors import origin as origins
from scanner.collectors.auth import headers as signed
from scanner.collectors.politeness import retry_after
from scanner.collectors.redact import Redactor
from scanner.collectors.refusal import refusal
from scanner.credentials import Secret
from scanner.errors import ConfigError, NoticeError, OrphanscanError
from scanner.notices.model import PassingError
from scanner.settings import Receiver

SECONDS = 15.0
"""For one request."""
_MOST_BYTES = 256 * 1024
_LASTING = frozenset({501, 505})


class GoneError(NoticeError):
    """There is nothing at this address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer."""

    status: int
    body: bytes

    def document(self) -> Mapping[str, object]:
        """Return the JSON object in the body; empty if there is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Wire:
    """Requests to the one origin of a receiver."""

    def __init__(self, receiver: Receiver, base: str, *, is_secret: bool) -> None:
        """Check the address; nothing is sent yet.

        Args:
            receiver: whose credential and certificates to use.
            base: in front of every path.
            is_secret: whether the address itself is a secret, and must not be told.
        """
        self._redactor = Redactor()
        if is_secret:
            # Host names are no secrets, and an error that names none helps nobody.
            self._redactor.add(urlsplit(base).path.strip("/"))
            self._redactor.add(urlsplit(base).query)
        where = f"the address of {receiver.id}"
        self._base = base.rstrip("/") if not is_secret else base
        address = base.partition("?")[0] if is_secret else base
        self._origin = origins.check(address, where, allow_http=False)
        self._auth = signed(receiver.auth, receiver.id, self._redactor)
        ca_file = str(receiver.ca_file) if receiver.ca_file else None
        self._client = connecting.client(self._origin, ca_file, self._redactor, has_secret=True)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def send(
        self, method: str, path: str = "", body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the successful answer; PassingError if it may succeed later, NoticeError if not."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        what = f"{method} to {self._origin}"
        sent = {"User-Agent": f"orphanscan/{__version__}", "Accept": "application/json"}
        if content is not None:
            sent["Content-Type"] = "application/json"
        until = time.monotonic() + SECONDS
        try:
            request = self._client.build_request(
                method,
                self._base + path,
                content=content,
                headers={**sent, **self._auth, **(headers or {})},
                timeout=httpx.Timeout(SECONDS),
            )
            with contextlib.closing(self._client.send(request, stream=True)) as response:
                body_ = b"".join(_bounded(response, until))
                return self._judged(response, body_, what)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._translated(error, what) from None

    def reach(self) -> str:
        """Connect and ask for nothing that changes anything; return the status in words, or raise as `send` does."""
        try:
            with contextlib.closing(
                self._client.send(
                    self._client.build_request("HEAD", f"{self._origin}/", timeout=httpx.Timeout(SECONDS)), stream=True
                )
            ) as response:
                return f"{self._origin} answers ({response.status_code})"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._translated(error, f"HEAD to {self._origin}") from None

    def _judged(self, response: httpx.Response, body: bytes, what: str) -> Answer:
        status = response.status_code
        if 200 <= status < 300:
            return Answer(status, body)
        if 300 <= status < 400:
            raise NoticeError(f"{what} is redirected; credentials are never sent elsewhere, so correct the address")
        said = str(refusal(status, body, what, self._redactor))
        if status in (408, 425, 429) or (status >= 500 and status not in _LASTING):
            raise PassingError(said, retry_after(response.headers.get("retry-after")))
        raise GoneError(said) if status in (404, 410) else NoticeError(said)

    def _translated(self, error: Exception, what: str) -> NoticeError:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return NoticeError(f"{what}: the certificate is not trusted; set ca_file for an authority of your own")
        said = self._redactor.text(str(error), 120)
        if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
            return NoticeError(f"{what} could not be sent: {said}")
        if isinstance(error, httpx.TimeoutException):
            return PassingError(f"{what} gave no full answer within {SECONDS:g} s")
        return PassingError(f"{what} could not be made: {said or 'the connection was closed'}")


def _bounded(response: httpx.Response, until: float) -> Iterator[bytes]:
    """Yield the first bytes of an answer; the rest is of no interest."""
    left = _MOST_BYTES
    for chunk in response.iter_raw():
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer took too long")
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def read(secret: Secret | None, receiver: Receiver) -> str:
    """Return a secret of a receiver; NoticeError if it cannot be read."""
    if secret is None:
        raise NoticeError(f"{receiver.id} names no secret")
    try:
        return secrets.read(secret)
    except OrphanscanError as error:
        raise NoticeError(str(error)) from None


@contextlib.contextmanager
def opened(receiver: Receiver, base: str, *, is_secret: bool) -> Iterator[Wire]:
    """Give the wire to a receiver; what is wrong with its settings is a NoticeError."""
    try:
        wire = Wire(receiver, base, is_secret=is_secret)
    except ConfigError as error:
        raise NoticeError(str(error)) from None
    with wire:
        yield wire


def seconds(asked: float | None, fallback: float) -> float:
    """Return how long to wait before the next attempt."""
    return fallback if asked is None or not math.isfinite(asked) else max(asked, 0.0)
