"""What `doctor` can tell of remediation without changing anything: credentials for writing, approvers, signatures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from scanner.cli.checks.check import Check, Found, Result, guarded
from scanner.cli.checks.sources import briefly, secret
from scanner.config import Application, Config
from scanner.credentials import Auth

_UNPROVEN = "whether it may change accounts shows only when one is changed"


def credentials(apps: Sequence[Application], refused: Mapping[str, str]) -> Iterator[Check]:
    """Try the credential for writing of each application that has one, by reading one user with it."""
    for app in apps:
        if app.write is None:
            continue
        what = f"writing to {app.id}"
        own = secret(f"secret for {what}", app.write.auth)
        if own is not None:
            yield own
        if own is not None and own.result is Result.FAILED:
            yield Check(what, Result.FAILED, "not tried: its secret cannot be read")
        elif app.id in refused:
            yield Check(what, Result.FAILED, refused[app.id])
        else:
            yield guarded(what, partial(_try, app, app.write.auth))


def _try(app: Application, auth: Auth) -> Found:
    from scanner.collectors.http import HttpError, Session

    with Session(replace(briefly(app), auth=auth)) as session:
        try:
            session.get("/Users?startIndex=1&count=1", retries=1)
        except HttpError as error:
            if error.status == 403:
                # A credential that may change accounts need not be able to list them.
                return Result.NOTE, f"known there, and not allowed to list users; {_UNPROVEN}"
            return Result.FAILED, str(error)
    if auth == app.auth:
        return Result.WARNING, f"accepted, but it is the credential for reading too: give each its own; {_UNPROVEN}"
    return Result.OK, f"accepted; {_UNPROVEN}"


def approvals(config: Config) -> Iterator[Check]:
    """Check that plans could be approved, where something may be written at all."""
    if any(app.write is not None for app in config.applications):
        yield guarded("approvals", partial(_approvals, config))


def _approvals(config: Config) -> Found:
    from scanner.remediation import approve

    settings = config.remediation
    if settings.approvers is None:
        return Result.NOTE, "no [remediation] approvers: plans can be made, and none can be applied but unattended"
    known = approve.approvers(settings.approvers)
    needed = max(settings.approvals, settings.approvals_irreversible)
    named = f"{len(known)} approvers in {settings.approvers}"
    if len(known) < settings.approvals:
        return Result.FAILED, f"{named}, and a plan needs {settings.approvals}"
    if len(known) < needed:
        return Result.WARNING, f"{named}, and a plan with an irreversible change needs {needed}"
    return Result.OK, named
