"""What `doctor` asks rosters and applications, without writing anywhere."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from scanner import bindings
from scanner.cli.checks.check import Check, Found, Result, guarded
from scanner.cli.text import age, size
from scanner.collectors import ROSTERS
from scanner.collectors.installed import application_type
from scanner.collectors.interface import Described, Look
from scanner.config import Application, Config, Roster
from scanner.credentials import Auth
from scanner.errors import OrphanscanError

_PROBE_SECONDS = 60.0
"""A scan waits longer for a slow server; somebody is watching this."""


def roster(one: Roster, refused: Mapping[str, str]) -> Iterator[Check]:
    """Look at a roster as its kind does."""
    what = f"roster {one.id}"
    yield from _whole(what, lambda: _asked(what, one, refused, lambda: ROSTERS[one.type].look(briefly(one))))


def _found(look: Look) -> Found:
    said, doubts = [look.detail], [look.doubt]
    if look.file is not None:
        facts = look.file.stat()
        hours = (time.time() - facts.st_mtime) / 3600
        said = [f"{look.file}: {size(facts.st_size)}, {age(hours)} old, {look.detail}"]
        doubts.append("is the export still running?" if hours > look.max_age_hours else "")
    raised = [doubt for doubt in doubts if doubt]
    return Result.WARNING if raised else Result.OK, "; ".join((*said, *raised))


def applications(apps: Sequence[Application], refused: Mapping[str, str]) -> Callable[[], Iterator[Check]]:
    """Look at all applications at once, in threads that Ctrl-C need not wait for; return what yields the results."""
    found: dict[str, list[Check]] = {}

    def look(app: Application) -> None:
        found[app.id] = _whole(f"application {app.id}", lambda: _application(app, refused))

    threads = [threading.Thread(target=look, args=(app,), daemon=True) for app in apps]
    for thread in threads:
        thread.start()

    def results() -> Iterator[Check]:
        for thread, app in zip(threads, apps, strict=True):
            thread.join()
            yield from found[app.id]

    return results


def _whole(what: str, checks: Callable[[], Iterator[Check]]) -> list[Check]:
    """Return the checks; of a fault of ours only the type, as its text may hold anything."""
    try:
        return list(checks())
    except Exception as error:
        return [Check(what, Result.FAILED, f"internal error while asking ({type(error).__name__}); please report it")]


def _application(app: Application, refused: Mapping[str, str]) -> Iterator[Check]:
    what = f"application {app.id}"
    if app.type == "none":
        yield Check(what, Result.NOTE, f"not connected, so not tested: {app.reason}")
        return
    for view in app.views:
        name = what if view is app else f"{what}, SCIM list"
        yield from _asked(name, view, refused, partial(_look, view))


def _look(app: Application) -> Look:
    return application_type(app.type).look(briefly(app))


def _asked(
    what: str, source: Roster | Application, refused: Mapping[str, str], look: Callable[[], Look]
) -> Iterator[Check]:
    """Look at a source whose secret can be read and may be sent."""
    own = _secret(source)
    if own is not None:
        yield own
    if own is not None and own.result is Result.FAILED:
        yield Check(what, Result.FAILED, "not asked: its secret cannot be read")
    elif source.id in refused:
        yield Check(what, Result.FAILED, refused[source.id])
    else:
        yield guarded(what, lambda: _found(look()))


def _secret(source: Roster | Application) -> Check | None:
    return secret(f"secret of {source.id}", source.auth)


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


def briefly(source: Described) -> Described:
    """Return the source with less patience."""
    return replace(source, limits=replace(source.limits, max_seconds=min(source.limits.max_seconds, _PROBE_SECONDS)))
