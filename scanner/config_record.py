"""What orphanscan.toml says, key by key and without secrets, for the evidence and for who compares two scans."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_GIVEN = ("query", "settings")
"""Tables whose keys are not ours: nobody here knows what stands in them."""


def keys(raw: Mapping[str, object]) -> dict[str, str]:
    """Return every key of the file with its value as JSON; tables in a list go by their `id`, or by their number.

    Secrets stand in the file by reference only. What might hold one all the same is left out: the words of a command
    after its first, and of an address the user and the query. What a request or a package is given in words of its own
    stands as a hash, which tells that it changed.
    """
    return dict(_keys("", raw))


def _keys(place: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            below = f"{place}.{name}" if place else str(name)
            if name == "command" or str(name).endswith("_command"):
                yield below, _command(one)
            elif name in _GIVEN and isinstance(one, Mapping):
                for inner, given in one.items():
                    yield f"{below}.{inner}", _digest(given)
            else:
                yield from _keys(below, one)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield from _keys(f"{place}.{one.get('id', number)}", one)
    else:
        yield place, json.dumps(_shown(value), ensure_ascii=False, default=str)


def _digest(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return json.dumps(f"sha256:{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}")


def _command(value: object) -> str:
    first = value[0] if isinstance(value, list) and value else ""
    return json.dumps([first, "..."], ensure_ascii=False)


def _shown(value: object) -> object:
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, str) and _ADDRESS.match(value):
        try:
            parts = urlsplit(value)
        except ValueError:
            return "..."
        query = "..." if parts.query or parts.fragment else ""
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
    return value
