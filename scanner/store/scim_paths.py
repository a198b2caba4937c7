"""Where an attribute lies in SCIM resources: a dotted path (RFC 7644 3.10) against what a server really writes."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_HEAD = 500
_STRIDE = 97
_SAMPLE = 3000
_BLOCK = 1024 * 1024

Keys = tuple[str, ...]
"""Object keys from the resource down to the value."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look over a staging file tells before DuckDB reads it."""

    longest: int
    """Bytes of the longest line."""
    places: Mapping[str, Keys]
    """Path -> keys as this server spells them."""


def survey(file: Path, paths: Iterable[str]) -> Survey:
    """Measure the lines of a file, and find in a sample of them how the server spells each path."""
    longest = 0
    sample: list[bytes] = []
    with file.open("rb") as lines:
        while block := lines.readlines(_BLOCK):
            longest = max(longest, max(map(len, block)))
            # All of the head, then a line here and there.
            sample += (block[::_STRIDE] if sample else block[:_HEAD])[: _SAMPLE - len(sample)]
    found = {path: candidates(path)[0] for path in paths}
    wanted = set(found)
    for line in sample if wanted else ():
        resource = _decoded(line)
        for path in tuple(wanted):
            keys = next(filter(None, (_walk(resource, keys) for keys in candidates(path))), None)
            if keys:
                found[path] = keys
                wanted.discard(path)
    # What the sample does not hold is looked for beside what it does: one extension has one spelling.
    spelled = {keys[0].lower(): keys[0] for path, keys in found.items() if path not in wanted}
    for path in wanted:
        head, *rest = found[path]
        found[path] = (spelled.get(head.lower(), head), *rest)
    return Survey(longest, found)


def candidates(path: str) -> Sequence[Keys]:
    """Return the places where a path may lie, the standard one first; some servers flatten their extensions."""
    if not path.lower().startswith("urn:"):
        return (tuple(path.split(".")), (path,)) if "." in path else ((path,),)
    urn, _, rest = path.rpartition(":")
    attribute = tuple(rest.split("."))
    if urn.lower().startswith(_CORE.lower()):
        return (attribute,)
    return ((urn, *attribute), (f"{urn}:{attribute[0]}", *attribute[1:]), (f"{urn}.{attribute[0]}", *attribute[1:]))


def json_path(keys: Sequence[str]) -> str:
    """Return the path in DuckDB's notation; every key is quoted, so that none can be read as anything else."""
    quoted = (key.replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return "$" + "".join(f'."{key}"' for key in quoted)


def top_levels(places: Iterable[Keys]) -> Iterable[tuple[str, list[Keys]]]:
    """Group places by their first key, letter case ignored, as column names do."""
    ordered = sorted(set(places), key=lambda keys: (keys[0].lower(), keys))
    for _, group in itertools.groupby(ordered, key=lambda keys: keys[0].lower()):
        same = list(group)
        yield same[0][0], same


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _walk(resource: object, keys: Keys) -> Keys | None:
    """Return the keys as spelled in this resource if a value lies there (RFC 7643 2.1: names are case insensitive)."""
    spelled = []
    for key in keys:
        if not isinstance(resource, dict):
            return None
        name = key if key in resource else next((name for name in resource if name.lower() == key.lower()), None)
        if name is None:
            return None
        spelled.append(name)
        resource = resource[name]
    return None if resource is None else tuple(spelled)
