"""The tables of orphanscan.toml that say how a list is read over REST."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanner.config_keys import Check, Key, Problems, join, map_of, number, one_of, read_table, text
from scanner.config_values import no_secrets, of_form
from scanner.connections import GrantList

_PATH = re.compile(r"/[^\s?#\\]*")
_HEADER = of_form(r"[A-Za-z0-9-]+", "must be the name of a header, such as X-Total-Count")
_NEEDS_NEXT = ("cursor", "next")


def keys() -> dict[str, Key]:
    """Return the keys of `[application.rest]`."""
    return {**list_keys(), "grants": Key(_grants)}


def list_keys() -> dict[str, Key]:
    """Return the keys that describe one list."""
    return {
        "path": Key(_path, required=True),
        "query": Key(no_secrets(map_of(text))),
        "items": Key(text),
        "paging": Key(one_of("none", "page", "offset", "cursor", "next", "link")),
        "parameter": Key(text),
        "size_parameter": Key(text),
        "first": Key(number(0, 1, whole=True)),
        "next": Key(text),
        "count": Key(text),
        "count_header": Key(_HEADER),
    }


def check(settings: object, where: str, problems: Problems) -> None:
    """Demand what the way of paging needs, and refuse what it does not know."""
    if not isinstance(settings, Mapping):
        return
    paging = settings.get("paging", "none")
    if paging in _NEEDS_NEXT and "next" not in settings:
        problems.add(join(where, "next"), f'missing; paging = "{paging}" needs the place of it in an answer')
    unknown = {
        "next": paging not in _NEEDS_NEXT,
        "parameter": paging in ("none", "next", "link"),
        "first": paging not in ("page", "offset"),
        "size_parameter": paging == "none",
    }
    for name, is_unused in unknown.items():
        if is_unused and name in settings:
            problems.add(join(where, name), f'does not apply to paging = "{paging}"')
    if "count" in settings and "count_header" in settings:
        problems.add(join(where, "count_header"), "does not go with count: say one of the two")


def _path(value: object) -> str:
    path = text(value)
    if not _PATH.fullmatch(path) or "/../" in f"{path}/":
        raise ValueError("must be a path below base_url, such as /v1/users; parameters stand in query")
    return path


def _with_id(value: object) -> str:
    path = _path(value)
    if path.count("{id}") != 1:
        raise ValueError("must hold {id} once, such as /roles/{id}/users")
    return path


def _grants(value: object) -> tuple[GrantList, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("must be tables: [[application.rest.grants]]")
    return tuple(_grant(number, one) for number, one in enumerate(value, 1))


def _grant(number: int, raw: Mapping[str, Any]) -> GrantList:
    kinds: dict[str, Check] = {"kind": one_of("role", "group", "entitlement"), "path": _path, "members": _with_id}
    names = ("path", "items", "kind", "entitlement", "name", "account", "members", "members_items")
    problems = Problems(Path())
    values = read_table(
        raw, {name: Key(kinds.get(name, text), required=name == "path") for name in names}, f"table {number}", problems
    )
    if not problems.lines:
        is_asked_for_each = "{id}" in values["path"]
        if is_asked_for_each and {"account", "members"} & set(values):
            problems.add(f"table {number}", "account and members do not apply: the path names the account by {id}")
        if not is_asked_for_each and "account" not in values:
            problems.add(f"table {number}.account", "missing; where does an item name the account?")
    if problems.lines:
        raise ValueError("is wrong: " + "; ".join(problems.lines))
    return GrantList(**values)
