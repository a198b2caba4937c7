"""Runs a writer of the state folder and kills it at its n-th step on the disk; one request a line on stdin.

A request is [state folder, key file, what, n]; the answer is the number of the step at which it was killed, or 0 when
it came to its end before.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage  # noqa: F401 - loaded once, before the forks

from scanner.credentials import Secret
from scanner.sealing import recipients
from scanner.settings import EncryptionSettings
from scanner.store import beside, state, vault

CANARY = "Jane Roe"
NOTE = "notices/chat.json"
REVIEW = "reviews/2026-Q4.json"


def settings(key: str, previous: str | None = None) -> EncryptionSettings:
    """Return the settings of an identity in a file, sealed to its recipients."""
    secret = Secret("file", key)
    return EncryptionSettings(recipients(secret), secret, Secret("file", previous) if previous else None)


def commit(folder: Path, scan_id: str) -> None:
    """Commit a scan as `scan` does: a store and three files, all of which name a person."""
    with state.writing(folder, "scan"):
        staging = state.new_staging(folder, scan_id)
        for name in ("findings.json", "evidence/results.json", "evidence/manifest.json"):
            path = staging / "scan" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{scan_id} of {'nobody' if 'manifest' in name else CANARY}")
        (staging / state.STORE).write_text(f"store with {scan_id} of {CANARY}")
        state.commit(folder, staging)


def act(folder: Path, what: str) -> None:
    """Carry out one of the writers."""
    if what == "commit":
        commit(folder, "s2")
        return
    if what == "note":
        beside.write(folder, folder / NOTE, f"second of {CANARY}".encode())
        return
    found = vault.keys_of(folder)
    assert found is not None
    with state.writing(folder, what):
        {"seal": vault.seal_all, "unseal": vault.unseal_all, "rotate": vault.rotate}[what](folder, found)


def kill_at(number: int) -> None:
    """Let this process be killed before its n-th call that changes the disk or waits for it."""
    left = [number]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **values: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **values)

        return step

    for owner, names in (
        (os, ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir")),
        (Path, ("replace", "rename", "unlink", "write_text", "touch")),
        (shutil, ("copyfile",)),
    ):
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


def main() -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        folder, key, previous, what, number = json.loads(line)
        child = os.fork()
        if child == 0:
            vault.use(Path(folder), settings(key, previous))
            kill_at(number)
            act(Path(folder), what)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = number if os.WIFSIGNALED(status) else 0 if os.waitstatus_to_exitcode(status) == 0 else -1
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
