"""A generic webhook, signed as Standard Webhooks says: https://www.standardwebhooks.com.

Its receiver computes HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}` and compares it with one of the values
in `webhook-signature`, refuses what is older than five minutes, and keeps the ids that it has seen.
"""

import base64
import binascii
import contextlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping

from scanner.errors import NoticeError
from scanner.notices import wire, wording
from scanner.notices.chat import Send
from scanner.notices.model import Change, Notice
from scanner.settings import Receiver

SCHEMA = "orphanscan.notice/1"
_LEAST_BYTES = 24


@contextlib.contextmanager
def webhook(receiver: Receiver) -> Iterator[Send]:
    """Give what posts a notice as signed JSON."""
    key = key_of(wire.read(receiver.secret, receiver), receiver)
    with wire.opened(receiver, wire.read(receiver.url, receiver), is_secret=True) as to:

        def send(notice: Notice) -> Mapping[str, str]:
            body = json.dumps(document(notice)).encode()
            to.send("POST", body=body, headers=signature(key, notice.id, int(time.time()), body))
            return {}

        yield send


def check(receiver: Receiver) -> str:
    """Reach the host without posting anything."""
    key_of(wire.read(receiver.secret, receiver), receiver)
    with wire.opened(receiver, wire.read(receiver.url, receiver), is_secret=True) as to:
        return to.reach()


def key_of(secret: str, receiver: Receiver) -> bytes:
    """Return the bytes of a key that is written as `whsec_` and Base64; NoticeError if it is not, or is short."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _LEAST_BYTES:
        raise NoticeError(
            f"the secret of {receiver.id} must be Base64 of at least {_LEAST_BYTES} random bytes, such as the output of"
            " `openssl rand -base64 32`"
        )
    return key


def signature(key: bytes, notice_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that prove who sent a body, and when."""
    signed = f"{notice_id}.{timestamp}.".encode() + body
    value = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {"webhook-id": notice_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{value}"}


def document(notice: Notice) -> Mapping[str, object]:
    """Return a notice for programs."""
    return {
        "schema": SCHEMA,
        "id": notice.id,
        "organization": notice.organization,
        "subject": wording.subject(notice),
        "scan": scan_facts(notice),
        "changes": [entry(change) for change in wording.ordered_changes(notice.changes)],
        "left_out": notice.left_out,
    }


def scan_facts(notice: Notice) -> Mapping[str, object]:
    """Return the scan that a notice names, and what ties it to the evidence."""
    scan = notice.scan
    return {
        "id": scan.scan_id,
        "number": scan.number,
        "as_of": scan.as_of.isoformat(),
        "complete": scan.complete,
        "manifest_sha256": scan.manifest_sha256,
    }


def entry(change: Change) -> Mapping[str, object]:
    """Return one change for programs."""
    return {
        "key": change.key,
        "kind": str(change.kind),
        "severity": str(change.severity),
        "rule": change.rule or None,
        "title": change.title,
        "app": change.app or None,
        "owner": change.owner or None,
        "text": change.text,
        "remedy": change.remedy or None,
        "scan_id": change.scan_id,
    }
