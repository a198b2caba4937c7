"""Compares what a system lists itself with what its SCIM server lists: the part that the identity provider manages.

An account that only the system shows was made by hand, and closing the person in the identity provider does not close
it. One that only SCIM shows is managed, and the system's own list does not know of it: one of the two is not whole.
Accounts are the same that share an id, an external id, a user name or an e-mail address, letter case aside.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from scanner.collectors import records
from scanner.collectors.accounts import RowFile
from scanner.collectors.envelope import encode
from scanner.collectors.interface import Progress
from scanner.collectors.listing import open_staging
from scanner.collectors.scim import collect_scim
from scanner.config import Application
from scanner.model import ANSWERS, Collected, Verdict

_KEPT = ("userName", "displayName", "externalId", "userType", "active", "name", "emails")
"""Of a SCIM user whom only SCIM shows."""
ONLY_SCIM = "scim:"
"""In front of the id of such a user, which may be another one's in the system's own list."""


def compared(app: Application, into: Path, progress: Progress, collected: Collected) -> Collected:
    """Return the accounts with their origin, and those that only SCIM shows; the verdict covers both lists."""
    _, *views = app.views
    for view in views:
        folder = into / "scim"
        folder.mkdir(mode=0o700)
        try:
            collected = _compared(into, collected, collect_scim(view, folder, progress))
        finally:
            _keep_answers(folder / ANSWERS, into / ANSWERS)
            rmtree(folder)
    return collected


def _compared(into: Path, collected: Collected, scim: Collected) -> Collected:
    source, other = collected.source, scim.source
    source = replace(source, query=f"{source.query}; SCIM: {other.query}", pages=source.pages + other.pages)
    if other.verdict is not Verdict.COMPLETE:
        detail = "; ".join(filter(None, (source.detail, f"its SCIM list: {other.detail}")))
        verdict = Verdict.SHORT if source.verdict is Verdict.COMPLETE else source.verdict
        return replace(collected, source=replace(source, verdict=verdict, detail=detail))
    if "users" not in collected.files or "users" not in scim.files:
        return replace(collected, source=source)
    users, joined = collected.files["users"], into / "joined.ndjson"
    keys = [_keys(one) for one in _read(scim.files["users"])]
    managed = set[str]().union(*keys)
    shown: set[str] = set()
    with open_staging(joined) as out, RowFile(into / "idp_assignments.ndjson") as assigned:
        for one in _read(users):
            mine = _keys(one)
            shown |= mine
            is_managed = not managed.isdisjoint(mine)
            out.write(encode({**one, "origin": "scim" if is_managed else "local"}) + b"\n")
            if is_managed:
                assigned.add({"app": source.id, "account": one["id"], "name": None, "assigned_at": None})
        missing = 0
        if source.verdict is Verdict.COMPLETE:
            for one, theirs in zip(_read(scim.files["users"]), keys, strict=True):
                if shown.isdisjoint(theirs):
                    missing += 1
                    kept = {name: one[name] for name in _KEPT if name in one}
                    out.write(encode({"id": f"{ONLY_SCIM}{one['id']}", **kept, "origin": "scim_only"}) + b"\n")
    joined.replace(users)
    source = replace(source, collected=source.collected + missing)
    return Collected(source, {"idp_assignments": assigned.path, **collected.files})


def _keys(user: dict[str, Any]) -> set[str]:
    """Return by what an account may be known in another list."""
    mails = records.texts(user.get("emails"), None)
    named = (records.text(user.get(name)) for name in ("id", "externalId", "userName"))
    return {one.casefold() for one in (*named, *mails) if one}


def _read(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        yield from map(json.loads, lines)


def _keep_answers(log: Path, into: Path) -> None:
    if log.exists():
        with into.open("ab") as out:
            out.write(log.read_bytes())
