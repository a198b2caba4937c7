"""Compares what a system lists itself with what its SCIM server lists: the part that the identity provider manages.

An account that only the system shows was made by hand, and closing the person in the identity provider does not close
it. One that only SCIM shows is managed, and the system's own list does not know of it: one of the two is not whole.
A SCIM user vouches for one account: that with its id or external id, else with its user name, else with its e-mail
address, letter case aside. Whoever shares a weaker of these is local, and so are all of several that are as near.
"""

import os
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import duckdb

from scanner.collectors import records
from scanner.collectors.accounts import RowFile, reader
from scanner.collectors.envelope import decode, encode
from scanner.collectors.interface import Progress
from scanner.collectors.listing import open_staging
from scanner.collectors.scim import collect_scim
from scanner.collectors.scratch import scratch
from scanner.config import Application
from scanner.model import ANSWERS, Collected, Verdict

_KEPT = ("userName", "displayName", "externalId", "userType", "active", "name", "emails")
"""Of a SCIM user whom only SCIM shows."""
ONLY_SCIM = "scim:"
"""In front of the id of such a user, which may be another one's in the system's own list."""
_TOLD = {
    "line": "bigint",
    **dict.fromkeys(("id", "external_id", "username", "kept"), "varchar"),
    "emails": "varchar[]",
}
_HERE = Path(__file__).parent


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
    with scratch(into, source.id) as con:
        _load(con, collected.files["users"], scim.files["users"], into)
        con.execute((_HERE / "second_view.sql").read_text())
        assigned = _write(con, source.id, into, collected.files["users"], is_whole=source.verdict is Verdict.COMPLETE)
        missing, several = con.execute(
            "select count(*) filter (s.line is null), count(*) filter (s.is_several)"
            " from scim_told t left join surest s on s.line = t.line"
        ).fetchone() or (0, 0)
    if source.verdict is Verdict.COMPLETE:
        source = replace(source, collected=source.collected + missing)
    if several:
        told = f"{several:,} SCIM users may each be any of several accounts, and vouch for none of them"
        source = replace(source, detail="; ".join(filter(None, (source.detail, told))))
    return Collected(source, {"idp_assignments": assigned, **collected.files})


def _load(con: duckdb.DuckDBPyConnection, own: Path, scim: Path, into: Path) -> None:
    """Make the tables own_told and scim_told: what each list says of an account, and what is left of it."""
    with own.open("rb") as lines:
        longest = max(map(len, lines), default=0)
    con.execute(
        "create table own_told as select json, json->>'$.id' as id, json->>'$.externalId' as external_id,"
        " json->>'$.userName' as username, json_extract_string(json, '$.emails[*].value') as emails"
        " from read_json_objects($file, format = 'newline_delimited',"
        f" maximum_object_size = {max(longest + 2, 65_536)})",
        {"file": os.fspath(own)},
    )
    with RowFile(into / "told.ndjson") as told, scim.open("rb") as lines:
        for line, text in enumerate(lines):
            told.add(_told(line, decode(text)))
    con.execute(
        f"create table scim_told as select * from {reader(told, _TOLD)}",
        {"file": os.fspath(told.path)},
    )
    told.path.unlink()


def _told(line: int, user: Any) -> dict[str, object]:
    kept = {name: user[name] for name in _KEPT if name in user}
    return {
        "line": line,
        "id": records.text(user["id"]),
        "external_id": records.text(user.get("externalId")),
        "username": records.text(user.get("userName")),
        "emails": records.texts(user.get("emails"), None),
        "kept": encode({"id": f"{ONLY_SCIM}{user['id']}", **kept, "origin": "scim_only"}).decode(),
    }


def _write(con: duckdb.DuckDBPyConnection, app: str, into: Path, users: Path, *, is_whole: bool) -> Path:
    """Write the accounts anew, each with its origin, and return the file of those that are assigned."""
    joined, assigned = into / "joined.ndjson", into / "idp_assignments.ndjson"
    for file in (joined, assigned):
        open_staging(file).close()  # nobody else may read it
    # JSON holds no control characters, so that nothing in a line needs to be quoted.
    con.execute(
        "copy (select json_merge_patch(json, json_object("
        "'origin', if(id in (select id from managed), 'scim', 'local')))::varchar from own_told"
        " union all select kept from scim_told where $is_whole and line not in (select line from surest))"
        " to $file (format csv, header false, use_tmp_file false,"
        " delimiter e'\\x01', quote e'\\x02', escape e'\\x02')",
        {"file": os.fspath(joined), "is_whole": is_whole},
    )
    con.execute(
        "copy (select $app as app, id as account, null as name, null as assigned_at from managed order by id) to $file"
        " (format json, use_tmp_file false)",
        {"file": os.fspath(assigned), "app": app},
    )
    joined.replace(users)
    return assigned


def _keep_answers(log: Path, into: Path) -> None:
    if log.exists():
        with into.open("ab") as out:
            out.write(log.read_bytes())
