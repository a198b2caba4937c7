"""The seam around HTTP: deadlines, limits, retries, redirects, credentials and redaction."""

import email.utils
import logging
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import TOKEN, Behaviour, HostileServer, hostile, user

from scanner.collectors import http
from scanner.collectors.http import Answer, Session
from scanner.collectors.politeness import retry_after
from scanner.collectors.probe import probe
from scanner.collectors.redact import Redactor
from scanner.collectors.refusal import HttpError
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.errors import ConfigError, SourceError

SECRET = Secret("env", "ORPHANSCAN_TEST_TOKEN")
BEARER = Auth("bearer", SECRET)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def application(server: HostileServer, auth: Auth = BEARER, **limits: Any) -> Application:
    """Return an application on the test server."""
    bounds = Limits(**{"max_seconds": 10, "timeout_seconds": 5, "retries": 3, **limits})
    return Application("crm", "CRM", "scim", base_url=server.base_url, auth=auth, limits=bounds)


def get(server: HostileServer, behaviour: Behaviour, auth: Auth = BEARER, **limits: Any) -> Answer:
    """Ask once for the users."""
    server.behaviour = behaviour
    with Session(application(server, auth, **limits)) as session:
        return session.get("/Users?startIndex=1&count=5")


@pytest.mark.parametrize(
    "faults",
    [
        ["429"],
        ["503", "502", "504"],
        ["500"],
        ["520", "599"],
        ["reset"],
        ["cut"],
        ["cut_gzip"],
        ["reset", "429", "cut"],
    ],
)
def test_passing_trouble_is_retried(server: HostileServer, faults: list[str]) -> None:
    """A server that recovers costs only time."""
    answer = get(server, Behaviour([user(1)], faults=deque(faults)))

    assert b"u-1" in answer.body
    assert len(server.behaviour.seen) == len(faults) + 1


def test_lasting_trouble_ends_after_the_retries(server: HostileServer) -> None:
    """The number of attempts is bounded, and told."""
    with pytest.raises(SourceError, match=r"answered 503; gave up after 4 attempts; the server says \"later\""):
        get(server, Behaviour(faults=deque(["503"] * 9)))


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "501", "505"])
def test_refusals_are_not_retried(server: HostileServer, status: str) -> None:
    """An answer that will not change is asked for once."""
    with pytest.raises(HttpError, match=f"GET /Users answered {status}") as caught:
        get(server, Behaviour(faults=deque([status] * 2)))

    assert caught.value.status == int(status)
    assert caught.value.scim_type == "toomany"
    assert len(server.behaviour.seen) == 1


def test_retry_after_is_obeyed(server: HostileServer) -> None:
    """The server says how long to wait, and we wait."""
    started = time.monotonic()
    get(server, Behaviour([user(1)], faults=deque(["429"]), retry_after="1"))

    assert 1 <= time.monotonic() - started < 3


@pytest.mark.parametrize("value", ["86400", "9" * 400, "in the year 2999"])
def test_a_wait_beyond_the_deadline_fails_at_once(server: HostileServer, value: str) -> None:
    """An absurd Retry-After does not stop the scan; an unreadable one is passed over."""
    if value.startswith("in"):
        assert get(server, Behaviour([user(1)], faults=deque(["429"]), retry_after=value)).status == 200
        return
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"asks to wait [\d,]+ s, longer than the"):
        get(server, Behaviour(faults=deque(["429"]), retry_after=value))
    assert time.monotonic() - started < 2


def test_retry_after_is_read_in_both_forms() -> None:
    """Seconds and HTTP dates are understood and clamped; nonsense is none."""
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    assert retry_after("12") == 12
    assert retry_after("-5") == 0
    assert retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert 80 < (retry_after(later) or 0) <= 90
    assert retry_after("9" * 400) == 7 * 24 * 3600
    assert 80 < (retry_after(str(int(time.time()) + 90)) or 0) <= 90
    assert retry_after(str(int(time.time()) - 90)) == 0
    assert retry_after("2592000") == 7 * 24 * 3600
    assert [retry_after(text) for text in (None, "", "soon", "1.5x", "nan", "\u0661")] == [None] * 6


