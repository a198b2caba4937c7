"""Kinds of applications that installed packages bring, beside those of orphanscan: the group `orphanscan.sources`.

A package names a value of `ApplicationType` as its entry point. It is code that reads secrets and decides what a scan
sees, so only the kinds that a configuration names are loaded, and what they return is held to its own numbers. How one
is made: docs/sources/your-own.md.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from scanner import secrets
from scanner.collectors import SOURCES
from scanner.collectors.interface import ROW_KEYS, SERVER_KEYS, ApplicationType, Look, Progress, SourceType
from scanner.collectors.redact import Redactor
from scanner.config import Application
from scanner.errors import ConfigError, OrphanscanError, SourceError, StoreError
from scanner.model import Collected, Source, Verdict

GROUP = "orphanscan.sources"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = frozenset(("base_url", "path", *SERVER_KEYS, *ROW_KEYS))
"""Keys of an application that a kind of a package may use; its own ones are `settings`."""
_FILES = ("users", "groups", "entitlements")


def installed() -> Mapping[str, EntryPoint]:
    """Return name -> entry point of each kind that a package brings; raises ConfigError where two bring one name."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if not _NAME.fullmatch(point.name) or point.name in (*SOURCES, "none"):
            continue  # a package does not replace what orphanscan brings
        if point.name in found and point != found[point.name]:
            raise ConfigError(
                f"two packages bring sources of type {point.name}: {_package(found[point.name])} and {_package(point)};"
                " uninstall one of them"
            )
        found[point.name] = point
    return found


def application_type(name: str) -> ApplicationType:
    """Return what there is to know of a type of application; raises ConfigError with a sentence where there is none."""
    return SOURCES[name] if name in SOURCES else _loaded(name)


@cache
def _loaded(name: str) -> ApplicationType:
    point = installed().get(name)
    if point is None:
        raise ConfigError(f"no installed package brings sources of type {name}")
    package = _package(point)
    try:
        brought = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a stranger's module does when it is imported, ending the program included
        raise ConfigError(f"type {name} comes from {package}, which cannot be loaded: {_said(error)}") from error
    if not isinstance(brought, SourceType):
        raise ConfigError(f"type {name} comes from {package}, whose entry point is no ApplicationType")
    if strange := set(brought.keys) - _KEYS:
        raise ConfigError(f"type {name} comes from {package}, which wants keys it cannot have: {', '.join(strange)}")
    return _held(replace(brought, provider=package))


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _said(error: BaseException) -> str:
    return Redactor().text(f"{type(error).__name__}: {error}", 200)


def _held(kind: ApplicationType) -> ApplicationType:
    """Return the kind with what it does held to the contract of all sources."""

    def collect(app: Application, into: Path, progress: Progress) -> Collected:
        blank = Source(id=app.id, kind="application", type=app.type, verdict=Verdict.FAILED)
        redactor = Redactor()
        try:
            if app.auth.secret is not None:
                redactor.add(secrets.read(app.auth.secret))
            collected = _judged(kind.collect(app, into, progress), into)
        except (StoreError, KeyboardInterrupt):
            raise  # our disk and our user, not their source
        except OrphanscanError as error:
            return Collected(replace(blank, detail=redactor.text(str(error), 400)))
        except BaseException as error:  # its text may hold anything
            return Collected(replace(blank, detail=f"{kind.provider} failed ({type(error).__name__}); tell its makers"))
        source = collected.source
        query = redactor.text(f"{source.query} (by {kind.provider})".strip(), 4000)
        source = replace(source, id=app.id, kind="application", type=app.type, query=query)
        return replace(collected, source=replace(source, detail=redactor.text(source.detail, 600)))

    def look(app: Application) -> Look:
        try:
            return kind.look(app)
        except (OrphanscanError, KeyboardInterrupt):
            raise
        except BaseException as error:  # likewise
            raise SourceError(f"{kind.provider} failed ({type(error).__name__}); tell its makers") from None

    return replace(kind, collect=collect, look=look)


def _judged(collected: Collected, into: Path) -> Collected:
    """Return what was collected as stated, unless its own numbers and files say otherwise."""
    source = collected.source
    if not isinstance(source.verdict, Verdict):
        return Collected(replace(source, verdict=Verdict.FAILED, detail="its verdict is none of scanner.model.Verdict"))
    if not all(name in _FILES and _is_within(file, into) for name, file in collected.files.items()):
        return Collected(replace(source, verdict=Verdict.FAILED, detail="it left files that no scan can use"))
    if source.verdict is not Verdict.COMPLETE:
        return collected
    left = _rows(collected.files["users"]) if "users" in collected.files else 0
    verdict, told = Verdict.UNKNOWN, ""
    if source.stated not in (None, source.collected):
        told = f"with {source.collected:,} of {source.stated:,} accounts"
    elif left != source.collected:
        told = f"counts {source.collected:,} accounts and leaves {left:,}"
    elif source.rejected:
        verdict, told = Verdict.SHORT, f"with {source.rejected:,} rejected rows"
    if not told:
        return collected
    detail = "; ".join(filter(None, (f"it calls the list complete, {told}", source.detail)))
    return replace(collected, source=replace(source, verdict=verdict, detail=detail))


def _is_within(file: Path, into: Path) -> bool:
    return file.parent == into and file.is_file() and not file.is_symlink()


def _rows(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
