"""Problems of a TOML file with the lines of what is wrong, which a TOML parser does not tell."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from scanner.config_keys import Problems

_HEADER = re.compile(r"""\[\[\s*["']?([A-Za-z0-9_-]+)["']?\s*\]\]""")
_KEY = re.compile(r"""["']?([A-Za-z0-9_-]+)["']?\s*=\s*(.*)""")
_PLACE = re.compile(r"([A-Za-z0-9_-]+)\[(\d+)\](?:\.([A-Za-z0-9_-]+))?")


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the entries of a file, each below a `[[name]]`, and their keys stand."""

    top: dict[str, int] = field(default_factory=dict)
    """Key before the first entry -> line."""
    entries: dict[str, list[tuple[int, dict[str, int]]]] = field(default_factory=dict)
    """Name -> line of each header; key -> line."""

    def of(self, name: str, number: int, key: str | None = None) -> int:
        """Return the line of an entry, counted from 1, or of one of its keys; 0 where it cannot be told."""
        entries = self.entries.get(name, ())
        if number > len(entries):  # an array in one line, which is TOML too
            return self.top.get(name, 0)
        line, keys = entries[number - 1]
        return keys.get(key or "", line)


def read_lines(text: str) -> Lines:
    """Return where the entries and keys of a TOML text stand."""
    found = Lines()
    keys = found.top
    quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        stripped = line.strip()
        if header := _HEADER.match(stripped):
            keys = {}
            found.entries.setdefault(header[1], []).append((number, keys))
        elif key := _KEY.match(stripped):
            keys.setdefault(key[1], number)
            quote = next((q for q in ('"""', "'''") if key[2].startswith(q) and q not in key[2][3:]), "")
    return found


class LocatedProblems(Problems):
    """Problems that tell the line."""

    def __init__(self, path: Path, lines: Lines) -> None:
        super().__init__(path)
        self._lines = lines

    def add(self, where: str, what: str) -> None:
        """Note that `where` is wrong, with its line."""
        place = _PLACE.match(where)
        name, number, key = (place[1], int(place[2]), place[3]) if place else (where.split(":")[0], 1, None)
        line = self._lines.of(name, number, key)
        said = _PLACE.sub(self._with_line, what)
        super().add(f"line {line}: {where}" if line else where, said)

    def _with_line(self, found: re.Match[str]) -> str:
        line = self._lines.of(found[1], int(found[2]))
        return f"{found[0]} (line {line})" if line else found[0]
