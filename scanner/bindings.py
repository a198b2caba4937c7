"""Binds each secret to the origins that took it: a changed address must not carry a token off unnoticed.

`<state>/origins.json` holds, for each place where a secret lies, the origins that took the secret from there. The
place is written down as a keyed hash, as the words of a command may be secret themselves; of the secret itself there
is nothing, not even a hash.
"""

import hmac
import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scanner.collectors.origin import Origin
from scanner.collectors.origin import of as origin_of
from scanner.config import Application, Config, Roster
from scanner.credentials import Auth, Secret
from scanner.errors import StoreError
from scanner.evidence import write_file

FILE = "origins.json"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered."""

    key: str = field(default_factory=lambda: secrets.token_hex(_KEY_BYTES))
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Hash of the place of a secret -> where it was taken."""

    def of(self, secret: Secret) -> tuple[str, ...]:
        """Return the origins of a secret, the first one first; none if it was never taken anywhere."""
        return self.origins.get(self.place(secret), ())

    def place(self, secret: Secret) -> str:
        """Return the hash under which a secret is remembered."""
        reference = json.dumps([secret.kind, secret.reference]).encode()
        return hmac.digest(bytes.fromhex(self.key), reference, "sha256").hex()


def refusals(config: Config) -> Mapping[str, str]:
    """Return id -> why, for each application or roster whose secret would go to an origin that it is not bound to.

    Raises StoreError if what is remembered cannot be read: then nobody knows.
    """
    known = _read(config.state)
    return {
        app.id: sentence
        for app in config.sources
        for auth, secret in _carried(app)
        if (sentence := _refusal(app, auth, secret, known.of(secret)))
    }


def bind(config: Config, taken: Collection[str]) -> None:
    """Remember the origins of the sources `taken`, which let us in; call while the state folder is locked."""
    known = _read(config.state)
    origins = dict(known.origins)
    for app in config.sources:
        for auth, secret in _carried(app) if app.id in taken else ():
            place = known.place(secret)
            named = [str(origin) for _, origin in _addressed(app, auth)]
            origins[place] = tuple(dict.fromkeys([*origins.get(place, ()), *named]))
    if origins != known.origins:
        document = {"schema": "orphanscan.origins/1", "key": known.key, "origins": origins}
        try:
            write_file(config.state / FILE, json.dumps(document, indent=1).encode())
        except OSError as error:
            raise StoreError(f"{config.state / FILE} cannot be written: {error.strerror}") from None


def _carried(app: Application | Roster) -> Iterator[tuple[Auth, Secret]]:
    """Yield what is sent to a source: the credential for reading, and the one for writing where there is one."""
    write = app.write if isinstance(app, Application) else None
    for auth in (app.auth, write.auth if write else None):
        if auth is not None and auth.secret is not None:
            yield auth, auth.secret


def _refusal(app: Application | Roster, auth: Auth, secret: Secret, bound: tuple[str, ...]) -> str:
    if not bound:
        return ""
    allowed = {*bound, *(str(origin_of(one, any_scheme=True)) for one in auth.acknowledged_origins)}
    for key, origin in _addressed(app, auth):
        if str(origin) not in allowed:
            return (
                f"{key} changed: the secret in {secret.named} was first used with {bound[0]}, and is not sent"
                f' to {origin}; if the change is right, set acknowledged_origins = ["{origin}"] in its auth'
            )
    return ""


def _addressed(app: Application | Roster, auth: Auth) -> Iterator[tuple[str, Origin]]:
    """Yield the keys that say where the secret goes, or what it buys: the token endpoint is trusted with both."""
    addresses = [("base_url", app.base_url), ("auth.token_url", auth.token_url)]
    if isinstance(app, Application):
        addresses += [("database.url", app.database.url), ("ldap.url", app.ldap.url)]
    for key, address in addresses:
        origin = origin_of(address or "", any_scheme=True)
        if origin is not None:
            yield key, origin


def _read(state: Path) -> _Known:
    path = state / FILE
    try:
        document = json.loads(path.read_bytes())
        origins = {str(place): tuple(map(str, found)) for place, found in document["origins"].items()}
        return _Known(str(bytes.fromhex(document["key"]).hex()), origins)
    except FileNotFoundError:
        return _Known()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; check its owner and mode") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StoreError(
            f"{path} is damaged, so it is not known where secrets may go; restore it from your backup, or remove it to"
            " trust the addresses of the configuration once more"
        ) from None
