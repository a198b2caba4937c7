"""Reads the catalogue of what accounts of an application may hold: names, and which of them are privileged."""

from pathlib import Path

from scanner.collectors.accounts import LISTS, Entry
from scanner.collectors.table import Count, body, open_table
from scanner.collectors.table_columns import Layout, resolve
from scanner.errors import SourceError

_YES = ("yes", "y", "true", "t", "1", "x", "privileged")
_NO = ("no", "n", "false", "f", "0", "", "-", "standard", "normal")


def read_catalogue(path: Path, usual: str) -> tuple[Entry, ...]:
    """Return the entries of a CSV file with the columns entitlement, kind, name and privileged.

    `usual` is the kind of an entry that names none. Raises SourceError.
    """
    columns = ("entitlement", "kind", "name", "privileged")
    layout = Layout(path, "catalogue", columns, identity=("entitlement",))
    table = open_table("csv", layout)
    count = Count()
    entries: dict[tuple[str, str], Entry] = {}
    try:
        found = resolve(layout, table.header)
        for line, cells in body(table, found, count):
            said = {name: cells[at].strip() for name, at in found.items()}
            entry = _entry(said, usual, f"{path.name}, line {line:,}", "privileged" in found)
            if entry is not None and entries.setdefault((entry.kind, entry.entitlement), entry) != entry:
                raise SourceError(f"{path.name}, line {line:,}: '{entry.entitlement}' stands there twice, differently")
        table.finish()
    finally:
        table.close()
    if count.rejected:
        raise SourceError(f"{path.name}, line {count.rejected[0]:,}: another number of fields than the header")
    return tuple(entries.values())


def _entry(said: dict[str, str], usual: str, where: str, tells_privilege: bool) -> Entry | None:
    if not said["entitlement"]:
        return None
    kind = said.get("kind", "").lower() or usual
    if kind not in LISTS:
        raise SourceError(f"{where}: kind must be one of {', '.join(LISTS)}")
    word = said.get("privileged", "").lower()
    if word not in (*_YES, *_NO):
        raise SourceError(f"{where}: privileged must be yes or no")
    privileged = word in _YES if tells_privilege else None
    return Entry(kind, said["entitlement"], said.get("name") or None, privileged)
