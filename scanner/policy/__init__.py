"""The policy inputs: small files beside the configuration, read, checked and typed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanner.config import Config
from scanner.config_keys import Problems, decode, hash_checked, read_checked
from scanner.policy import entries, feeds
from scanner.policy.links import read_links
from scanner.policy.located import LocatedProblems, read_lines
from scanner.policy.spec import INPUTS, Input
from scanner.policy.values import (
    Allowance,
    ApprovedDomain,
    DutyConflict,
    DutyConflicts,
    DutyFunction,
    ErasureSchedule,
    LegalHold,
    Link,
    Policies,
    PolicyInput,
    PrivilegedEntitlement,
    RegisterEntry,
    Retention,
    RolePolicy,
)

__all__ = [
    "INPUTS",
    "Allowance",
    "ApprovedDomain",
    "DutyConflict",
    "DutyConflicts",
    "DutyFunction",
    "ErasureSchedule",
    "LegalHold",
    "Link",
    "Policies",
    "PolicyInput",
    "PrivilegedEntitlement",
    "RegisterEntry",
    "Retention",
    "RolePolicy",
    "files",
    "read_policies",
]

_READERS: dict[str, Callable[[entries.Document, Collection[str], Problems], Any]] = {
    "privileged_entitlements": entries.privileged_entitlements,
    "service_register": entries.service_register,
    "approved_domains": entries.approved_domains,
    "role_policy": entries.role_policy,
    "duty_conflicts": entries.duty_conflicts,
    "erasure_schedule": entries.erasure_schedule,
}
"""TOML input -> what makes typed values of it."""


def read_policies(config: Config) -> Policies:
    """Return every policy input that the configuration names; ConfigError with all that is wrong in one file."""
    apps = tuple(application.id for application in config.applications)
    read = _Reading(config, apps)
    links = read.links(config.matching.links) if config.matching.links else ()
    for name, path in files(config).items():
        if name in INPUTS:
            (read.feed if INPUTS[name].is_csv else read.document)(INPUTS[name], path)
    return Policies(links=links, feeds=tuple(read.feeds), inputs=tuple(read.inputs), **read.values)


def files(config: Config) -> dict[str, Path]:
    """Return the policy inputs that the configuration names, by name; the links are one of them."""
    found = {"links": config.matching.links} | {name: getattr(config.policy, name) for name in INPUTS}
    return {name: path for name, path in found.items() if path is not None}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What has been read so far."""

    config: Config
    apps: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    feeds: list[tuple[str, Path]] = field(default_factory=list)
    inputs: list[PolicyInput] = field(default_factory=list)

    def links(self, path: Path) -> tuple[Link, ...]:
        content, sha256 = read_checked(path)
        problems = Problems(path)
        found = read_links(content, path, self.apps, problems)
        problems.raise_if_any()
        self.inputs.append(PolicyInput("links", self._shown(path), sha256, len(found)))
        return tuple(found)

    def document(self, item: Input, path: Path) -> None:
        content, sha256 = read_checked(path)
        problems = LocatedProblems(path, read_lines(decode(content, path)))
        document = entries.read_document(item, content, path, problems)
        self.values[item.name] = _READERS[item.name](document, self.apps, problems)
        problems.raise_if_any()
        self.inputs.append(
            PolicyInput(
                item.name,
                self._shown(path),
                sha256,
                document.entries,
                document.top.get("approved_by"),
                document.approved_at,
                item.needs_approval,
            )
        )

    def feed(self, item: Input, path: Path) -> None:
        sha256 = hash_checked(path)
        problems = Problems(path)
        rows = feeds.check(item, path, problems)
        problems.raise_if_any()
        self.feeds.append((item.name, path))
        self.inputs.append(PolicyInput(item.name, self._shown(path), sha256, rows))

    def _shown(self, path: Path) -> str:
        """Return the path as the evidence shows it: relative to the configuration where it lies beside it."""
        folder = self.config.path.parent
        return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
