"""Values inside JSON objects, by dotted path; where a path meets a list, it goes through all of it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

ABSENT = object()
"""The path leads nowhere: not the same as a null."""


def at(record: object, path: str) -> object:
    """Return the value at a path, a list where the path goes through one, or ABSENT."""
    if isinstance(record, dict) and path in record:  # a key may hold dots itself
        return record[path]
    value: object = record
    keys = path.split(".")
    for depth, key in enumerate(keys):
        if isinstance(value, list):
            rest = ".".join(keys[depth:])
            found = [one for item in value if (one := at(item, rest)) is not ABSENT]
            return found if found or not value else ABSENT
        if not isinstance(value, dict) or key not in value:
            return ABSENT
        value = value[key]
    return value


def plain(value: object, date_format: str | None) -> object:
    """Return a value of a driver or parser as one that JSON knows; dates as the configuration wants them read."""
    match value:
        case datetime() | date():
            return value.strftime(date_format) if date_format else value.isoformat()
        case bytes():
            return value.hex()
        case list() | tuple():
            return list(value)
        case Mapping():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else str(value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def text(value: object) -> str | None:
    """Return a plain value as text; None where nothing is said, or nothing plain."""
    if isinstance(value, list):
        value = next((one for one in value if one is not None), None)
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value.encode("utf-8", "replace").decode().strip() or None
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else str(value)
    return None


def texts(value: object, separator: str | None) -> list[str]:
    """Return the values of a list, or of a cell in which a separator stands between them."""
    return list(_parts(value, separator))


def _parts(value: object, separator: str | None) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _parts(one, separator)
        return
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("name", "value", "displayName", "id") if key in value), None)
    said = text(value)
    if said is not None:
        yield from filter(None, map(str.strip, said.split(separator) if separator else [said]))
