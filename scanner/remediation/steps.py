"""What one change looks at, before and after: the same for `apply` and for `undo`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scanner.remediation.model import Action, Kind, Request
from scanner.remediation.server import Resource, Server, active, elements, members


@dataclass(frozen=True, slots=True)
class Look:
    """What the server shows at one moment."""

    resource: Resource | None
    is_done: bool | None
    """Whether the change is there; None: no look can tell."""
    version: str | None
    others: frozenset[str] | None = None
    """Members beside the account, where the change is about a group."""
    doubt: str | None = None
    """Why nothing may be sent on what was seen."""


class Step(Protocol):
    """A change, and how its effect is seen."""

    @property
    def request(self) -> Request:
        """What is sent."""

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice does no more than sending it once."""

    def look(self) -> Look:
        """Ask the server; SourceError if it does not tell."""

    def surprise(self, before: Look, after: Look) -> str | None:
        """Return what else changed, or None."""


@dataclass(frozen=True, slots=True)
class AccountStep:
    """Switches an account on or off, or deletes it."""

    server: Server
    request: Request
    account_id: str
    active: bool
    """The wanted state."""
    may_vanish: bool = True
    """Whether the account is expected to be shown no longer."""
    is_idempotent: bool = True

    def look(self) -> Look:
        """Read the user; one that is not there counts as off."""
        resource = self.server.user(self.account_id)
        is_done = (resource is None or active(resource) is False) if not self.active else active(resource) is True
        return Look(resource, is_done, self.server.version(resource))

    def surprise(self, before: Look, after: Look) -> str | None:
        """Tell whether another account was hit, or whether more happened to this one than was planned."""
        if before.resource is not None and after.resource is None and not self.may_vanish:
            return (
                "the application no longer shows the account: it may have removed it, where it was to switch it off."
                ' If that is its way, say inactive = "remove" in [application.write], or name its profile'
            )
        return _renamed(before, after)


@dataclass(frozen=True, slots=True)
class MemberStep:
    """Takes one member out of a group, or puts it back."""

    server: Server
    request: Request
    group_id: str
    account_id: str
    present: bool
    is_idempotent: bool = True

    def look(self) -> Look:
        """Read the group with all its members."""
        resource = self.server.group(self.group_id)
        found = members(resource)
        is_done = resource is not None and (self.account_id in found) is self.present
        doubt = None
        if is_done and not self.present:
            # A list that is cut off, or not shown at all: who else would leave the group could not be seen.
            if self.group_id in elements(self.server.user(self.account_id), "groups"):
                is_done, doubt = False, "the group does not list the account, though the account lists the group"
            elif not found:
                doubt = "the group shows no members, so that nobody can see who is in it"
        others = frozenset(found) - {self.account_id}
        return Look(resource, is_done, self.server.version(resource), others, doubt)

    def surprise(self, before: Look, after: Look) -> str | None:
        """Compare the whole membership: nobody else may have come or gone."""
        if after.resource is None:
            return "the group is gone"
        was, now = before.others or frozenset(), after.others or frozenset()
        if was == now:
            return None
        return f"of {len(was)} other members {len(was - now)} are gone, and {len(now - was)} are new"


@dataclass(frozen=True, slots=True)
class ValueStep:
    """Takes a role or an entitlement from an account, or gives it back."""

    server: Server
    request: Request
    account_id: str
    attribute: str
    """roles or entitlements."""
    value: str
    present: bool
    is_idempotent: bool = True

    def look(self) -> Look:
        """Read the user and its values."""
        resource = self.server.user(self.account_id)
        found = elements(resource, self.attribute)
        is_done = resource is not None and (self.value in found) is self.present
        return Look(resource, is_done, self.server.version(resource), frozenset(found) - {self.value})

    def surprise(self, before: Look, after: Look) -> str | None:
        """Compare the other values, and who it is."""
        if before.others != after.others:
            return f"other {self.attribute} changed too"
        return _renamed(before, after)


@dataclass(frozen=True, slots=True)
class SessionsStep:
    """Ends the sessions of an account by the application's own call; nothing shows whether it did."""

    server: Server
    request: Request
    account_id: str
    is_idempotent: bool = False

    def look(self) -> Look:
        """Read the user, who must be there."""
        return Look(self.server.user(self.account_id), None, None)

    def surprise(self, before: Look, after: Look) -> str | None:
        """Tell whether another account was hit."""
        return _renamed(before, after)


def step_for(server: Server, action: Action, request: Request) -> Step:
    """Return the step of an action."""
    account_id = action.account_id or ""
    match action.kind:
        case Kind.DELETE:
            return AccountStep(server, request, account_id, active=False)
        case Kind.DEACTIVATE:
            may_vanish = action.meaning.effect == "remove" or server.profile.deactivation.still_listed is False
            return AccountStep(server, request, account_id, active=False, may_vanish=may_vanish)
        case Kind.REMOVE_GRANT:
            return _grant_step(server, request, account_id, action.entitlement or "", present=False)
        case Kind.REVOKE_SESSIONS:
            return SessionsStep(server, request, account_id)
        case Kind.NOTICE:
            raise ValueError("a notice sends nothing")


def undo_step(server: Server, kind: Kind, request: Request, account_id: str, entitlement: str | None) -> Step:
    """Return the step that takes a change back."""
    if kind is Kind.REMOVE_GRANT:
        return _grant_step(server, request, account_id, entitlement or "", present=True)
    return AccountStep(server, request, account_id, active=True)


def grant_element(resource: Resource | None, entitlement: str, account_id: str) -> Mapping[str, Any] | None:
    """Return the element that holds a grant, as the server showed it: what an undo puts back."""
    kind, _, value = entitlement.partition(":")
    if kind == "group":
        item = members(resource).get(account_id)
    else:
        item = elements(resource, "roles" if kind == "role" else "entitlements").get(value)
    if item is None:
        return None
    kept = dict(item) if isinstance(item, Mapping) else {"value": item}
    return {name: found for name, found in kept.items() if name in ("value", "type", "display", "primary")}


def _grant_step(server: Server, request: Request, account_id: str, entitlement: str, *, present: bool) -> Step:
    kind, _, value = entitlement.partition(":")
    if kind == "group":
        return MemberStep(server, request, value, account_id, present)
    return ValueStep(server, request, account_id, "roles" if kind == "role" else "entitlements", value, present)


def _renamed(before: Look, after: Look) -> str | None:
    if before.resource is None or after.resource is None:
        return None
    for name in ("userName", "externalId"):
        if before.resource.get(name) != after.resource.get(name):
            return f"{name} is another one than before"
    return None
