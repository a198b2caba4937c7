"""The tables of orphanscan.toml that say how applications without SCIM are read."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from scanner.config_keys import Key, boolean, number, one_of, text
from scanner.config_values import delimiter, encoding
from scanner.connections import FileSettings

MAKE: Mapping[str, Callable[..., object]] = {"file": FileSettings}
"""Name of the table -> the value that it is read into."""


def keys(base: Path) -> dict[str, dict[str, Key]]:
    """Return the keys of each table; paths are relative to `base`."""
    return {"file": _FILE}


def pattern_of_total(value: object) -> str:
    """Accept a regular expression that finds one number."""
    pattern = text(value)
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f'needs one group for the number, such as "TRAILER (\\\\d+)"; it has {groups}')
    return pattern


_FILE = {
    "delimiter": Key(delimiter),
    "encoding": Key(encoding),
    "sheet": Key(text),
    "header_row": Key(number(1, 10_000, whole=True)),
    "records": Key(text),
    "newest_by": Key(one_of("modified", "name")),
    "done_marker": Key(boolean),
    "stable_seconds": Key(number(0, 600)),
    "max_age_hours": Key(number(0.1, 87_600)),
    "min_rows": Key(number(1, 100_000_000, whole=True)),
    "control_total": Key(pattern_of_total),
    "expected_rows": Key(number(0, 1_000_000_000, whole=True)),
}
