"""The part of docs/reference.md about orphanscan.toml, from the values that it is read into."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from typing import Any

from scanner import config, connections, credentials, settings

_NAMES = {"header": "name", "secret": "", "identity": "", "previous_identity": ""}
"""Field -> key, where the file has another one; empty where the text below the heading speaks of it."""
_SIGN_IN = (
    "The secret never stands in the file. One further key says where it lies: `token_env`, `token_file`,"
    " `token_keyring` or `token_command` for bearer; with `password_` in place of `token_` for basic,"
    " `client_secret_` for oauth2, `value_` for header, `key_` for api_key. basic needs username, oauth2 token_url and"
    " client_id, header the name of the header."
)
_SEALING = (
    "Seals the store and the scans ([how](encryption.md)). Without this table nothing is sealed. The private key never"
    " stands in the file: one of `identity_env`, `identity_file`, `identity_keyring`, `identity_command` is required;"
    " `previous_identity_` with the same endings names the one of before."
)
_TABLES: tuple[tuple[str, type[Any], str], ...] = (
    ("[[roster]]", config.Roster, "One list of people from HR."),
    ("[[application]]", config.Application, "One system that holds accounts. Without a name, its id is shown."),
    ("[application.auth]", credentials.Auth, f"How to sign in to an application of type scim. {_SIGN_IN}"),
    ("[application.limits]", config.Limits, "Bounds of an application that is asked over a network."),
    (
        "[application.write]",
        config.WriteSettings,
        "The write side of an application of type scim, for `apply` and `undo`. Without this table nothing is ever"
        " written there.",
    ),
    ("[application.file]", connections.FileSettings, "Of an application of type csv, excel or json."),
    ("[application.database]", connections.DatabaseSettings, "Of an application of type database or sqlite."),
    ("[application.rest]", connections.RestSettings, "Of an application of type rest."),
    (
        "[application.provider]",
        connections.ProviderSettings,
        "Of an identity provider that is read over its own API (okta, entra).",
    ),
    ("[application.github]", connections.GithubSettings, "Of an application of type github."),
    ("[application.scim]", config.ScimView, str(config.ScimView.__doc__)),
    ("[[application.rest.grants]]", connections.GrantList, str(connections.GrantList.__doc__)),
    (
        "[application.ldap]",
        connections.LdapSettings,
        "Of an application of type ldap ([directories](sources/directories.md)).",
    ),
    ("[scan]", settings.ScanSettings, ""),
    ("[matching]", settings.Matching, "Inputs of the match of accounts to people."),
    ("[[matching.kinds]]", settings.KindPattern, str(settings.KindPattern.__doc__)),
    (
        "[policy]",
        settings.Policy,
        "Paths of the policy inputs. A rule that needs one which is unset is unable to test.",
    ),
    (
        "[waivers]",
        settings.WaiverSettings,
        "Accepted risks.",
    ),
    ("[rules]", settings.RuleSettings, ""),
    ("[report]", settings.ReportSettings, ""),
    (
        "[evidence]",
        settings.EvidenceSettings,
        "What seals a scan besides the hashes of its files ([evidence](evidence.md)).",
    ),
    ("[privacy]", settings.PrivacySettings, "How long what is stored is kept ([privacy](privacy/README.md))."),
    ("[encryption]", settings.EncryptionSettings, _SEALING),
    ("[remediation]", settings.RemediationSettings, "Budgets, approvals and what may run unattended."),
    (
        "[[notify]]",
        settings.Receiver,
        "A place that hears of changes after a scan; see [running it every night](running-nightly.md). A secret is a"
        " table that says where it lies: `{ env = ... }`, `{ file = ... }`, `{ keyring = ... }` or"
        " `{ command = [...] }`.",
    ),
)


def parts() -> Iterator[str]:
    """Yield the paragraphs and tables, in the order of the file."""
    yield "Tables and keys of `orphanscan.toml`. Every path is relative to the file; an unknown key is an error."
    yield "`state`, above all tables, is the folder of the store; by default `orphanscan-state` beside the file."
    yield "### [organization]"
    yield "`name` and `timezone` (such as Europe/London) are required; `email_domains` lists the domains of your own."
    for heading, kind, text in _TABLES:
        said = _docstrings(kind)
        yield f"### {heading}"
        if text:
            yield text
        rows = [
            f"| {key} | {_default(heading, field)} | {said.get(field.name, '')} |"
            for field in fields(kind)
            for key in _keys(field)
        ]
        yield "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _keys(field: Field[Any]) -> tuple[str, ...]:
    """Return the keys of the file that make a field; a secret is named in one of four forms."""
    name = _NAMES.get(field.name, field.name)
    if field.name != "secret" and field.type == credentials.Secret | None:
        return tuple(f"{name}_{form}" for form in ("env", "file", "keyring", "command"))
    return (name,) if name else ()


def _docstrings(kind: type) -> dict[str, str]:
    """Return the text below each field of a dataclass."""
    said = {}
    for node in ast.walk(ast.parse(inspect.getsource(kind))):
        for field, below in pairwise(node.body if isinstance(node, ast.ClassDef) else ()):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                text = " ".join(str(below.value.value).split()).replace("|", "/")
                said[ast.unparse(field.target)] = re.sub(r"\bNone:", "Unset:", text)
    return said


def _default(heading: str, field: Field[Any]) -> str:
    """Return a default as the file would write it; nothing where the key is unset, or a table of its own."""
    if (heading, field.name) == ("[[application]]", "name") or field.default_factory is not MISSING:
        return ""
    if field.default is MISSING:
        return "*required*"
    return "" if field.default in (None, (), "") else f"`{_toml(field.default)}`"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