@pytest.mark.parametrize("fault", ["drip", "drip_headers"])
def test_a_slow_drip_ends_at_the_deadline(server: HostileServer, fault: str) -> None:
    """A server that sends a byte now and then cannot hold a source beyond its time."""
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"the 0.5 s for this source are over"):
        get(server, Behaviour(faults=deque([fault] * 9)), max_seconds=0.5)

    assert time.monotonic() - started < 2


def test_one_slow_request_is_given_up_and_repeated(server: HostileServer) -> None:
    """The time of one request is bounded too, though bytes keep coming."""
    answer = get(server, Behaviour([user(1)], faults=deque(["drip"])), timeout_seconds=0.3)

    assert answer.status == 200


@pytest.mark.parametrize("fault", ["endless", "bomb"])
def test_a_body_without_end_is_cut(server: HostileServer, fault: str) -> None:
    """The byte limit holds after decompression."""
    with pytest.raises(SourceError, match="larger than 1,000,000 bytes"):
        get(server, Behaviour(faults=deque([fault] * 9)), max_page_bytes=1_000_000)


def test_unknown_compression_is_refused(server: HostileServer) -> None:
    """Only what was asked for is decompressed."""
    with pytest.raises(SourceError, match="compressed in a way"):
        get(server, Behaviour(faults=deque(["brotli"])))


def test_a_redirect_within_the_origin_is_followed(server: HostileServer) -> None:
    """A moved list is found, with the credential."""
    assert get(server, Behaviour([user(1)], faults=deque(["redirect"]), location="/scim/v2/moved/Users")).status == 200


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (f"http://evil.example/{TOKEN}?x={TOKEN}", "another origin, http://evil.example;"),
        ("http://localhost:1/", "another origin, http://localhost:1;"),
        ("https://127.0.0.1/", "another origin, https://127.0.0.1;"),
        ("javascript:alert(1)", "no URL"),
        ("http://[::bad/", "no URL"),
    ],
)
def test_a_redirect_elsewhere_is_refused(server: HostileServer, location: str, words: str) -> None:
    """A credential never leaves its origin, and only the other origin is named."""
    with pytest.raises(SourceError) as caught:
        get(server, Behaviour(faults=deque(["redirect"] * 9), location=location))

    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_redirects_in_a_circle_end(server: HostileServer) -> None:
    """A server that sends us round and round is left."""
    with pytest.raises(SourceError, match="more than 5 times"):
        get(server, Behaviour(faults=deque(["redirect"] * 99), location="/scim/v2/Users"))


@pytest.mark.parametrize(
    "base_url",
    [
        "http://crm.example/scim",
        "ftp://crm.example/",
        "crm.example",
        f"https://user:{TOKEN}@crm.example/",
        f"https://crm.example/?token={TOKEN}",
        "https://crm.example/a b",
        "https://crm.example:port/",
        None,
    ],
)
def test_addresses_that_cannot_be_safe_are_refused(base_url: str | None) -> None:
    """https, a host, no credential in the address; and no secret in the message."""
    with pytest.raises(ConfigError, match="base_url of crm") as caught:
        Session(Application("crm", "CRM", "scim", base_url=base_url, auth=BEARER))

    assert TOKEN not in str(caught.value)


