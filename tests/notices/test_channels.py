"""Each kind of receiver, on a real server: what arrives, and what a hostile name cannot do there."""

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from jsonschema import Draft202012Validator
from listeners import Answer, Http, Request, stream
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks import Webhook
from world import BEGAN, MANIFEST, World, begun, finding

from scanner import ocsf
from scanner.model import Severity
from scanner.notices import ocsf as siem_ocsf
from scanner.notices import waiting
from scanner.notices.model import Change, ChangeKind, Notice, Told

EVIL = "x\r\nBcc: all@acme.example <!channel> |a=b\\ {noformat} [code]<b>*y*_z_[c](http://evil.example)\u202e\x1b[2J"
PASSWORD = "canary-smtp-93ab1cf0"


def evil(number: int = 1, **more: object) -> dict[str, Any]:
    """Return a finding whose every text is hostile."""
    texts = {"username": EVIL, "account_id": EVIL, "reason": f"{EVIL} {{account}}", "remedy": EVIL}
    return finding(number, **(texts | more))


class Mailbox:
    """An SMTP server's inbox."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse one address, as a server does that knows nobody of that name."""
        if address.startswith("raj"):
            return "550 nobody here knows canary-smtp-93ab1cf0"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        """What came, parsed."""
        parsed = (message_from_bytes(one.content or b"", policy=policy.default) for one in self.envelopes)
        return [one for one in parsed if isinstance(one, EmailMessage)]


