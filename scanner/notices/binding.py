"""Binds the credential of a receiver to the place that took it first: a changed address must not carry it off.

As `scanner.bindings` does for applications; kept with what else is remembered of the receiver.
"""

import hashlib
import json
from dataclasses import replace

from scanner.collectors import origin as origins
from scanner.errors import NoticeError
from scanner.notices.waiting import Waiting
from scanner.settings import Receiver


def check(receiver: Receiver, known: Waiting) -> None:
    """Raise NoticeError if the credential is known and its address is another one now."""
    place, first = _place(receiver), known.bound.get(_reference(receiver, known), "")
    acknowledged = {str(origins.of(one)) for one in receiver.auth.acknowledged_origins}
    if first and place not in {first, *acknowledged}:
        advice = f'set acknowledged_origins = ["{place}"] in its auth' if receiver.base_url else "name a new secret"
        raise NoticeError(
            f"the address of {receiver.id} changed: its secret was first used with {first}, and is not sent to {place};"
            f" if the change is right, {advice}"
        )


def bind(receiver: Receiver, known: Waiting) -> Waiting:
    """Return the file with the place that took the credential."""
    reference = _reference(receiver, known)
    return replace(known, bound={reference: _place(receiver), **known.bound}) if reference else known


def _place(receiver: Receiver) -> str:
    return str(origins.of(receiver.base_url)) if receiver.base_url else f"{receiver.host}:{receiver.port or ''}"


def _reference(receiver: Receiver, known: Waiting) -> str:
    """Return a hash of where the credential lies; the words of a command may be secret themselves."""
    secret = receiver.auth.secret
    if secret is None:
        return ""
    said = json.dumps([known.salt, secret.kind, secret.reference]).encode()
    return hashlib.sha256(said).hexdigest()
