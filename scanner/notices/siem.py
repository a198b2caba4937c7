"""Events for a SIEM: syslog of RFC 5424 with JSON, CEF or OCSF in it, over UDP, TCP, TLS or a local socket."""

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from scanner import __version__
from scanner.errors import NoticeError
from scanner.model import Severity
from scanner.notices import ocsf, webhook, wire
from scanner.notices.chat import Send
from scanner.notices.model import Change, ChangeKind, Notice, PassingError
from scanner.report.disclosure import clean
from scanner.settings import Receiver

_FACILITY = 13
"""Log audit (RFC 5424, 6.2.1)."""
_LEVELS = {Severity.CRITICAL: 2, Severity.HIGH: 3, Severity.MEDIUM: 4, Severity.LOW: 5, Severity.INFO: 6}
_CEF_LEVELS = {Severity.CRITICAL: 10, Severity.HIGH: 8, Severity.MEDIUM: 5, Severity.LOW: 3, Severity.INFO: 1}
_MOST_DATAGRAM = 8192
"""RFC 5426 asks receivers to take 2048 bytes and more."""


@contextlib.contextmanager
def syslog(receiver: Receiver) -> Iterator[Send]:
    """Give what sends one event for each change."""

    def send(notice: Notice) -> Mapping[str, str]:
        events = [frame(receiver, notice, change) for change in notice.changes if change.kind is not ChangeKind.BEGIN]
        with _connected(receiver) as write:
            for event in events:
                write(event)
        return {}

    yield send


def check(receiver: Receiver) -> str:
    """Connect, without sending anything; UDP has no connection that could fail."""
    with _connected(receiver):
        return f"{receiver.address} can be reached" if receiver.address else ""


def frame(receiver: Receiver, notice: Notice, change: Change) -> bytes:
    """Return one event as RFC 5424 writes it. The formats hold no line break and no byte beyond ASCII."""
    level = Severity.INFO if change.kind in (ChangeKind.RESOLVED, ChangeKind.SOURCE_COMPLETE) else change.severity
    at = f"{notice.scan.as_of:%Y-%m-%dT%H:%M:%SZ}"
    host = re.sub(r"[^!-~]", "", socket.gethostname())[:255] or "-"
    head = f"<{_FACILITY * 8 + _LEVELS[level]}>1 {at} {host} orphanscan - {change.kind} - "
    return (head + FORMATS[receiver.format](notice, change)).encode("ascii")


def as_json(notice: Notice, change: Change) -> str:
    """Return the change as one line of JSON."""
    about = {"scan": webhook.scan_facts(notice), "organization": notice.organization}
    return json.dumps(about | dict(webhook.entry(change)))


def as_cef(notice: Notice, change: Change) -> str:
    """Return the change in the Common Event Format, version 0."""
    level = 1 if change.kind is ChangeKind.RESOLVED else _CEF_LEVELS[change.severity]
    head = ("orphanscan", "orphanscan", __version__, change.rule or "source", change.title, str(level))
    fields = {
        "externalId": change.key,
        "act": str(change.kind),
        "cat": change.rule or "source",
        "destinationServiceName": change.app,
        "rt": str(int(notice.scan.as_of.timestamp() * 1000)),
        "cs1Label": "scan",
        "cs1": change.scan_id,
        "cs2Label": "manifestSha256",
        "cs2": notice.scan.manifest_sha256,
        "cs3Label": "owner",
        "cs3": change.owner,
        "cn1Label": "scanNumber",
        "cn1": str(notice.scan.number),
        "msg": change.text,
    }
    # In the head, only \ and | are escaped; in the extension, \ and = (CEF, Character Encoding).
    escaped = "|".join(_escaped(part, "|") for part in head)
    told = " ".join(f"{name}={_escaped(value, '=')}" for name, value in fields.items() if value)
    return f"CEF:0|{escaped}|{told}"


def _escaped(text: str, special: str) -> str:
    return _ascii(text).replace("\\", "\\\\").replace(special, f"\\{special}")


def _as_ocsf(notice: Notice, change: Change) -> str:
    return json.dumps(ocsf.event(notice, change))


FORMATS: Mapping[str, Callable[[Notice, Change], str]] = {"rfc5424": as_json, "cef": as_cef, "ocsf": _as_ocsf}
"""Value of `format` -> what writes the message."""


def _ascii(text: str) -> str:
    """Return text on one line in ASCII, other characters as JSON would escape them."""
    return clean(text).encode("ascii", "backslashreplace").decode()


@contextlib.contextmanager
def _connected(receiver: Receiver) -> Iterator[Callable[[bytes], None]]:
    parts = urlsplit(receiver.address or "")
    what = f"syslog to {receiver.address}"
    try:
        with contextlib.ExitStack() as stack:
            yield _writer(receiver, parts.scheme, parts.hostname or "", parts.port or 514, parts.path, stack)
    except ssl.SSLCertVerificationError as error:
        raise NoticeError(
            f"{what}: the certificate is not trusted ({error.verify_message}); set ca_file for an authority of your own"
        ) from None
    except OSError as error:
        raise PassingError(f"{what} could not be sent: {error.strerror or error}") from None


def _writer(
    receiver: Receiver, scheme: str, host: str, port: int, path: str, stack: contextlib.ExitStack
) -> Callable[[bytes], None]:
    if scheme == "unix":
        local = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        local.settimeout(wire.SECONDS)
        local.connect(path)
        return lambda event: _datagram(local, event)
    if scheme == "udp":
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        net = stack.enter_context(socket.socket(family, kind, protocol))
        net.connect(place)
        return lambda event: _datagram(net, event)
    stream = stack.enter_context(socket.create_connection((host, port), timeout=wire.SECONDS))
    if scheme == "tls":
        trust = ssl.create_default_context(cafile=str(receiver.ca_file) if receiver.ca_file else None)
        stream = stack.enter_context(trust.wrap_socket(stream, server_hostname=host))
    # RFC 6587, 3.4.1 and RFC 5425, 4.3: the length in front, so that nothing in an event can end it.
    return lambda event: stream.sendall(str(len(event)).encode() + b" " + event)


def _datagram(to: socket.socket, event: bytes) -> None:
    to.send(event[:_MOST_DATAGRAM])