def test_netrc_and_proxies_of_the_environment_do_not_touch_this_machine(
    server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback is reached directly, and .netrc never replaces the configured credential."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")

    assert get(server, Behaviour([user(1)])).status == 200
    with pytest.raises(HttpError, match="401"):
        get(server, Behaviour([user(1)]), Auth("none"))


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """A ca_file that cannot be read is a clear error."""
    app = Application("crm", "CRM", "scim", base_url="https://127.0.0.1:9/", ca_file=tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match=r"ca\.pem cannot be used"), Session(app) as session:
        session.get("/Users")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_only_a_trusted_certificate_is_accepted(tmp_path: Path) -> None:
    """A certificate of an own authority needs ca_file; an unknown one is refused without a retry."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "ca.pem")]
    subprocess.run(["openssl", "req", *new, *subject, *files], check=True, capture_output=True)
    with hostile(certificate=(tmp_path / "ca.pem", tmp_path / "key.pem")) as secure:
        secure.behaviour = Behaviour([user(1)])
        app = application(secure)
        with Session(app) as session, pytest.raises(SourceError, match="certificate is not trusted"):
            session.get("/Users")
        with Session(replace(app, ca_file=tmp_path / "ca.pem")) as session:
            assert session.get("/Users").status == 200
        slow = replace(app, ca_file=tmp_path / "ca.pem", limits=replace(app.limits, max_seconds=0.5))
        secure.behaviour.faults.extend(["drip_headers"] * 9)
        with Session(slow) as session, pytest.raises(SourceError, match=r"0\.5 s for this source are over"):
            session.get("/Users")


def test_a_server_that_is_not_there_is_named(server: HostileServer) -> None:
    """The origin and the reason are in the sentence."""
    app = Application("crm", "CRM", "scim", base_url="http://127.0.0.1:1/scim", limits=Limits(retries=1))
    with pytest.raises(SourceError, match=r"could not connect to http://127\.0\.0\.1:1.*2 attempts"), Session(app) as s:
        s.get("/Users")


def oauth(server: HostileServer, path: str = "/token") -> Auth:
    """Return client credentials at the test server's token endpoint."""
    url = server.base_url.removesuffix("/scim/v2") + path
    return Auth("oauth2", SECRET, token_url=url, client_id="client", scope="read")


@pytest.mark.parametrize("quirks", ["", "secret_in_body"])
def test_client_credentials_are_exchanged_once(server: HostileServer, quirks: str) -> None:
    """One token serves many requests, whichever way the endpoint wants the secret."""
    server.behaviour = Behaviour([user(1)], quirks=frozenset(quirks.split()))
    with Session(application(server, oauth(server))) as session:
        for _ in range(3):
            session.get("/Users?startIndex=1&count=5")

    assert server.behaviour.tokens == 1


def test_an_expired_token_is_fetched_again(server: HostileServer) -> None:
    """A short life is respected, and a refused token is replaced once."""
    server.behaviour = Behaviour([user(1)], expires_in=0.2)
    with Session(application(server, oauth(server))) as session:
        session.get("/Users?startIndex=1&count=5")
        time.sleep(0.15)
        session.get("/Users?startIndex=1&count=5")
        assert server.behaviour.tokens == 2
        server.behaviour.token = "revoked"
        session.get("/Users?startIndex=1&count=5")

    assert server.behaviour.tokens == 3


def test_a_token_that_is_never_accepted_is_tried_twice(server: HostileServer) -> None:
    """A second 401 is the answer."""
    server.behaviour = Behaviour([user(1)], faults=deque(["401"] * 9))
    with Session(application(server, oauth(server))) as session, pytest.raises(HttpError, match="401"):
        session.get("/Users?startIndex=1&count=5")

    assert server.behaviour.tokens == 2


def test_a_token_endpoint_is_bounded_and_redacted(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its answer is no larger than a page, and its words carry no secret."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SourceError, match="larger than"):
        get(server, Behaviour(quirks=frozenset(["endless_token"])), oauth(server), max_page_bytes=100_000)
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN + "x")
    with pytest.raises(SourceError, match=r"the token endpoint answered 401") as caught:
        get(server, Behaviour(), oauth(server))

    assert TOKEN not in str(caught.value) + caplog.text
    with pytest.raises(ConfigError, match="token_url of crm must use https"):
        get(server, Behaviour(), Auth("oauth2", SECRET, token_url="http://id.example/", client_id="c"))


@pytest.mark.parametrize(
    "auth",
    [
        Auth("header", SECRET, header="Host"),
        Auth("header", SECRET, header="X\r\nY"),
        Auth("header", SECRET),
        Auth("bearer"),
        Auth("saml", SECRET),
    ],
)
def test_credentials_that_cannot_be_sent_are_refused(server: HostileServer, auth: Auth) -> None:
    """A wrong auth table is a configuration error before anything is sent."""
    with pytest.raises(ConfigError, match="auth of crm"):
        get(server, Behaviour(), auth)
    assert server.behaviour.seen == []


