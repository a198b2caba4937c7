"""A REST API as a source of the contract."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from contract import CANARY, HOSTILE, Rig
from replay import Answer, Reply, Request, refused, replay

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.connections import GrantList, RestSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

Rows = Sequence[tuple[str, str, str]]
ROWS = [("007", "ada", "Active"), ("u-2", "bo", "Disabled"), ("u-3", "cy", "Active")]
SETTINGS = RestSettings(
    path="/users",
    items="data",
    paging="offset",
    size_parameter="limit",
    count="total",
    grants=(GrantList("/groups", name="name", kind="group", members="/groups/{id}/users", account="id"),),
)
COLUMNS = {"account_id": "id", "username": "login", "status": "state"}
Told = TypeVar("Told")


def _server(rows: Rows, total: int | None = None, denied: str = "") -> Answer:
    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {CANARY}":
            return refused(401)
        if request.path == denied:
            return refused(403, f"not with {CANARY}")
        if request.path == "/groups":
            return Reply({"data": [{"id": "g1", "name": "Admins"}], "total": 1})
        start = int(request.query.get("offset", 0))
        found: list[Any] = [{"id": "007"}] if request.path == "/groups/g1/users" else _records(rows)
        listed = found[start : start + int(request.query.get("limit", 2))]
        stated = len(found) if total is None or "groups" in request.path else total
        return Reply({"data": listed, "total": stated})

    return answer


def _records(rows: Rows) -> list[dict[str, str]]:
    return [{"id": one, "login": name, "state": state} for one, name, state in rows]


def _asked(answer: Answer, ask: Callable[[Application], Told]) -> Told:
    os.environ["CONTRACT_REST"] = CANARY
    with replay(answer) as server:
        app = Application(
            "erp",
            "ERP",
            "rest",
            base_url=server.origin,
            auth=Auth("bearer", Secret("env", "CONTRACT_REST")),
            columns=COLUMNS,
            time_zone="UTC",
            rest=replace(
                SETTINGS, grants=tuple(replace(one, items="data", members_items="data") for one in SETTINGS.grants)
            ),
            limits=Limits(page_size=2, retries=0, max_seconds=20),
        )
        return ask(app)


def _collected(folder: Path, rows: Rows, total: int | None = None, denied: str = "") -> Collected:
    return _asked(
        _server(rows, total, denied), lambda app: SOURCES["rest"].collect(app, folder / "staging", no_progress)
    )


def _looked(folder: Path) -> Look:
    return _asked(_server(ROWS), SOURCES["rest"].look)


RIGS = {
    "rest": Rig(
        complete=lambda folder: _collected(folder, ROWS),
        cut=lambda folder: _collected(folder, ROWS[:2], total=3),
        denied=lambda folder: _collected(folder, ROWS, denied="/groups/g1/users"),
        duplicates=lambda folder: _collected(folder, [*ROWS, ("u-3", "di", "Active")]),
        odd_status=lambda folder: _collected(folder, [*ROWS, ("u-4", "di", "Perhaps")]),
        hostile=lambda folder: _collected(folder, [(f"h{at}", name, "Active") for at, name in enumerate(HOSTILE)]),
        unreadable=lambda folder: _collected(folder, ROWS, denied="/users"),
        look=_looked,
        module="rest",
        page="rest",
    )
}
