"""One seam around httpx: deadlines, byte limits, retries, redirects and redaction live here and nowhere else."""

import contextlib
import logging
import random
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from scanner import __version__
from scanner.collectors import connecting, politeness
from scanner.collectors import origin as origins
from scanner.collectors.auth import Authorizer, authorizer
from scanner.collectors.decompress import ACCEPT_ENCODING, CutError, bounded, inflated
from scanner.collectors.origin import Origin
from scanner.collectors.profiles import Rates
from scanner.collectors.redact import Redactor
from scanner.collectors.refusal import HttpError, refusal
from scanner.config import Endpoint, Limits
from scanner.errors import ConfigError, SourceError

BACKOFF_SECONDS = 0.5
"""The first pause before a retry; each further one is twice as long, give or take a random share."""
MAX_BACKOFF_SECONDS = 30.0
_MAX_REDIRECTS = 5
_MAX_ERROR_BYTES = 64 * 1024
_LASTING = frozenset({501, 505})
"""Errors of a server that will be the same the next time; its others may pass, as may 429."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "application/scim+json, application/json;q=0.9"

# Their messages hold URLs, cursors and answered headers.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent, as sent: pass `body` through the session's redactor before keeping any of it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class _TransientError(Exception):
    """Worth another attempt."""

    def __init__(
        self,
        sentence: str,
        retry_after: float | None = None,
        said: str = "",
        *,
        answer: Answer | None = None,
        was_sent: bool = True,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after = retry_after
        self.said = f'; the server says "{said}"' if said else ""
        self.answer = answer
        """What the server answered; None if it did not."""
        self.was_sent = was_sent
        """Whether the request may have reached the server."""


class UnansweredError(SourceError):
    """A change was sent and not answered in full: whether it was made has to be read from the server."""


class Session:
    """All requests of one source, from any thread: a deadline, a credential, one origin beside the token endpoint."""

    def __init__(
        self,
        app: Endpoint,
        rates: Rates = Rates(),  # noqa: B008  # it is frozen
        accept: str = _ACCEPT,
    ) -> None:
        """Check the address and read the secret; nothing is sent yet. `rates` is what the vendor's documents allow."""
        self.limits: Limits = app.limits
        self._accept = accept
        self.redactor = Redactor()
        self._base = (app.base_url or "").rstrip("/")
        self._origin = origins.check(app.base_url, f"base_url of {app.id}", allow_http=app.allow_http)
        self._ca_file = str(app.ca_file) if app.ca_file else None
        self._rates = rates
        self._has_secret = app.auth.secret is not None
        self._deadline = time.monotonic() + app.limits.max_seconds
        self._clients: dict[Origin, httpx.Client] = {}
        self._opening = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._watchdog = threading.Timer(app.limits.max_seconds, self._cut)
        self._watchdog.daemon = True
        self._auth: Authorizer = authorizer(app, self.redactor, self._post)

    def __enter__(self) -> "Session":
        self._watchdog.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._watchdog.cancel()
        for client in self._clients.values():
            client.close()

    @property
    def remaining(self) -> float:
        """Seconds until the deadline of this source."""
        return self._deadline - time.monotonic()

    def get(self, target: str, *, retries: int | None = None) -> Answer:
        """Return the successful answer to GET of a path and query below base_url, or raise SourceError."""
        return self._ask("GET", self._base + target, retries, None)

    def follow(self, url: str) -> Answer:
        """Return the successful answer to GET of an address that a server sent; SourceError for another origin."""
        return self._ask("GET", self._kept(url), None, None)

    def query(self, target: str, content: bytes) -> Answer:
        """Return the successful answer to a POST below base_url that reads, such as GraphQL; or raise SourceError."""
        return self._ask("POST", self._base + target, None, content)

    def linked(self, target: str, link: str) -> str:
        """Return the address of a link in the answer to `target`; SourceError where it leads to another origin."""
        try:
            return self._kept(urljoin(self._base + target if target.startswith("/") else target, link))
        except ValueError:
            raise SourceError(f"GET {self._shown(target)} links to an address that is no URL") from None

    def _kept(self, url: str) -> str:
        if origins.of(url) != self._origin or "@" in urlsplit(url).netloc:
            there = self.redactor.text(str(origins.of(url) or "an address that is no URL"))
            raise SourceError(f"a link leads to {there}; credentials stay with {self._origin}")
        return url

    def _shown(self, url: str) -> str:
        """Return the path of an address: what stands behind it may be a cursor."""
        return self.redactor.text(url.removeprefix(self._base).partition("?")[0])

    def _ask(self, method: str, url: str, retries: int | None, content: bytes | None) -> Answer:
        what = f"{method} {self._shown(url)}"
        kind = {} if content is None else {"Content-Type": "application/json"}
        carried = self._auth.headers()
        answer = self._persist(method, url, what, retries, {**kind, **carried}, content)
        if answer.status == 401 and self._auth.renew(carried):
            answer = self._persist(method, url, what, retries, {**kind, **self._auth.headers()}, content)
        if not 200 <= answer.status < 300:
            raise refusal(answer.status, answer.body, what, self.redactor)
        return answer

    def send(self, method: str, url: str, content: bytes | None, if_match: str | None) -> Answer:
        """Send a change to an address of the origin once, and return the answer, whatever its status.

        Nothing is repeated, but for a 401 that a new token may cure: it says that nothing was done. Raises
        UnansweredError where the change may have been made, SourceError where it was not.
        """
        if origins.of(url) != self._origin:
            raise SourceError(f"{method} would leave {self._origin}; credentials are never sent elsewhere")
        what = f"{method} {url.removeprefix(self._base)}"
        extra = {"If-Match": if_match} if if_match else {}
        if content is not None:
            extra["Content-Type"] = "application/scim+json"
        for _ in range(2):
            carried = self._auth.headers()
            try:
                answer = self._follow(method, url, what, {**carried, **extra}, content)
            except _TransientError as error:
                if error.answer is not None:
                    return error.answer
                kind = UnansweredError if error.was_sent else SourceError
                raise kind(error.sentence) from None
            if answer.status != 401 or not self._auth.renew(carried):
                break
        return answer

    def _post(self, url: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        """Send a form to the token endpoint."""
        answer = self._persist("POST", url, "the token endpoint", None, headers, content)
        return answer.status, answer.body

    def _persist(
        self,
        method: str,
        url: str,
        what: str,
        retries: int | None,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Answer:
        """Repeat a request until it is answered, the retries are spent or the time is over."""
        budget = self.limits.retries if retries is None else retries
        attempt = 0
        while True:
            try:
                return self._follow(method, url, what, headers, content)
            except _TransientError as error:
                if error.retry_after is not None:
                    politeness.gate(self._at(url)).pause(error.retry_after)
                self._pause(attempt, budget, error)
            attempt += 1

    def _pause(self, attempt: int, budget: int, error: _TransientError) -> None:
        if attempt >= budget:
            tries = "" if attempt == 0 else f"; gave up after {attempt + 1} attempts"
            raise SourceError(f"{error.sentence}{tries}{error.said}") from None
        jitter = random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, protects nothing
        wait = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2.0**attempt) * jitter
        if error.retry_after is not None:
            wait += error.retry_after
            if wait >= self.remaining:
                raise SourceError(
                    f"{error.sentence} and asks to wait {error.retry_after:,.0f} s, "
                    f"longer than the {max(self.remaining, 0):,.0f} s left for this source{error.said}"
                ) from None
        if wait >= self.remaining:
            raise SourceError(f"{error.sentence}; {self._too_late()}{error.said}") from None
        time.sleep(wait)

    def _follow(self, method: str, url: str, what: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Send a request and follow redirects within the origin, so that a credential never leaves it."""
        origin = origins.of(url)
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._send(method, url, what, headers, content)
            if answer.status not in _REDIRECTS:
                return answer
            target = urljoin(url, answer.headers.get("location", ""))
            there = origins.of(target)
            if there is None or there != origin:
                where = f"another origin, {self.redactor.text(str(there))}" if there else "an address that is no URL"
                raise SourceError(f"{what} redirects to {where}; credentials are never sent there, check the address")
            if method != "GET" and answer.status not in (307, 308):
                raise SourceError(f"{what} redirects a {method}, check the address")
            url = target
        raise SourceError(f"{what} redirects more than {_MAX_REDIRECTS} times")

    def _send(self, method: str, url: str, what: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        if self.remaining <= 0:
            raise SourceError(self._too_late())
        gate = politeness.gate(self._at(url))
        with gate.passing(self.limits.parallel, self._limited(method, url), self._deadline):
            return self._exchange(gate, method, url, what, headers, content)

    def _exchange(
        self,
        gate: politeness.Gate,
        method: str,
        url: str,
        what: str,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer:
        allowed = min(self.limits.timeout_seconds, self.remaining)
        until = time.monotonic() + allowed
        client = self._client(url)
        sent = {"Accept": self._accept, "Accept-Encoding": ACCEPT_ENCODING, "User-Agent": f"orphanscan/{__version__}"}
        try:
            request = client.build_request(
                method,
                url,
                headers={**sent, **headers},
                content=content,
                timeout=httpx.Timeout(allowed),
                extensions={"trace": self._trace},
            )
        except httpx.InvalidURL:
            raise SourceError(f"{what} has no address that can be used, check base_url") from None
        try:
            with contextlib.closing(client.send(request, stream=True)) as response:
                headers, status = response.headers, response.status_code
                if status == 429 or (status >= 500 and status not in _LASTING):
                    asked = politeness.retry_after(headers.get("retry-after"))
                    answer = self._read(response, until)
                    said = refusal(status, answer.body, what, self.redactor).said
                    wait = politeness.reset_in(headers) if asked is None else asked
                    raise _TransientError(f"{what} answered {status}", wait, said, answer=answer)
                if (rest := politeness.rest_after(headers, self.limits.rate_share)) is not None:
                    gate.pause(rest)
                return self._read(response, until)
        except (httpx.HTTPError, httpx.InvalidURL, CutError, OSError) as error:
            if self.remaining <= 0:
                raise SourceError(self._too_late()) from None
            raise self._translated(error, what) from None

    def _read(self, response: httpx.Response, until: float) -> Answer:
        def chunks() -> Iterator[bytes]:
            for chunk in response.iter_raw():
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer took too long")
                yield chunk

        pieces = inflated(chunks(), response.headers.get("content-encoding", ""))
        if 200 <= response.status_code < 300:
            body = b"".join(bounded(pieces, self.limits.max_page_bytes))
        else:
            # Only the first words of an error are of interest, and a broken error page must not hide its status.
            body = b""
            with contextlib.suppress(httpx.HTTPError, CutError, SourceError):
                for piece in pieces:
                    body += piece
                    if len(body) > _MAX_ERROR_BYTES:
                        break
        return Answer(response.status_code, body, dict(response.headers))

    def _translated(self, error: Exception, what: str) -> Exception:
        said = self.redactor.text(str(error), 120)
        if isinstance(error, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return SourceError(f"{what}: the certificate is not trusted; set ca_file for an authority of your own")
        if isinstance(error, httpx.InvalidURL) or "location header" in str(error):
            return SourceError(f"{what} redirects to an address that is no URL")
        if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
            return SourceError(f"{what} could not be sent: {said}")
        if isinstance(error, httpx.TimeoutException):
            return _TransientError(f"{what} gave no full answer within {self.limits.timeout_seconds:g} s")
        if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
            sentence = f"{what} could not connect to {self._origin}: {said or 'no reason given'}"
            return _TransientError(sentence, was_sent=False)
        return _TransientError(f"{what} broke off: {said or 'the connection was closed'}")

    def _too_late(self) -> str:
        return f"the {self.limits.max_seconds:g} s for this source are over (limits.max_seconds)"

    def _at(self, url: str) -> Origin:
        origin = origins.of(url)
        if origin is None:
            raise ConfigError("a request has no http or https address")
        return origin

    def _limited(self, method: str, url: str) -> dict[str, float]:
        """Return the requests a minute that each limit allows a request."""
        place = url.removeprefix(self._base).partition("?")[0].strip("/").lower()
        kind = "single" if "/" in place else place
        stated = {"all": self._rates.total, "users": None, "groups": None, "single": None}
        if method == "GET" and kind in ("users", "groups", "single"):
            stated[kind] = getattr(self._rates, kind)
        chosen = {"configured": self.limits.requests_per_minute, **stated}
        return {name: float(rate) for name, rate in chosen.items() if rate}

    def _client(self, url: str) -> httpx.Client:
        origin = self._at(url)
        with self._opening:
            if origin not in self._clients:
                self._clients[origin] = connecting.client(
                    origin, self._ca_file, self.redactor, has_secret=self._has_secret
                )
            return self._clients[origin]

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                self._sockets.add(found)

    def _cut(self) -> None:
        """End a read that still waits at the deadline: a server that drips header bytes resets every other clock."""
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)


__all__ = ["Answer", "HttpError", "Session", "UnansweredError"]
