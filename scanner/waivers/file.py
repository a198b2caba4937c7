"""Reads the waiver file, with the line of everything that is wrong in it, and appends to it."""

import contextlib
import json
import os
import tempfile
from collections.abc import Collection, Hashable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from scanner import rules
from scanner.config import Config
from scanner.config_keys import decode, parse_toml, read_checked, read_table, tables
from scanner.errors import ConfigError
from scanner.policy.entries import refuse_repeats
from scanner.policy.located import LocatedProblems, read_lines
from scanner.waivers.entry import WAIVERS, Waiver, waiver

(_TABLE,) = WAIVERS.tables
_MOST_BYTES = 32 * 1024 * 1024


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
    lines = read_lines(decode(content, path))
    problems = LocatedProblems(path, lines)
    top = {key: value for key, value in raw.items() if key != _TABLE.name}
    for key in top:
        problems.add(key, f"unknown key; a waiver stands under [[{_TABLE.name}]]")
    found = []
    identities: list[tuple[str, Hashable]] = []
    (identity,) = _TABLE.identities
    for number, (where, item) in enumerate(tables(raw, _TABLE.name, problems), start=1):
        values = read_table(item, _TABLE.keys(), where, problems)
        entry = waiver(values, lines.of(_TABLE.name, number), where, known, apps, problems)
        identities.append((where, tuple(str(values.get(name)) for name in (*identity, "exact"))))
        if entry is not None:
            found.append(entry)
    refuse_repeats(identities, problems)
    problems.raise_if_any()
    return tuple(found)


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
