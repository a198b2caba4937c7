"""A database beside the staging files of one source, for work on all its rows at once in little memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import StoreError

_MEMORY = "256MB"


@contextmanager
def scratch(folder: Path, source_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database in `folder` that spills to it, and remove it afterwards; raises StoreError for our own disk."""
    database = folder / "scratch.duckdb"
    settings: dict[str, Any] = {"threads": "1", "memory_limit": _MEMORY, "temp_directory": os.fspath(folder)}
    try:
        with duckdb.connect(os.fspath(database), config=settings) as con:
            yield con
    except duckdb.OutOfMemoryException:
        raise StoreError(f"the rows of {source_id} do not fit into {_MEMORY} of memory, even spilled to disk") from None
    except duckdb.IOException as error:
        raise StoreError(f"the staging folder cannot be used: {str(error).splitlines()[0]}") from None
    finally:
        for file in (database, database.with_name(f"{database.name}.wal")):
            file.unlink(missing_ok=True)
