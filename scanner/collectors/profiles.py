"""Vendor profiles: what is known of a product before its server is asked. One TOML file each, in profiles/.

Keys that a file leaves out, and those that it names in `unconfirmed`, have the value of generic.toml: what nobody has
confirmed is shown to people and decides nothing.
"""

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.config import COVERAGES
from scanner.config_keys import (
    Check,
    Key,
    Problems,
    boolean,
    join,
    list_of,
    map_of,
    nearest,
    number,
    one_of,
    parse_toml,
    read_table,
    table,
    text,
)
from scanner.errors import ConfigError

_FOLDER = Path(__file__).parent / "profiles"
_PATH = re.compile(r"(/[A-Za-z0-9]+)+")
_MAX_PATHS = 4


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute that a vendor's documentation allows. None: not said."""

    total: int | None = None
    """All requests together."""
    users: int | None = None
    """Pages of the list of users."""
    groups: int | None = None
    """Pages of the list of groups."""
    single: int | None = None
    """Reads of one user or group by itself."""


@dataclass(frozen=True, slots=True)
class Deactivation:
    """What happens to an account that is switched off. None: not known."""

    inactive: str
    """What active = false does: disable, remove, licence (it takes the licence only), none (only DELETE ends access) or
    unknown."""
    reversible: bool | None
    """Whether active = true brings everything back."""
    delete: str
    """What DELETE does: disable, remove, permanent (it destroys what belongs to the account) or unknown."""
    still_listed: bool | None
    """Whether deactivated accounts stay in the list."""
    second_writer_note: str
    """What breaks if somebody else than the identity provider writes."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One product. None: not known, or without a limit that is known."""

    id: str
    name: str
    coverage: str
    """all, provisioned_only, members_no_guests, one_domain or unknown."""
    coverage_note: str
    base_url: str
    """An example, for people."""
    max_page_size: int
    paging: str
    """index, cursor, or discover: ask ServiceProviderConfig."""
    sends_start_index: bool
    """False: the server does not know the parameter startIndex."""
    max_start_index: int | None
    """The server refuses a greater startIndex."""
    continue_by_id: bool
    """Whether filter=id gt "<last id>" goes on behind max_start_index."""
    discovery: tuple[str, ...]
    """Paths at which ServiceProviderConfig may be, the likeliest first."""
    groups: bool
    """False: the product has no groups, so a missing /Groups is no gap."""
    members: str
    """list: members come with the list of groups. single: ask for it with excludedAttributes=members, and then for
    each group by itself."""
    requests_per_minute: Rates
    placeholder_users: tuple[str, ...]
    """User names of made-up rows, to compare without case: a list that holds nothing else proves nothing."""
    deactivation: Deactivation
    active_form: str
    """The first form of PATCH to set active: path ({"path": "active", "value": false}), no_path ({"value": {"active":
    false}}) or string (as path, with "False")."""
    active_alternative: str
    """The one form to try where the first is refused with 400: as above, or none."""
    member_removal: str
    """filter: members[value eq "id"]. value: a remove of path members with a value, where a document says that it
    removes this one member only; other servers empty the whole group on it."""
    quirks: tuple[str, ...]
    """Sentences for people."""
    unconfirmed: tuple[str, ...]
    """Keys, dotted inside of tables, whose value nobody has confirmed."""
    sources: tuple[str, ...]
    claims: Mapping[str, object]
    """What the file says under the keys of `unconfirmed`: for display, never for a decision."""
    said: frozenset[str]
    """Keys that the file answers and that count; the others have the value of generic.toml."""


