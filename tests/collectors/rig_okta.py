"""A replayed Okta organisation as a source of the contract."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from contract import HOSTILE, Rig
from okta_replay import TOKEN, Organisation, user
from replay import replay

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.connections import ProviderSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

Rows = Sequence[tuple[str, str, str]]
ROWS = [("007", "ada", "ACTIVE"), ("u-2", "bo", "DEPROVISIONED"), ("u-3", "cy", "ACTIVE")]
Told = TypeVar("Told")


def organisation(rows: Rows, **more: object) -> Organisation:
    """Return an organisation with these users, and a group."""
    return Organisation([user(*one) for one in rows], {"Admins": ["007"]}, most=2, **more)  # type: ignore[arg-type]


def ask(org: Organisation, what: Callable[[Application], Told], **provider: object) -> Told:
    """Let `what` have an application at a running organisation."""
    os.environ["CONTRACT_OKTA"] = TOKEN
    with replay(org.answer) as server:
        app = Application(
            "okta",
            "Okta",
            "okta",
            base_url=server.origin,
            auth=Auth("bearer", Secret("env", "CONTRACT_OKTA"), scheme="SSWS"),
            time_zone="UTC",
            provider=ProviderSettings(**provider),  # type: ignore[arg-type]
            limits=Limits(page_size=2, retries=2, max_seconds=20, rate_share=1),
        )
        return what(app)


def collect(folder: Path, org: Organisation, **provider: object) -> Collected:
    """Collect an organisation."""
    return ask(org, lambda app: SOURCES["okta"].collect(app, folder / "staging", no_progress), **provider)


def _looked(folder: Path) -> Look:
    return ask(organisation(ROWS), SOURCES["okta"].look)


RIGS = {
    "okta": Rig(
        complete=lambda folder: collect(folder, organisation(ROWS)),
        cut=lambda folder: collect(
            folder, organisation([*ROWS, ("u-4", "di", "ACTIVE")], denied={"/api/v1/users?after"})
        ),
        denied=lambda folder: collect(folder, organisation(ROWS, denied={"/api/v1/users/007/factors"})),
        duplicates=lambda folder: collect(folder, organisation([*ROWS, ("u-3", "di", "ACTIVE")])),
        odd_status=lambda folder: collect(folder, organisation([*ROWS, ("u-4", "di", "Perhaps")])),
        hostile=lambda folder: collect(
            folder, organisation([(f"h{at}", name, "ACTIVE") for at, name in enumerate(HOSTILE)])
        ),
        unreadable=lambda folder: collect(folder, organisation(ROWS, token="another")),
        look=_looked,
        module="okta",
        page="okta",
    )
}