def test_a_header_can_carry_the_credential(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An own header and basic are sent as configured."""
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", f"Bearer {TOKEN}")

    assert get(server, Behaviour([user(1)]), Auth("header", SECRET, header="Authorization")).status == 200
    with pytest.raises(HttpError):
        get(server, Behaviour([user(1)]), Auth("basic", SECRET, username="jo"))


@pytest.mark.parametrize(
    "said",
    [
        "no {token} here",
        "no {token:.16} here",
        "no {upper} here",
        "{percent}",
        "{base64}",
        "{inner}",
        "{spaced}",
        "{controls}",
        "{hexed}",
    ],
)
def test_secrets_are_found_in_every_disguise(said: str) -> None:
    """A secret is removed as it is, in part, encoded, or with characters strewn in."""
    import base64
    from urllib.parse import quote

    token = "s3cr3t/With+Odd=Signs&123"
    disguises = {
        "token": token,
        "upper": token.upper(),
        "percent": quote(token, safe=""),
        "base64": base64.b64encode(token.encode()).decode(),
        "inner": base64.b64encode(f"jo:{token}:x".encode()).decode(),
        "spaced": " ".join(token),
        "controls": "\x00".join(token) + "\u202e",
        "hexed": token.encode().hex(),
    }
    redactor = Redactor()
    redactor.add(token)
    text = redactor.text(said.format(**disguises))

    assert not any(form[:14].lower() in text.lower() for form in disguises.values())
    assert "secret" in text
    assert text.isprintable()


def test_harmless_text_passes_the_redactor() -> None:
    """Ordinary words stay, on one line and of bounded length."""
    redactor = Redactor()
    redactor.add(TOKEN)

    assert redactor.text("The scope\r\n  scim:read\tis missing\x1b[0m.") == "The scope scim:read is missing[0m."
    assert len(redactor.text("x y " * 10_000)) == 200


def test_probe_says_what_a_scan_would_meet(server: HostileServer) -> None:
    """A good application is reachable with its total, page size and clock."""
    server.behaviour = Behaviour([user(number) for number in range(7)])
    found = probe(application(server))

    assert (found.reachable, found.status, found.stated, found.page_size) == (True, 200, 7, 100)
    assert found.paging == "index"
    assert abs(found.clock_skew_seconds or 0) < 3


def test_probe_tells_why_an_application_cannot_be_used(server: HostileServer) -> None:
    """Each kind of trouble is a sentence, never an exception."""
    server.behaviour = Behaviour(token="another")
    refused = probe(application(server))
    server.behaviour = Behaviour(raw=b"<html>")
    page = probe(application(server))
    unset = probe(application(server, Auth("bearer", Secret("env", "ORPHANSCAN_TEST_UNSET"))))

    assert (refused.reachable, refused.status) == (False, 401)
    assert not page.reachable
    assert "web page" in page.detail
    assert "ORPHANSCAN_TEST_UNSET" in unset.detail


def test_threads_that_meet_an_expired_token_renew_it_once(server: HostileServer) -> None:
    """Eight requests that are refused together fetch one new token, and all succeed."""
    server.behaviour = Behaviour([user(1)])
    with Session(application(server, oauth(server))) as session:
        session.get("/Users?startIndex=1&count=1")
        server.behaviour.token = "revoked"
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: session.get("/Users?startIndex=1&count=1").status, range(8)))

    assert answers == [200] * 8
    assert server.behaviour.tokens == 2


def test_the_deadline_ends_all_requests_under_way(server: HostileServer) -> None:
    """Eight answers that drip for ever end together when the time of the source is over."""
    server.behaviour = Behaviour([user(1)], faults=deque(["drip_headers"] * 8))
    app = application(server, max_seconds=1, timeout_seconds=30, retries=0)
    before = time.monotonic()
    with Session(app) as session, ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: _failure(session), range(8)))

    assert all("for this source are over" in one for one in said), said
    assert time.monotonic() - before < 6


def _failure(session: Session) -> str:
    try:
        session.get("/Users?startIndex=1&count=1")
    except SourceError as error:
        return str(error)
    return "no failure"