class Wrapped(Controller):
    """A mail server behind TLS. It waits for its first connection, made here, as it does not know our authority."""

    def _trigger_server(self) -> None:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with trusting.wrap_socket(socket.create_connection((self.hostname, self.port), 5)) as one:
            one.recv(1024)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the TLS side of a server called `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def post_office(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Mailbox, str]]:
    """Run a mail server with STARTTLS and a password; give its inbox and the receiver's settings."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def judge(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode())

    box = Mailbox()
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=server_context(authority), require_starttls=True,
        auth_required=True, authenticator=judge,
    )  # fmt: skip
    controller.start()
    try:
        yield box, settings(controller.port)
    finally:
        controller.stop()


def settings(port: int, tls: str = "starttls") -> str:
    """Return the receiver of a mail server on this machine."""
    auth = '{ type = "basic", username = "scan", password_env = "MAIL_PASSWORD" }'
    return f"""
[[notify]]
id = "mail"
type = "email"
host = "127.0.0.1"
port = {port}
tls = "{tls}"
sender = "scan@acme.example"
to = ["sec@acme.example"]
ca_file = "ca.pem"
auth = {auth if tls == "starttls" else '{ type = "none" }'}
"""


def test_each_owner_gets_one_mail_and_what_has_no_owner_goes_to_the_others(
    post_office: tuple[Mailbox, str], tmp_path: Path
) -> None:
    """Over STARTTLS with a password; one refused address keeps no other mail back, and no secret is repeated."""
    box, mail = post_office
    world = begun(tmp_path, mail + "to_owners = true\n")
    world.scan([finding(1), finding(2), finding(3, app="wiki"), finding(4, app="erp")])
    delivery = world.tell()["mail"]

    told = [(one.rcpt_tos[0], str(m["Subject"])) for one, m in zip(box.envelopes, box.messages, strict=True)]
    assert told == [
        ("jane@acme.example", "orphanscan, Acme <&> *bold*: [high] 2 new"),
        ("sec@acme.example", "orphanscan, Acme <&> *bold*: [high] 1 new"),
    ]
    assert "550" in delivery.detail
    assert PASSWORD not in delivery.detail
    body = box.messages[0].get_content()
    assert body.count("- New, high: Title of leaver-still-active, crm.") == 2
    assert f"evidence manifest SHA-256 {MANIFEST}" in body
    assert "Scan 2 (" in body


def test_a_hostile_name_adds_no_header_to_a_mail(post_office: tuple[Mailbox, str], tmp_path: Path) -> None:
    """Line breaks are gone before anything is written, in the organisation's name too."""
    box, mail = post_office
    world = begun(tmp_path, mail + 'privacy = "L2"\n')
    world.scan([evil()])
    world.tell()

    (message,) = box.messages
    assert message["Bcc"] is None
    assert box.envelopes[0].rcpt_tos == ["sec@acme.example"]
    assert not re.search(r"^Bcc:", message.get_content(), re.MULTILINE)
    assert "\x1b" not in message.get_content()


def test_a_mail_server_is_trusted_by_its_certificate_only(
    post_office: tuple[Mailbox, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """An authority that is not known, or a wrong name, ends it before the password is sent."""
    box, mail = post_office
    world = begun(tmp_path, mail.replace('ca_file = "ca.pem"\n', ""))
    world.scan([finding(1)])

    assert "certificate is not trusted" in world.tell()["mail"].detail
    assert box.envelopes == []


def test_a_server_without_encryption_gets_nothing_and_an_implicit_one_everything(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """STARTTLS that is not offered is not left out; `implicit` begins with TLS."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    plain, wrapped = Mailbox(), Mailbox()
    clear = Controller(plain, hostname="127.0.0.1", port=free_port())
    secure = Wrapped(wrapped, hostname="127.0.0.1", port=free_port(), ssl_context=server_context(authority))
    world = World(tmp_path, "")
    world.scan()
    clear.start()
    try:
        world.receivers = settings(clear.port) + "include_existing = true\n"
        os.environ["MAIL_PASSWORD"] = PASSWORD
        world.scan([finding(1)])
        assert "Nothing is sent in clear" in world.tell()["mail"].detail
    finally:
        clear.stop()
    secure.start()
    try:
        world.receivers = settings(secure.port, "implicit")
        assert world.tell()["mail"].detail == "1 notice sent"
    finally:
        secure.stop()

    assert plain.envelopes == []
    assert len(wrapped.envelopes) == 1


CHAT = '[[notify]]\nid = "chat"\ntype = "slack"\nurl = { env = "CHAT_URL" }\n'


@pytest.fixture
def chat(listener: Http, monkeypatch: pytest.MonkeyPatch) -> Http:
    """Return the server behind CHAT."""
    monkeypatch.setenv("CHAT_URL", f"{listener.url}/services/T000/canary-chat-77")
    return listener


def test_slack_gets_texts_without_markup(chat: Http, tmp_path: Path) -> None:
    """Only plain_text elements; in the notification, & < and > are escaped; a reason brings no e-mail."""
    world = begun(tmp_path, CHAT)
    world.scan([evil(n, reason=f"{EVIL} boss@acme.example") for n in range(1, 120)])
    world.tell()
    message = chat.posts[0].json
    texts = [block.get("text") or block["elements"][0] for block in message["blocks"]]

    assert {text["type"] for text in texts} == {"plain_text"}
    assert all(len(text["text"]) <= 3000 for text in texts)
    assert len(message["blocks"]) <= 50
    assert message["text"].startswith("orphanscan, Acme &lt;&amp;&gt; *bold*:")
    assert "boss@" not in chat.posts[0].body.decode()
    assert "69 more are not listed here" in texts[-2]["text"]


def test_teams_gets_text_runs_only(chat: Http, tmp_path: Path) -> None:
    """A RichTextBlock knows no Markdown, and the message stays below what Teams takes."""
    world = begun(tmp_path, CHAT.replace("slack", "teams"))
    world.scan([evil(n) for n in range(1, 120)])
    world.tell()
    card = chat.posts[0].json["attachments"][0]["content"]

    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert len(chat.posts[0].body) < 28_000


def test_a_webhook_is_verified_by_the_library_that_its_standard_offers(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Id, time and body are under the signature; one changed byte is noticed."""
    secret = "whsec_" + "QUJD" * 11
    monkeypatch.setenv("URL", listener.url)
    monkeypatch.setenv("KEY", secret)
    hook = '[[notify]]\nid = "hook"\ntype = "webhook"\nurl = { env = "URL" }\nsecret = { env = "KEY" }\n'
    world = begun(tmp_path, hook)
    world.scan([evil()])
    world.tell()
    (sent,) = listener.posts

    assert Webhook(secret).verify(sent.body, dict(sent.headers))["schema"] == "orphanscan.notice/1"
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secret).verify(sent.body.replace(b"high", b"info"), dict(sent.headers))
    monkeypatch.setenv("KEY", "short")
    world.scan([finding(2)])
    assert "openssl rand" in world.tell()["hook"].detail


class Jira:
    """Issues by label, as far as a tracker must know them."""

    def __init__(self) -> None:
        self.issues: dict[str, dict[str, Any]] = {}
        self.comments: list[tuple[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = request.path.partition("?")[0]
        if request.method == "POST" and path.endswith(("/search/jql", "/search")):
            label = re.findall(r'labels = "([\w-]+)"', request.json["jql"])[0]
            found = [key for key, one in self.issues.items() if label in one["labels"] and not one.get("done")]
            return 200, {}, {"issues": [{"key": key} for key in found]}
        if request.method == "POST" and path.endswith("/comment"):
            self.comments.append((path.split("/")[-2], request.json["body"]))
            return 201, {}, {}
        if request.method == "POST":
            key = f"SEC-{len(self.issues) + 1}"
            self.issues[key] = request.json["fields"]
            return 201, {}, {"key": key}
        one = self.issues.get(path.rpartition("/")[2])
        if one is None:
            return 404, {}, {}
        return 200, {}, {"fields": {"status": {"statusCategory": {"key": "done" if one.get("done") else "new"}}}}


JIRA = """
[[notify]]
id = "jira"
type = "jira"
base_url = "{url}"
auth = {{ type = "basic", username = "bot@acme.example", password_env = "JIRA_TOKEN" }}
project = "SEC"
"""


def test_jira_has_one_issue_for_a_rule_in_an_application(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later changes are comments, a closed issue is followed by a new one, and a lost memory makes no second."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = jira = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url))
    world.scan([evil(1), evil(2), finding(3, app="erp")])
    world.tell()
    assert len(jira.issues) == 2
    world.scan([finding(1, "open"), finding(2, "resolved"), finding(4)])
    world.tell()
    assert (len(jira.issues), len(jira.comments)) == (2, 1)
    from dataclasses import replace

    from scanner.notices import waiting

    known = waiting.load(world.config.state, "jira")
    waiting.save(world.config.state, "jira", replace(known, tickets={}))
    world.scan([finding(5)])
    world.tell()
    assert (len(jira.issues), len(jira.comments)) == (2, 2)
    for issue in jira.issues.values():
        issue["done"] = True
    world.scan([finding(5, "resolved")])
    world.tell()
    assert len(jira.issues) == 2
    world.scan([finding(6)])
    world.tell()

    assert len(jira.issues) == 3
    nodes = jira.issues["SEC-1"]["description"]["content"]
    assert {text["type"] for node in nodes for text in node["content"]} == {"text"}


def test_a_changed_address_does_not_carry_a_token_off(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is bound to the first site; the second gets it only when it is acknowledged."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url))
    world.scan([finding(1)])
    world.tell()
    other = listener.url.replace("127.0.0.1", "localhost")
    world.receivers = JIRA.format(url=other)
    world.scan([finding(2)])
    count = len(listener.requests)
    refused = world.tell()["jira"]

    assert "its secret was first used with" in refused.detail
    assert len(listener.requests) == count
    world.receivers = JIRA.format(url=other).replace('TOKEN"', f'TOKEN", acknowledged_origins = ["{other}"]')
    assert not world.tell()["jira"].is_failed


def test_the_older_api_of_jira_gets_one_block_that_nothing_can_end(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wiki markup is not read within {noformat}."""
    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    listener.answer = jira = Jira()
    world = begun(tmp_path, JIRA.format(url=listener.url) + 'api = "2"\n')
    world.scan([evil()])
    world.tell()

    assert jira.issues["SEC-1"]["description"].count("{noformat}") == 2
    assert all(one.path.startswith("/rest/api/2/") for one in listener.requests)


def test_servicenow_has_one_record_for_a_rule_in_an_application(
    listener: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found again by its correlation id; further changes are work notes; no text is read as HTML."""
    monkeypatch.setenv("SNOW", "canary-snow-31")
    records: list[dict[str, Any]] = []

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            known = [one for one in records if one["correlation_id"] in request.path]
            return 200, {}, {"result": [{"sys_id": "0" * 32}] if known else []}
        if request.method == "POST":
            records.append(request.json)
        return 201, {}, {"result": {}}

    listener.answer = answer
    receiver = '[[notify]]\nid = "snow"\ntype = "servicenow"\nbase_url = "{}"\n'
    auth = 'auth = { type = "bearer", token_env = "SNOW" }\n'
    world = begun(tmp_path, receiver.format(listener.url) + auth)
    for number in (1, 2):
        world.scan([evil(number)])
        world.tell()

    patched = [one for one in listener.requests if one.method == "PATCH"]
    assert (len(records), len(patched)) == (1, 1)
    assert patched[0].path == f"/api/now/table/incident/{'0' * 32}"
    assert "[code]" not in json.dumps(records)


def syslog(address: str, form: str = "rfc5424") -> str:
    """Return a receiver."""
    return f'[[notify]]\nid = "siem"\ntype = "syslog"\naddress = "{address}"\nformat = "{form}"\nprivacy = "L2"\n'


def test_syslog_over_udp_and_a_socket_has_one_event_for_each_change(tmp_path: Path) -> None:
    """RFC 5424 with JSON in it; hostile text makes neither a second event nor a line break."""
    path = tmp_path / "log"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as net,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local,
    ):
        net.bind(("127.0.0.1", 0))
        local.bind(str(path))
        for one in (net, local):
            one.settimeout(10)
        other = syslog(f"unix://{path}").replace('"siem"', '"local"')
        world = begun(tmp_path, syslog(f"udp://127.0.0.1:{net.getsockname()[1]}") + other)
        world.scan([evil(), finding(2, "resolved")])
        world.tell()
        events = [net.recv(65536).decode("ascii") for _ in range(2)]
        assert [local.recv(65536).decode("ascii") for _ in range(2)] == events

    head = r"<(\d+)>1 2026-11-02T06:00:00Z [!-~]{1,255} orphanscan - (\w+) - "
    found = [re.match(head, event) for event in events]
    assert [match and match.groups() for match in found] == [("107", "new"), ("110", "resolved")]
    assert all("\n" not in event and event.isprintable() for event in events)
    assert json.loads(events[0].partition(" - new - ")[2])["scan"]["manifest_sha256"] == MANIFEST


def test_cef_over_tcp_escapes_what_would_end_a_field(tmp_path: Path) -> None:
    """Read back by the rules of the format: seven parts in the head, then keys and values."""
    with stream() as (port, received):
        world = World(tmp_path, syslog(f"tcp://127.0.0.1:{port}", "cef") + "include_existing = true\n")
        world.scan([evil(rule="own|rule=\\x")])
        world.tell()
        came = received()

    length, _, event = came.partition(b" ")
    assert len(event) == int(length)
    message = event.decode("ascii").partition("CEF:")[2]
    *head, extension = re.split(r"(?<!\\)(?:\\\\)*\|", message, maxsplit=7)
    assert head[1:3] == ["orphanscan", "orphanscan"]
    assert len(head) == 7
    fields = dict(re.findall(r"(\w+)=((?:\\=|\\\\|[^=\\])*)(?= \w+=|$)", extension))
    assert fields["cs2"] == MANIFEST
    assert fields["cs3"] == "jane@acme.example"
    assert "|a\\=b\\\\" in fields["msg"]


def test_ocsf_over_tls_has_what_its_class_requires_and_needs_a_trusted_server(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """A Compliance Finding as in reports; nothing is sent to a server whose certificate nobody vouches for."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with stream(server_context(authority)) as (port, received):
        receiver = syslog(f"tls://127.0.0.1:{port}", "ocsf") + "include_existing = true\n"
        world = World(tmp_path, receiver)
        world.scan([finding(1, severity="critical")])
        refused = world.tell()["siem"]
        assert received() == b""
    with stream(server_context(authority)) as (port, received):
        world.receivers = syslog(f"tls://127.0.0.1:{port}", "ocsf") + 'ca_file = "ca.pem"\ninclude_existing = true\n'
        assert not world.tell()["siem"].is_failed
        event = json.loads(received().partition(b" - existing - ")[2])

    assert "certificate is not trusted" in refused.detail
    assert (event["class_uid"], event["type_uid"], event["severity_id"]) == (2003, 200301, 5)


def test_ocsf_of_every_kind_of_change_fits_the_published_schema() -> None:
    """Findings, sources, marks and what is left out; what could not be decided is no failed test."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(ocsf.VERSION)).get_class_schema("compliance_finding")
    told = Told("20261102T060000Z-0000", 2, BEGAN, MANIFEST, complete=True)
    made = {}
    for kind in ChangeKind:
        for verdict in ("fail", "unknown"):
            rule = "" if kind.startswith("source") else "leaver-still-active"
            change = Change(
                "F-1", kind, Severity.HIGH, rule, "Title", "crm", "jane@acme.example", "Text.", "Do.", "s", verdict
            )
            made[kind, verdict] = siem_ocsf.event(Notice("n1", "Acme", told, (change,)), change)

    problems = [one.message for event in made.values() for one in Draft202012Validator(schema).iter_errors(event)]
    assert problems == []
    results = {key: event["compliance"]["status"] for key, event in made.items()}
    assert results[ChangeKind.NEW, "fail"] == "Fail"
    assert results[ChangeKind.NEW, "unknown"] == results[ChangeKind.SOURCE_INCOMPLETE, "fail"] == "Unknown"
    assert made[ChangeKind.RESOLVED, "fail"]["status"] == "Resolved"


def test_a_siem_is_told_how_much_it_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more event, with how many there are and where they are listed."""
    monkeypatch.setattr(waiting, "MOST", 2)
    with stream() as (port, received):
        world = begun(tmp_path, syslog(f"tcp://127.0.0.1:{port}"))
        world.scan([finding(n) for n in range(1, 8)])
        assert not world.tell()["siem"].is_failed
        came = received().decode("ascii")

    assert came.count(" - new - ") == 2
    assert came.count(" - left_out - ") == 1
    assert "that are not sent: 5, as 2 are kept" in came


def test_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    """Parsed by its own library; the file is replaced, readable for the exporter, and nothing is left beside it."""
    (tmp_path / "prom").mkdir()
    path = tmp_path / "prom" / "orphanscan.prom"
    world = begun(tmp_path, f'[[notify]]\nid = "prom"\ntype = "metrics"\npath = "{path}"\n')
    rule = 'own"rule\\x\ny'
    world.scan([finding(1), finding(2, rule=rule), finding(3, "resolved"), finding(4, "waived")], {"hr": "short"})
    world.tell()
    families = {one.name: one.samples for one in text_string_to_metric_families(path.read_text())}

    found = {sample.labels["rule"]: sample.value for sample in families["orphanscan_findings"]}
    assert found == {"leaver-still-active": 1, rule: 1}
    assert families["orphanscan_scan_complete"][0].value == 0
    assert families["orphanscan_scan_number"][0].value == 2
    assert {s.labels["source"]: s.value for s in families["orphanscan_source_complete"]} == {
        "hr": 0,
        "crm": 1,
        "erp": 1,
    }
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_heartbeat_tells_an_end_from_a_failure(chat: Http, tmp_path: Path) -> None:
    """Another address when the scan did not end as it should; the query stays at the end."""
    world = World(tmp_path, CHAT.replace("slack", "heartbeat"))
    world.scan()
    world.tell()
    world.tell(ended=False)

    assert [one.path for one in chat.requests] == [
        "/services/T000/canary-chat-77",
        "/services/T000/canary-chat-77/fail",
    ]


def test_a_check_reaches_every_receiver_and_sends_nothing(
    chat: Http, post_office: tuple[Mailbox, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `doctor` asks: a mail server for a sign-in, a chat for its host, a tracker for its project."""
    from scanner import notices

    monkeypatch.setenv("JIRA_TOKEN", "canary-jira-55")
    box, mail = post_office
    prom = f'[[notify]]\nid = "prom"\ntype = "metrics"\npath = "{tmp_path}/x.prom"\n'
    world = World(tmp_path, mail + CHAT + JIRA.format(url=chat.url) + prom + syslog("tcp://127.0.0.1:9"))
    config = world.config
    by_id = {one.id: one for one in config.notify}

    said = [notices.check(config, by_id[name]) for name in ("mail", "chat", "jira", "prom")]
    assert said[0] == "127.0.0.1 answers and the sign-in is accepted"
    assert said[2].endswith("the project SEC is there")
    with pytest.raises(Exception, match="could not be sent"):
        notices.check(config, by_id["siem"])
    assert (chat.posts, box.envelopes) == ([], [])
    assert not (tmp_path / "x.prom").exists()
