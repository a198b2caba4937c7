"""Syslog, CEF and OCSF: one event for each change, as those who read the format expect it."""

import json
import re
import socket
from pathlib import Path

import pytest
import trustme
from jsonschema import Draft202012Validator
from listeners import server_context, stream
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from receivers import syslog
from world import BEGAN, MANIFEST, World, begun, evil, finding

from scanner import ocsf
from scanner.model import Severity
from scanner.notices import ocsf as siem_ocsf
from scanner.notices import waiting
from scanner.notices.model import Change, ChangeKind, Notice, Told


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
