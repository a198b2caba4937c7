"""Files beside the store that name people, such as what waits to be told: read and written here, sealed like the store.

<state>/notices/<receiver>.json, <state>/reviews/<campaign>.json, or both with .age where the state folder is sealed.
"""

import contextlib
from pathlib import Path

from scanner.sealing import SUFFIX, replaced
from scanner.store import vault


def read(state: Path, path: Path) -> bytes:
    """Return what a file holds, opened in memory if it is sealed; FileNotFoundError if there is none."""
    sealed, found = path.with_name(path.name + SUFFIX), vault.keys_of(state)
    if found is not None:
        with contextlib.suppress(FileNotFoundError):
            return found.opened(sealed)
    return path.read_bytes()


def write(state: Path, path: Path, data: bytes) -> None:
    """Write a file in one atomic step, sealed if the state folder is to be; on disk when this returns."""
    found = vault.keys_of(state)
    if found is None:
        replaced(path, lambda part: part.write(data))
        return
    found.seal_bytes(data, path.with_name(path.name + SUFFIX))
    path.unlink(missing_ok=True)


def names(folder: Path) -> list[str]:
    """Return the names, without their ends, of the JSON files of a folder, sealed or not."""
    return sorted({path.name.partition(".json")[0] for end in ("", SUFFIX) for path in folder.glob(f"*.json{end}")})


def exists(path: Path) -> bool:
    """Whether there is a file, sealed or not."""
    return path.exists() or path.with_name(path.name + SUFFIX).exists()
