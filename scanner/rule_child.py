"""The child process that runs rules: read-only, without files or network, in a bounded address space.

DuckDB's own memory limit and interrupt are no sandbox, so the parent limits and kills this process. It reads one JSON
request a line on stdin, and answers with lines of JSON: any number of {"rows": ...}, then {"done": ...} or an error.
"""

import resource
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import msgspec

BATCH = 5_000


def main() -> None:
    """Serve requests until stdin ends."""
    memory_mb = int(sys.argv[1])
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connections: dict[str, duckdb.DuckDBPyConnection] = {}
    for line in sys.stdin.buffer:
        request = msgspec.json.decode(line)
        try:
            file = request["file"]
            if file not in connections:
                connections.clear()
                connections[file] = _open(file, memory_mb)
            _answer(connections[file], request)
        except (MemoryError, duckdb.OutOfMemoryException):
            _send({"error": "memory"})
        except duckdb.Error as exc:
            _send({"error": " ".join(str(exc).split())[:500]})


def _open(file: str, memory_mb: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(file, read_only=True)
    for setting in (
        "set TimeZone = 'UTC'",
        f"set memory_limit = '{memory_mb * 6 // 10}MB'",
        "set temp_directory = ''",
        "set autoinstall_known_extensions = false",
        "set autoload_known_extensions = false",
        "set search_path = 'audit'",
        "set enable_external_access = false",
        "set lock_configuration = true",
    ):
        con.execute(setting)
    return con


def _answer(con: duckdb.DuckDBPyConnection, request: dict[str, Any]) -> None:
    """Run one query; $as_of travels as text."""
    values = request["values"]
    if "as_of" in values:
        values["as_of"] = datetime.fromisoformat(values["as_of"])
    cursor = con.execute(request["sql"], values)
    columns = [entry[0] for entry in cursor.description or ()]
    while rows := cursor.fetchmany(BATCH):
        _send({"rows": [[_plain(value) for value in row] for row in rows]})
    _send({"done": columns})


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _send(message: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
