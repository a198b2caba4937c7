"""Real SCIM servers as processes on loopback: django-scim2, and SCIMMY behind Express 4 and 5 (installed by npm)."""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SERVERS = Path(__file__).parent.parent / "servers"
TOKEN = "canary-9d31b7f04e5a"
Stored = dict[str, list[dict[str, Any]]]


@contextmanager
def django_scim(folder: Path, stored: Stored) -> Iterator[str]:
    """Run a Django site with django-scim2 and yield its base URL."""
    with _process([sys.executable, str(SERVERS / "django_site" / "serve.py")], folder, stored) as base_url:
        yield base_url


@contextmanager
def scimmy(express: int, installed: Path, folder: Path, stored: Stored) -> Iterator[str]:
    """Run SCIMMY behind that version of Express and yield its base URL; `installed` keeps what npm fetched."""
    home = installed / f"express{express}"
    _install(SERVERS / "scimmy" / f"express{express}", home)
    shutil.copy(SERVERS / "scimmy" / "server.mjs", home)
    with _process(["node", str(home / "server.mjs")], folder, stored) as base_url:
        yield base_url


def _install(source: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "installing").open("w") as turn:
        # Tests run in several processes: one installs, the others wait.
        fcntl.flock(turn, fcntl.LOCK_EX)
        _install_alone(source, home)


def _install_alone(source: Path, home: Path) -> None:
    lock = (source / "package-lock.json").read_bytes()
    done = home / "installed.lock"
    if done.exists() and done.read_bytes() == lock:
        return
    if shutil.which("npm") is None:
        pytest.fail("Node.js and npm are needed for this test; `make test` installs them, or see https://nodejs.org")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, home)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    ended = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    if ended.returncode:
        pytest.fail(f"npm ci failed in {home}: {ended.stderr[-500:]}")
    done.write_bytes(lock)


@contextmanager
def _process(command: Sequence[str], folder: Path, stored: Stored) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "stored.json"
    file.write_text(json.dumps(stored))
    with subprocess.Popen([*command, str(file), TOKEN], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            port = running.stdout.readline().strip()
            assert port.isdigit(), f"{command[-1]} did not start"
            yield f"http://127.0.0.1:{port}/scim/v2"
        finally:
            running.kill()
