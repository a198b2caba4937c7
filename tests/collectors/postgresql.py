"""A real PostgreSQL server of the tests' own, from the Debian package."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

ADMIN_PASSWORD = "adm1n-of-the-tests"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed; `make postgresql` installs it")
    return found[-1].parent


def _owner() -> str | None:
    """Return who runs the server, which refuses to be root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def cluster() -> Iterator[int]:
    """Run a server on a port of its own; its superuser is `admin`."""
    programs, owner = _programs(), _owner()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        (folder / "password").write_text(ADMIN_PASSWORD)
        if owner:
            for path in (folder, folder / "password"):
                shutil.chown(path, owner)
        data = folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run = {"check": True, "user": owner, "capture_output": True, "cwd": folder}
        options = ["-A", "scram-sha-256", "-U", "admin", f"--pwfile={folder / 'password'}", "-N", "-E", "UTF8"]
        subprocess.run([programs / "initdb", "-D", data, *options, "--locale=C"], **run)  # type: ignore[call-overload]
        settings = {"listen_addresses": "*", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        words = [f"--{name}={value}" for name, value in settings.items()]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([programs / "postgres", "-D", data, *words], user=owner, stderr=log, cwd=folder)
        try:
            _await(port)
            yield port
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect(port: int, database: str = "postgres") -> psycopg.Connection:
    """Connect as the superuser; every statement is its own transaction."""
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname=database, user="admin", password=ADMIN_PASSWORD, autocommit=True
    )


def _await(port: int) -> None:
    for _ in range(600):
        try:
            connect(port).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")
