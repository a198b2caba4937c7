"""Reads TOML tables against a list of known keys, and collects every error of a file before any is shown."""

import contextlib
import difflib
import hashlib
import json
import math
import os
import re
import stat
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError

Check = Callable[[object], object]
"""Returns the value to use, or raises ValueError with what is wrong: "must be ...". """

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a table may hold."""

    check: Check
    required: bool = False


class WrongItemsError(ValueError):
    """Several entries of one map are wrong."""

    def __init__(self, items: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"{len(items)} entries are wrong")
        self.items = items
        """Key of the entry, and what is wrong with it."""


class Problems:
    """The errors of one file, shown together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Note that `where` is wrong."""
        self.lines.append(f"{where}: {what}" if where else what)

    def raise_if_any(self) -> None:
        """Raise one ConfigError that names the file and every error, a line each."""
        if self.lines:
            raise ConfigError("\n".join((f"{self.path} cannot be used:", *(f"  {line}" for line in self.lines))))


def read_checked(path: Path) -> tuple[bytes, str]:
    """Return the bytes of a file that nobody else may write, and their sha256; ConfigError otherwise."""
    with _opened(path) as file:
        content = file.read()
    return content, hashlib.sha256(content).hexdigest()


def hash_checked(path: Path) -> str:
    """Return the sha256 of a file that nobody else may write and that may be large; ConfigError otherwise."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            # Whoever can write this file can hide an account: that must be its owner alone. (Windows has no such bits.)
            if os.name == "posix" and mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise ConfigError(
                    f"{path}: others may write this file (mode {stat.S_IMODE(mode):04o}), so it is not used. "
                    f"Check what it says, then run: chmod go-w {path}"
                )
            yield file
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def decode(content: bytes, path: Path) -> str:
    """Return UTF-8 text without a byte order mark; ConfigError with the line otherwise."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None


def parse_toml(content: bytes, path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; ConfigError with line and column if it is not one."""
    try:
        return tomllib.loads(decode(content, path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list in thousands of lists
        what = "a value is nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise ConfigError(f"{path}: not usable TOML: {what}") from None


def join(where: str, key: str) -> str:
    """Return the path of `key` inside `where`."""
    name = key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=True)
    return f"{where}.{name}" if where else name


def nearest(word: str, known: Collection[str]) -> str:
    """Return "; did you mean ...?", or the list of what is known where nothing comes near."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {names[near[0]]}?"
    return f"; known: {', '.join(sorted(known))}" if known else ""


def read_table(raw: Mapping[str, object], keys: Mapping[str, Key], where: str, problems: Problems) -> dict[str, Any]:
    """Return the checked values of a table; unknown, missing and wrong keys go to `problems`."""
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in keys:
            problems.add(join(where, name), f"unknown key{nearest(name, keys)}")
            continue
        try:
            values[name] = keys[name].check(value)
        except WrongItemsError as error:
            for item, what in error.items:
                problems.add(join(join(where, name), item), what)
        except ValueError as error:
            problems.add(join(where, name), str(error))
    for name, key in keys.items():
        if key.required and name not in raw:
            problems.add(join(where, name), "missing")
    return values


def tables(raw: Mapping[str, object], name: str, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and content of each `[[name]]`."""
    value = raw.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        problems.add(name, f"must be tables, each headed [[{name}]]")
        return
    for number, item in enumerate(value, start=1):
        label = item.get("id")
        shown = isinstance(label, str) and _BARE_KEY.fullmatch(label)
        yield f"{name}[{number}] ({label})" if shown else f"{name}[{number}]", item


def _said(value: object) -> str:
    """Return the type of a value in words; never the value, which may be a secret in the wrong place."""
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}
    more = {dict: "a table", datetime: "a date with a time", date: "a date"}
    return (words | more).get(type(value), "a time")


def anything(value: object) -> object:
    """Accept every value; the caller looks closer."""
    return value


def table(value: object) -> dict[str, Any]:
    """Accept a table."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {_said(value)}")
    return value


def text(value: object) -> str:
    """Accept text that is not blank, on one line."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_said(value)}")
    if not value.strip():
        raise ValueError("must not be empty")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("must not hold line breaks or control characters")
    return value


def boolean(value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_said(value)}")
    return value


def day(value: object) -> date:
    """Accept a TOML date."""
    if type(value) is not date:
        raise ValueError(f"must be a date such as 2026-03-31, without quotes, not {_said(value)}")
    return value


def number(minimum: float, maximum: float, *, whole: bool = False) -> Check:
    """Return a check for a number within bounds."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise ValueError(f"must be a {'whole ' if whole else ''}number, not {_said(value)}")
        if not math.isfinite(value) or not minimum <= value <= maximum:
            raise ValueError(f"must be from {minimum} to {maximum}")
        return value

    return check


def one_of(*allowed: str) -> Check:
    """Return a check for one of some words."""

    def check(value: object) -> str:
        word = text(value)
        if word not in allowed:
            raise ValueError(f'"{word}" is not one of {", ".join(allowed)}')
        return word

    return check


def list_of(item: Check, *, empty: bool = True) -> Check:
    """Return a check for a list whose items pass `item`, none of them twice."""

    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {_said(value)}")
        if not value and not empty:
            raise ValueError("must not be empty")
        found: list[object] = []
        for position, entry in enumerate(value, start=1):
            try:
                checked = item(entry)
            except ValueError as error:
                raise ValueError(f"item {position} {error}") from None
            if checked in found:
                raise ValueError(f"item {position} is there twice: {checked}")
            found.append(checked)
        return tuple(found)

    return check


def map_of(item: Check, known: Collection[str] = ()) -> Check:
    """Return a check for a table whose values pass `item` and whose keys, if `known` is given, are known."""

    def check(value: object) -> dict[str, object]:
        checked: dict[str, object] = {}
        wrong: list[tuple[str, str]] = []
        for key, entry in table(value).items():
            if known and key not in known:
                wrong.append((key, f"unknown key{nearest(key, known)}"))
                continue
            try:
                checked[key] = item(entry)
            except ValueError as error:
                wrong.append((key, str(error)))
        if wrong:
            raise WrongItemsError(wrong)
        return checked

    return check


def path_from(base: Path) -> Callable[[object], Path]:
    """Return a check for a path, made absolute from `base`."""

    def check(value: object) -> Path:
        try:
            return Path(os.path.normpath(base / Path(text(value)).expanduser()))
        except RuntimeError:
            raise ValueError("starts with ~, but there is no home folder") from None

    return check


def existing_from(base: Path, what: str) -> Check:
    """Return a check for a path at which a `file` or `folder` lies."""
    resolve = path_from(base)

    def check(value: object) -> object:
        path = resolve(value)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise ValueError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
        if not (stat.S_ISDIR(mode) if what == "folder" else stat.S_ISREG(mode)):
            raise ValueError(f"{path} is not a {what}")
        return path

    return check
