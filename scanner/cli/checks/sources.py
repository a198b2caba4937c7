"""What `doctor` asks rosters and applications, without writing anywhere."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from scanner import bindings
from scanner.cli.checks.check import Check, Found, Result, guarded
from scanner.cli.text import age, size
from scanner.config import Application, Auth, Config, Roster
from scanner.errors import OrphanscanError

_STALE_HOURS = 48
_CLOCK_SECONDS = 120
_PROBE_SECONDS = 60.0
"""A scan waits longer for a slow server; somebody is watching this."""


def roster(roster: Roster) -> Found:
    """Read the header as a scan would, and none of the people."""
    from scanner.collectors.roster import layout
    from scanner.collectors.table import open_table
    from scanner.collectors.table_columns import resolve

    facts = roster.path.stat()
    sheet = open_table(roster.type, layout(roster))
    try:
        columns = resolve(layout(roster), sheet.header)
    finally:
        sheet.close()
    hours = (time.time() - facts.st_mtime) / 3600
    detail = f"{roster.path}: {size(facts.st_size)}, {age(hours)} old, {len(columns)} columns known"
    missing = [name for name in ("status", "termination_date", "hire_date") if name not in columns]
    if missing:
        return Result.WARNING, f"{detail}; without {', '.join(missing)} some leavers cannot be told"
    if hours > _STALE_HOURS:
        return Result.WARNING, f"{detail}; is the export still running?"
    return Result.OK, detail


def applications(apps: Sequence[Application], refused: Mapping[str, str]) -> Callable[[], Iterator[Check]]:
    """Look at all applications at once, in threads that Ctrl-C need not wait for; return what yields the results."""
    found: dict[str, list[Check]] = {}

    def look(app: Application) -> None:
        found[app.id] = list(_application(app, refused))

    threads = [threading.Thread(target=look, args=(app,), daemon=True) for app in apps]
    for thread in threads:
        thread.start()

    def results() -> Iterator[Check]:
        for thread, app in zip(threads, apps, strict=True):
            thread.join()
            yield from found.get(app.id, [Check(f"application {app.id}", Result.FAILED, "internal error while asking")])

    return results


def _application(app: Application, refused: Mapping[str, str]) -> Iterator[Check]:
    what = f"application {app.id}"
    if app.type == "none":
        yield Check(what, Result.NOTE, f"not connected, so not tested: {app.reason}")
    elif app.type == "scim_file":
        yield guarded(what, lambda: _export(app))
    elif app.type in ("csv", "excel", "json"):
        yield guarded(what, lambda: _account_file(app))
    else:
        own = _secret(app)
        if own is not None:
            yield own
        if own is not None and own.result is Result.FAILED:
            yield Check(what, Result.FAILED, "not asked: its secret cannot be read")
        elif app.id in refused:
            yield Check(what, Result.FAILED, refused[app.id])
        else:
            ask = {"database": _database, "sqlite": _database}.get(app.type, _probe)
            yield guarded(what, lambda: ask(app))


def _secret(app: Application) -> Check | None:
    return secret(f"secret of {app.id}", app.auth)


def secret(what: str, auth: Auth) -> Check | None:
    """Say whether a secret can be read, never what it is; None where none is needed."""
    if auth.secret is None:
        return None
    from scanner import secrets

    try:
        secrets.read(auth.secret)
    except OrphanscanError as error:
        return Check(what, Result.FAILED, str(error))
    return Check(what, Result.OK, auth.secret.named)


def _export(app: Application) -> Found:
    if app.path is None:
        return Result.FAILED, "no path"
    with app.path.open("rb") as file:
        begins = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    facts = app.path.stat()
    hours = (time.time() - facts.st_mtime) / 3600
    detail = f"{app.path}: {size(facts.st_size)}, {age(hours)} old"
    if begins[:1] not in (b"{", b"["):
        return Result.FAILED, f"{detail}; it does not begin as JSON does"
    return (Result.WARNING, f"{detail}; is it recent enough?") if hours > _STALE_HOURS else (Result.OK, detail)


def _account_file(app: Application) -> Found:
    """Read the header as a scan would, and none of the accounts."""
    from scanner.collectors.account_file import columns_of
    from scanner.collectors.file_choice import choose, too_old

    if app.path is None:
        return Result.FAILED, "no path"
    file = choose(app.path, replace(app.file, stable_seconds=0), 0)
    columns = columns_of(app, file)
    facts = file.stat()
    hours = (time.time() - facts.st_mtime) / 3600
    detail = f"{file}: {size(facts.st_size)}, {age(hours)} old, {len(columns)} columns known"
    if "status" not in columns:
        return Result.WARNING, f"{detail}; without status nobody can tell which accounts are active"
    if stale := too_old(file, app.file.max_age_hours or _STALE_HOURS):
        return Result.WARNING, f"{detail}; {stale}"
    return Result.OK, detail


def _database(app: Application) -> Found:
    """Sign in, count, and read the first row: whether the rights suffice for the accounts."""
    from scanner.collectors.database import looked_at

    number, columns = looked_at(briefly(app))
    detail = f"signed in, {number:,} counted, {len(columns)} columns known"
    if not columns:
        return Result.FAILED, f"{detail}; no row came: does this user see the table?"
    if "status" not in columns:
        return Result.WARNING, f"{detail}; without status nobody can tell which accounts are active"
    return Result.OK, detail


def _probe(app: Application) -> Found:
    from scanner.collectors.probe import probe

    seen = probe(briefly(app))
    if not seen.reachable:
        return Result.FAILED, seen.detail
    skew = seen.clock_skew_seconds
    facts = [
        "it does not say how many users it holds" if seen.stated is None else f"{seen.stated:,} users stated",
        f"page size {seen.page_size}",
        "" if seen.paging is None else f"paging by {seen.paging}",
        "" if skew is None else f"clock {skew:+.0f} s",
        seen.detail,
    ]
    detail = ", ".join(fact for fact in facts if fact)
    if skew is not None and abs(skew) > _CLOCK_SECONDS:
        return Result.WARNING, f"{detail}; set the clock of this machine or of that server"
    return Result.OK, detail


def closely(config: Config, app: Application) -> Iterator[Check]:
    """Check one application as a whole; of a server, what a scan would meet."""
    refused = bindings.refusals(config)
    if app.type != "scim" or app.id in refused:
        yield from _application(app, refused)
        return
    from scanner.collectors.study import study

    own = _secret(app)
    if own is not None:
        yield own
    if own is not None and own.result is Result.FAILED:
        return
    try:
        for remark in study(briefly(app)):
            yield Check(remark.topic, Result.FAILED if remark.is_doubt else Result.OK, remark.text)
    except OrphanscanError as error:
        yield Check(f"application {app.id}", Result.FAILED, str(error))


def briefly(app: Application) -> Application:
    """Return the application with less patience."""
    return replace(app, limits=replace(app.limits, max_seconds=min(app.limits.max_seconds, _PROBE_SECONDS)))
