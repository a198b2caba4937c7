"""Collects the accounts of an application from a REST API that the configuration describes.

Rights needed: to read the lists that the configuration names; only GET is sent, and only to the origin of `base_url`.
Covers what those lists return: whoever they leave out (disabled, local or technical accounts, guests) is left out here
too, so say in `coverage` what they hold. Each list is proven whole, by the total that it states or by a second reading.
The rate limit that the server states is kept to; `limits.requests_per_minute` sets one for a server that states none.
"""

from dataclasses import replace
from pathlib import Path

from scanner.collectors import accounts, records, rest_source
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading
from scanner.collectors.rest_paging import Row
from scanner.collectors.rest_source import Lists, Record, line_of, row_with
from scanner.columns import ACCOUNT_COLUMNS
from scanner.config import Application
from scanner.connections import GrantList, RestSettings
from scanner.model import Collected, Verdict


def collect_rest(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and, with a catalogue, entitlements.ndjson in `into`, with the verdict on all lists."""
    return rest_source.collect_accounts(app, into, progress, lambda reading, api: _read(app, reading, api))


def look(app: Application) -> Look:
    """Ask for one row, as a scan would; raises SourceError where a scan would fail."""
    seen: set[str] = set()
    found, _ = rest_source.look(app, app.rest, rows_of(app, seen))
    missing = [theirs for ours, theirs in app.columns.items() if ours not in seen]
    if missing:
        told = ", ".join(missing)
        return replace(found, doubt=f"the first row holds no {told}: is that its name, and may this credential see it?")
    if "status" not in app.columns:
        return replace(found, doubt="without status nobody can tell which accounts are active")
    return found


def rows_of(app: Application, seen: set[str]) -> Row:
    """Return what makes rows of accounts of records, by the column map; columns that say something go to `seen`."""
    paths = {ours: app.columns.get(ours, ours) for ours in ACCOUNT_COLUMNS}
    for ours in accounts.IDENTITY:
        if ours not in app.columns:
            del paths[ours]
    identity = accounts.identity_of(app.columns) or ""

    def row(record: Record) -> tuple[str, bytes] | None:
        found = {ours: records.at(record, path) for ours, path in paths.items()}
        told = {
            ours: records.texts(value, app.separator) if ours in accounts.LISTS else records.text(value)
            for ours, value in found.items()
            if value is not records.ABSENT
        }
        seen.update(told)
        said = told.get(identity)
        if not isinstance(said, str):
            return None
        # Under these names the listing tells one account from another with the same id.
        named = {"id": said, "userName": told.get("username") or told.get("email"), "active": told.get("status")}
        return said, line_of({**named, "row": told})

    return row


def _read(app: Application, reading: Reading, api: Lists) -> None:
    seen: set[str] = set()
    ids = []
    for one in api.all(app.rest, rows_of(app, seen), "users"):
        reading.account(one["row"])
        ids.append(one["id"])
    for ours, theirs in app.columns.items():
        if ours not in seen and ids:
            told = f"no record holds '{theirs}', which the column map names for {ours}: may this credential not see it?"
            api.doubts.append((Verdict.SHORT, told))
    for listed in app.rest.grants:
        _read_grants(reading, api, listed, app.rest, ids)


def _read_grants(reading: Reading, api: Lists, listed: GrantList, main: RestSettings, ids: list[str]) -> None:
    settings = replace(main, path=listed.path, items=listed.items, query={}, grants=())
    kind, held, holder = listed.kind, {"entitlement": listed.entitlement}, {"account": listed.account or "id"}
    if "{id}" in listed.path:
        for account, grants in api.each(settings, ids, row_with(held, name=listed.name), kind):
            for one in grants:
                reading.grant(account, one["entitlement"], kind, name=one["name"])
    elif listed.members is not None:
        rows = api.further(settings, row_with(held, name=listed.name), f"{kind}s")
        names = {one["entitlement"]: one["name"] for one in rows}
        settings = replace(settings, path=listed.members, items=listed.members_items)
        for entitlement, members in api.each(settings, names, row_with(holder), f"members of a {kind}"):
            for one in members:
                reading.grant(one["account"], entitlement, kind, name=names[entitlement])
    else:
        for one in api.further(settings, row_with({**holder, **held}, name=listed.name), f"{kind} grants"):
            reading.grant(one["account"], one["entitlement"], kind, name=one["name"])
