"""Checks of single values that several tables of orphanscan.toml share."""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

from scanner.config_keys import Check, WrongItemsError, text

_SECRET = re.compile(
    r"key|auth|sig|.*(token|password|passwd|pwd|passphrase|secret|bearer|credentials?|authorization|signature)"
    r"|.*(api|access|private|subscription|function|shared|account)key"
)
"""A name under which people write secrets, in lower case and without what stands between its words."""
_NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def of_form(pattern: str, what: str) -> Callable[[object], str]:
    """Return a check for text of one form: a regular expression, and its meaning, such as "must be one word"."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        said = text(value)
        if not compiled.fullmatch(said):
            raise ValueError(what)
        return said

    return check


def no_secrets(check: Check) -> Check:
    """Return a check for a table in which, at any depth, no key is the name of a secret, and that passes `check`."""

    def checked(value: object) -> object:
        if wrong := list(_secret_names(value)):
            raise WrongItemsError([(name, "a secret never stands in this file; use auth") for name in wrong])
        return check(value)

    return checked


def _secret_names(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if _SECRET.fullmatch(re.sub(r"[\W_]", "", name).lower()):
                yield name
            else:
                yield from _secret_names(one)
    elif isinstance(value, list):
        for one in value:
            yield from _secret_names(one)


def split_address(address: str) -> SplitResult:
    """Return the parts of an address; the error never repeats it, as it may hold a password."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # is checked only when asked for
    except ValueError:
        raise ValueError("is not a valid URL") from None
    return parts


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
