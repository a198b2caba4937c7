"""The source that the documentation builds, held to the contract as those of orphanscan are."""

import atexit
import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import gatehouse
from contract import CANARY, HOSTILE, Rig
from gatehouse import Doors

from scanner.collectors.installed import application_type
from scanner.collectors.interface import ApplicationType, Look, no_progress
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.model import Collected

NAMES = ("id", "login", "state")
ROWS = [("007", "ada", "Active"), ("u-2", "bo", "Disabled"), ("u-3", "cy", "Active")]


@functools.cache
def kind() -> ApplicationType:
    """Return the type of the package, installed for as long as the tests run."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    gatehouse.install(folder)
    sys.path.append(str(folder))
    os.environ["CONTRACT_DOORS"] = CANARY
    return application_type("gatehouse")


def people(rows: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Return people as Gatehouse lists them."""
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def _application(base_url: str) -> Application:
    auth = Auth("header", Secret("env", "CONTRACT_DOORS"), header="X-Api-Key")
    limits = Limits(retries=0, max_seconds=20)
    return Application(
        *("doors", "Doors", "gatehouse"),
        base_url=base_url,
        auth=auth,
        limits=limits,
        settings={"site": "hq"},
        time_zone="UTC",
    )


def collect(folder: Path, rows: list[tuple[str, str, str]] = ROWS, **more: Any) -> Collected:
    """Collect from a server that holds these people."""
    with gatehouse.serving(Doors(people(rows), **{"key": CANARY, **more})) as base_url:
        into = folder / "staging"
        into.mkdir()
        return kind().collect(_application(base_url), into, no_progress)


def look(folder: Path) -> Look:
    """Look at a server that holds the people of the contract."""
    with gatehouse.serving(Doors(people(ROWS), CANARY)) as base_url:
        return kind().look(_application(base_url))


RIGS = {
    "gatehouse": Rig(
        complete=collect,
        cut=lambda folder: collect(folder, ends_after=2),
        denied=lambda folder: collect(folder, refused=("/api/zones",)),
        duplicates=lambda folder: collect(folder, [*ROWS, ("u-3", "di", "Active")]),
        odd_status=lambda folder: collect(folder, [*ROWS, ("u-4", "di", "Perhaps")]),
        hostile=lambda folder: collect(folder, [(f"h{at}", name, "Active") for at, name in enumerate(HOSTILE)]),
        unreadable=lambda folder: collect(folder, key="another"),
        look=look,
        module="orphanscan_gatehouse",
        page="your-own",
    )
}
