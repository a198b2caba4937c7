"""Reads the waiver file, with the line of everything that is wrong in it, and appends to it."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from scanner import rules
from scanner.config import Config
from scanner.config_keys import Problems, decode, parse_toml, read_checked, read_table, tables
from scanner.errors import ConfigError
from scanner.policy.entries import refuse_repeats
from scanner.waivers.entry import WAIVERS, Waiver, waiver

(_TABLE,) = WAIVERS.tables
_MOST_BYTES = 32 * 1024 * 1024
_HEADER = re.compile(r"""\[\[\s*["']?waiver["']?\s*\]\]""")
_KEY = re.compile(r"""["']?([A-Za-z0-9_-]+)["']?\s*=\s*(.*)""")
_PLACE = re.compile(r"waiver\[(\d+)\](?:\.([A-Za-z0-9_-]+))?")


def read(config: Config) -> tuple[Waiver, ...]:
    """Return the waivers that the configuration names; none where it names no file. ConfigError if one is wrong."""
    if config.waivers.file is None:
        return ()
    apps = [app.id for app in config.applications]
    return read_file(config.waivers.file, rules.ids(config.rules.paths), apps)


def read_file(path: Path, known: Collection[str], apps: Collection[str]) -> tuple[Waiver, ...]:
    """Return the waivers of a file that nobody else may write; ConfigError with line and key of all that is wrong.

    Args:
        path: of the file.
        known: ids of all rules, the disabled ones included.
        apps: ids of all applications.
    """
    content, _ = read_checked(path)
    return parse(content, path, known, apps)


def parse(content: bytes, path: Path, known: Collection[str], apps: Collection[str]) -> tuple[Waiver, ...]:
    """Return the waivers in the content of a file; see `read_file`."""
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path}: is larger than {_MOST_BYTES // 1024 // 1024} MB, and so no list of decisions")
    raw = parse_toml(content, path)
    lines = _lines(decode(content, path))
    problems = _LocatedProblems(path, lines)
    top = {key: value for key, value in raw.items() if key != _TABLE.name}
    for key in top:
        problems.add(key, f"unknown key; a waiver stands under [[{_TABLE.name}]]")
    found = []
    identities: list[tuple[str, Hashable]] = []
    (identity,) = _TABLE.identities
    for number, (where, item) in enumerate(tables(raw, _TABLE.name, problems), start=1):
        values = read_table(item, _TABLE.keys(), where, problems)
        entry = waiver(values, lines.of(number), where, known, apps, problems)
        identities.append((where, tuple(str(values.get(name)) for name in (*identity, "exact"))))
        if entry is not None:
            found.append(entry)
    refuse_repeats(identities, problems)
    problems.raise_if_any()
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where entries and their keys stand. A TOML parser does not tell."""

    top: Mapping[str, int]
    entries: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    """Line of the header; key -> line."""

    def of(self, number: int, key: str | None = None) -> int:
        """Return the line of an entry, counted from 1, or of one of its keys; 0 where it cannot be told."""
        if number > len(self.entries):  # an array in one line, which is TOML too
            return self.top.get(_TABLE.name, 0)
        line, keys = self.entries[number - 1]
        return keys.get(key or "", line)


def _lines(text: str) -> _Lines:
    top: dict[str, int] = {}
    found = _Lines(top)
    quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        stripped = line.strip()
        if _HEADER.match(stripped):
            found.entries.append((number, {}))
        elif key := _KEY.match(stripped):
            keys = found.entries[-1][1] if found.entries else top
            keys.setdefault(key[1], number)
            quote = next((q for q in ('"""', "'''") if key[2].startswith(q) and q not in key[2][3:]), "")
    return found


class _LocatedProblems(Problems):
    """Problems that tell the line."""

    def __init__(self, path: Path, lines: _Lines) -> None:
        super().__init__(path)
        self._lines = lines

    def add(self, where: str, what: str) -> None:
        """Note that `where` is wrong, with its line."""
        place = _PLACE.match(where)
        line = self._lines.of(int(place[1]), place[2]) if place else self._lines.top.get(where, 0)
        said = _PLACE.sub(lambda found: self._with_line(found), what)
        super().add(f"line {line}: {where}" if line else where, said)

    def _with_line(self, found: re.Match[str]) -> str:
        line = self._lines.of(int(found[1]))
        return f"{found[0]} (line {line})" if line else found[0]


def add(
    path: Path, values: Mapping[str, Any], known: Collection[str], apps: Collection[str]
) -> tuple[Waiver, tuple[Waiver, ...]]:
    """Append an entry; every byte that stands there stays. Returns it, and all that the file then holds.

    ConfigError if the file as it would become is wrong; then nothing is written.
    """
    path = path.resolve()
    content = read_checked(path)[0] if path.exists() else b"#:schema ./waivers.schema.json\n"
    end = "\r\n" if b"\r\n" in content else "\n"
    gap = b"" if not content or content.endswith(b"\n") else end.encode()
    head = "" if not content else end
    lines = [f"[[{_TABLE.name}]]", *(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None)]
    new = content + gap + (head + end.join(lines) + end).encode()
    found = parse(new, path, known, apps)
    _replace(path, new)
    return found[-1], found


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    # A basic string of TOML is written as JSON is, but for DEL.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(path: Path, content: bytes) -> None:
    """Write the file in one step, with the mode that it had."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, mode)
                file.write(content)
                file.flush()
                os.fsync(handle)
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error
