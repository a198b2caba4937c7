"""Checks of single values that several tables of orphanscan.toml share."""

import codecs
import re
from datetime import UTC, datetime

from scanner.config_keys import text

_NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def delimiter(value: object) -> str:
    """Accept one character, or its name."""
    if isinstance(value, str) and value in _NAMED_DELIMITERS:
        return _NAMED_DELIMITERS[value]
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError(f'must be one character, such as ";", or one of {", ".join(_NAMED_DELIMITERS)}')
    return value


def encoding(value: object) -> str:
    """Accept the name of a text encoding."""
    name = text(value)
    try:
        codecs.lookup(name)
        "".encode(name)
    except LookupError:
        raise ValueError(f'"{name}" is not an encoding such as utf-8 or cp1252') from None
    return name


def date_format(value: object) -> str:
    """Accept a strptime format that gives year, month and day back."""
    form = text(value)
    sample = datetime(2031, 11, 29, tzinfo=UTC)
    try:
        same = datetime.strptime(sample.strftime(form), form).date() == sample.date()
    except (ValueError, re.error):
        same = False
    if not same:
        raise ValueError(f'"{form}" does not hold year, month and day, such as %Y-%m-%d or %d.%m.%Y')
    return form