def names() -> tuple[str, ...]:
    """Return the ids of all profiles, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load(profile_id: str) -> Profile:
    """Return the profile called `profile_id`; ConfigError if there is none."""
    known = names()
    if profile_id not in known:
        near = difflib.get_close_matches(profile_id, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        raise ConfigError(f"there is no profile {profile_id!r}; {hint}")
    return read(_FOLDER / f"{profile_id}.toml")


def read(path: Path) -> Profile:
    """Return the profile in a file; ConfigError names the file and every key that is unknown, missing or wrong."""
    said = _said(path)
    claims = {key: said.pop(key) for key in said.get("unconfirmed", ())}
    values = {**_generic(), **said}
    deactivation = Deactivation(**{name: values.pop(f"deactivation.{name}") for name in _DEACTIVATION})
    return Profile(id=path.stem, deactivation=deactivation, claims=claims, said=frozenset(said), **values)


@functools.cache
def _generic() -> dict[str, Any]:
    return _said(_FOLDER / "generic.toml", is_generic=True)


def _said(path: Path, *, is_generic: bool = False) -> dict[str, Any]:
    """Return what a file says, checked, tables flattened to dotted keys."""
    try:
        raw = parse_toml(path.read_bytes(), path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    problems = Problems(path)
    said = read_table(raw, _KEYS, "", problems)
    inner = read_table(said.pop("deactivation", {}), _DEACTIVATION, "deactivation", problems)
    said |= {join("deactivation", name): value for name, value in inner.items()}
    for key in said.get("unconfirmed", ()):
        if key not in said:
            problems.add("unconfirmed", f'names "{key}", for which the file has no value')
    if is_generic:
        if said.get("unconfirmed"):
            problems.add("unconfirmed", "must be empty in the profile that all others fall back to")
        for key in sorted({*_CLAIMABLE, "quirks", "unconfirmed"} - set(said)):
            problems.add(key, "missing; this profile holds every key")
    problems.raise_if_any()
    return said


def _or_unknown(check: Check) -> Check:
    def checked(value: object) -> object:
        if value == "unknown":
            return None
        try:
            return check(value)
        except ValueError as error:
            raise ValueError(f'{error}; or "unknown"') from None

    return checked


def _note(value: object) -> str:
    """Accept one line of text that may be empty."""
    return "" if value == "" else text(value)


def _path(value: object) -> str:
    path = text(value)
    if not _PATH.fullmatch(path):
        raise ValueError("must be a path such as /ServiceProviderConfig")
    return path


def _paths(value: object) -> object:
    paths = list_of(_path, empty=False)(value)
    if isinstance(paths, tuple) and len(paths) > _MAX_PATHS:
        raise ValueError(f"must hold at most {_MAX_PATHS} paths, each of which costs a request")
    return paths


def _rates(value: object) -> Rates:
    """Accept one number for all requests together, or a table of them."""
    if not isinstance(value, dict):
        value = {"total": value}
    checked = map_of(_RATE, tuple(Rates.__dataclass_fields__))(value)
    return Rates(**checked)  # type: ignore[arg-type]  # map_of has checked names and values


def _claimable(value: object) -> str:
    key = text(value)
    if key not in _CLAIMABLE:
        raise ValueError(f'"{key}" is no key that can be unconfirmed{nearest(key, _CLAIMABLE)}')
    return key


_RATE = _or_unknown(number(1, 1_000_000, whole=True))
_EFFECTS = ("disable", "remove")
_DEACTIVATION = {
    "inactive": Key(one_of(*_EFFECTS, "licence", "none", "unknown")),
    "reversible": Key(_or_unknown(boolean)),
    "delete": Key(one_of(*_EFFECTS, "permanent", "unknown")),
    "still_listed": Key(_or_unknown(boolean)),
    "second_writer_note": Key(_note),
}
_KEYS = {
    "name": Key(text, required=True),
    "coverage": Key(one_of(*COVERAGES), required=True),
    "coverage_note": Key(_note),
    "base_url": Key(text),
    "max_page_size": Key(number(1, 100_000, whole=True)),
    "paging": Key(one_of("index", "cursor", "discover")),
    "sends_start_index": Key(boolean),
    "max_start_index": Key(_or_unknown(number(1, 2**31, whole=True))),
    "continue_by_id": Key(boolean),
    "discovery": Key(_paths),
    "groups": Key(boolean),
    "members": Key(one_of("list", "single")),
    "requests_per_minute": Key(_rates),
    "placeholder_users": Key(list_of(text)),
    "deactivation": Key(table),
    "active_form": Key(one_of("path", "no_path", "string")),
    "active_alternative": Key(one_of("path", "no_path", "string", "none")),
    "member_removal": Key(one_of("filter", "value")),
    "quirks": Key(list_of(text)),
    "unconfirmed": Key(list_of(_claimable)),
    "sources": Key(list_of(text, empty=False), required=True),
}
_FOR_PEOPLE = {"name", "quirks", "unconfirmed", "sources", "deactivation"}
_CLAIMABLE = {*(_KEYS.keys() - _FOR_PEOPLE), *(f"deactivation.{name}" for name in _DEACTIVATION)}
