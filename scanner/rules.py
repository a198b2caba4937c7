"""Rule files: find, parse, validate. A rule is one SQL file that returns violations only."""

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb

from scanner.config_keys import read_checked
from scanner.errors import ConfigError
from scanner.model import Severity
from scanner.model_rules import Needs, Rule, RuleParameter
from scanner.paths import bundled

_OPEN, _CLOSE = "/*---", "---*/"
_KEYS = {"title", "severity", "population", "needs", "why", "remedy", "remedy_mode", "lead", "personal", "params"}
_REQUIRED = ("title", "severity", "population", "why", "remedy")
_NEEDS = {"roster", "apps", "fields", "policy", "history"}
_PARAMETER = {"type", "default", "min", "max", "source"}
_MODES = ("none", "notify", "deactivate", "remove_grant", "revoke_sessions")
_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "text": (str,),
    "boolean": (bool,),
    "list": (list, tuple),
}

CONTRACT = ("app", "account_id", "reason", "entitlement", "worker_id", "subject", "verdict", "severity")
"""Columns with a meaning of their own; every other column is evidence."""

# The same evidence must give the same findings a year later: nothing that reads the clock, chance, or the session.
_FORBIDDEN = frozenset(
    [
        "now",
        "current_timestamp",
        "current_date",
        "current_time",
        "localtimestamp",
        "localtime",
        "get_current_time",
        "get_current_timestamp",
        "today",
        "transaction_timestamp",
        "random",
        "uuid",
        "uuidv4",
        "uuidv7",
        "gen_random_uuid",
        "setseed",
        "nextval",
        "currval",
        "txid_current",
        "version",
        "current_user",
        "current_setting",
        "getvariable",
        "getenv",
        "current_database",
        "current_schema",
    ]
)
_TABLE_FUNCTIONS = frozenset(["unnest", "range", "generate_series"])


def find(extra: Sequence[Path] = ()) -> tuple[Rule, ...]:
    """Return the shipped rules and those of further folders, by id; ConfigError names a file that cannot be used."""
    found: list[Rule] = []
    for path in _places(extra).values():
        if any(path.is_relative_to(folder) for folder in extra):
            # Whoever may write a rule of ours may hide an account.
            read_checked(path)
        found.append(parse(path))
    return tuple(sorted(found, key=lambda rule: rule.id))


def ids(extra: Sequence[Path] = ()) -> frozenset[str]:
    """Return the ids of the same rules, without parsing one."""
    return frozenset(_places(extra))


def _places(extra: Sequence[Path]) -> dict[str, Path]:
    places: dict[str, Path] = {}
    for folder in (bundled("rules"), *extra):
        if not folder.is_dir():
            raise ConfigError(f"there is no folder of rules {folder}; see [rules] paths in the configuration")
        for path in sorted(folder.rglob("*.sql")):
            if path.stem in places:
                raise ConfigError(f"two rules are called '{path.stem}': {places[path.stem]} and {path}")
            places[path.stem] = path
    return places


def parse(path: Path) -> Rule:
    """Read and validate one rule file; ConfigError says what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"cannot read the rule {path}: {exc}") from exc
    return _parsed(path, data)


@lru_cache(maxsize=256)
def _parsed(path: Path, data: bytes) -> Rule:
    """Parse and validate the content of a rule file, the same content once."""
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"cannot read the rule {path}: {exc}") from exc
    head, mark, sql = text.partition(_CLOSE)
    if not head.lstrip().startswith(_OPEN) or not mark:
        raise ConfigError(f"{path}: a rule begins with front matter between {_OPEN} and {_CLOSE}")
    try:
        front = tomllib.loads(head.lstrip().removeprefix(_OPEN))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: the front matter is not TOML: {exc}") from exc
    rule = _rule(path, front, sql.strip(), hashlib.sha256(data).hexdigest(), text)
    _validate(path, rule)
    return rule


def _rule(path: Path, front: Mapping[str, Any], sql: str, sha256: str, text: str) -> Rule:
    _known(path, front, _KEYS, "")
    for key in _REQUIRED:
        if not isinstance(front.get(key), str):
            raise ConfigError(f"{path}: the front matter needs a text '{key}'")
    if front["severity"] not in list(Severity):
        raise ConfigError(f"{path}: severity is one of {', '.join(Severity)}")
    if not front["population"].isidentifier():
        raise ConfigError(f"{path}: population is the name of a view of the audit schema")
    mode = front.get("remedy_mode", "none")
    if mode not in _MODES:
        raise ConfigError(f"{path}: remedy_mode is one of {', '.join(_MODES)}")
    needs = front.get("needs", {})
    _known(path, needs, _NEEDS, "needs.")
    return Rule(
        id=path.stem,
        theme=path.parent.name,
        title=front["title"],
        severity=Severity(front["severity"]),
        population=front["population"],
        needs=Needs(
            roster=needs.get("roster", False),
            apps=needs.get("apps", True),
            fields=tuple(needs.get("fields", ())),
            policy=tuple(needs.get("policy", ())),
            history=needs.get("history", False),
        ),
        why=" ".join(front["why"].split()),
        remedy=" ".join(front["remedy"].split()),
        remedy_mode=mode,
        lead=front.get("lead", False),
        personal=tuple(front.get("personal", ())),
        params=tuple(_parameter(path, name, spec) for name, spec in front.get("params", {}).items()),
        sql=sql,
        sha256=sha256,
        text=text,
    )


def _known(path: Path, table: Mapping[str, Any], keys: set[str], prefix: str) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            raise ConfigError(
                f"{path}: unknown key '{prefix}{key}'" + (f"; did you mean '{prefix}{near[0]}'?" if near else "")
            )


def _parameter(path: Path, name: str, spec: Mapping[str, Any]) -> RuleParameter:
    _known(path, spec, _PARAMETER, f"params.{name}.")
    if spec.get("type") not in _TYPES or "default" not in spec:
        raise ConfigError(f"{path}: params.{name} needs a default and a type, one of {', '.join(_TYPES)}")
    parameter = RuleParameter(
        name=name,
        type=spec["type"],
        default=spec["default"],
        minimum=spec.get("min"),
        maximum=spec.get("max"),
        source=spec.get("source", ""),
        value=spec["default"],
    )
    _check_value(f"{path}: params.{name}", parameter, spec["default"])
    return parameter


def with_params(rule: Rule, values: Mapping[str, object]) -> Rule:
    """Return the rule with parameters of the configuration in force; ConfigError names key and range."""
    by_name = {parameter.name: parameter for parameter in rule.params}
    for name, value in values.items():
        where = f"[rules.params.{rule.id}] {name}"
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            raise ConfigError(f"{where}: there is no such parameter" + (f"; did you mean '{near[0]}'?" if near else ""))
        _check_value(where, by_name[name], value)
    return replace(rule, params=tuple(replace(p, value=values.get(p.name, p.default)) for p in rule.params))


def _check_value(where: str, parameter: RuleParameter, value: object) -> None:
    fits = isinstance(value, _TYPES[parameter.type]) and isinstance(value, bool) == (parameter.type == "boolean")
    if not fits:
        raise ConfigError(f"{where} must be of type {parameter.type}, not {value!r}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = parameter.minimum, parameter.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigError(f"{where} is {value}; it must lie between {low} and {high}")


def _validate(path: Path, rule: Rule) -> None:
    """Ask DuckDB's parser, not a regular expression, what the SQL is and what it names.

    It is parsed only: binding folds constants, so a hostile rule would already run. Names and columns are checked where
    the rule runs, in its limited process.
    """
    con = _parser()
    try:
        statements = con.extract_statements(rule.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConfigError(f"{path}: a rule is exactly one select")
        row = con.execute("select json_serialize_sql($sql)", {"sql": rule.sql.rstrip().rstrip(";")}).fetchone()
    except duckdb.Error as exc:
        raise ConfigError(f"{path}: {' '.join(str(exc).split())}") from exc
    tree = json.loads(row[0]) if row else {}
    if tree.get("error"):
        raise ConfigError(f"{path}: {tree.get('error_message', 'the SQL cannot be read')}")
    _check_tree(path, tree)
    _check_parameters(path, rule, set(statements[0].named_parameters))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """Return an empty database that only parses: to open one takes several times as long as to parse a rule."""
    return duckdb.connect()


def _check_parameters(path: Path, rule: Rule, used: set[str]) -> None:
    declared = {parameter.name for parameter in rule.params}
    for name in sorted(used - declared - {"as_of"}):
        raise ConfigError(f"{path}: ${name} is used but not declared under [params]")
    for name in sorted(declared - used):
        raise ConfigError(f"{path}: the parameter {name} is declared but not used")


def _check_tree(path: Path, tree: object) -> None:
    for node in _nodes(tree):
        name = str(node.get("function_name", "")).lower()
        if name in _FORBIDDEN:
            raise ConfigError(f"{path}: {name}() does not give the same result twice; use $as_of for time")
        if node.get("type") == "TABLE_FUNCTION":
            inner = node.get("function") or {}
            table_function = str(inner.get("function_name", "")).lower()
            if table_function not in _TABLE_FUNCTIONS:
                raise ConfigError(f"{path}: the table function {table_function}() is not for rules")
        # A bare `current_date` and the like are column names to the parser.
        names = node.get("column_names")
        if isinstance(names, list) and len(names) == 1 and str(names[0]).lower() in _FORBIDDEN:
            raise ConfigError(f"{path}: {names[0]} does not give the same result twice; use $as_of for time")
        if node.get("type") == "BASE_TABLE":
            schema = f"{node.get('catalog_name') or ''}.{node.get('schema_name') or ''}".strip(".")
            if schema not in ("", "audit"):
                raise ConfigError(f"{path}: rules see the audit schema only, not {schema}")


def _nodes(tree: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def arguments(rule: Rule) -> dict[str, object]:
    """Return the parameters of the rule's SQL, without the clock."""
    return {
        parameter.name: list(parameter.value) if isinstance(parameter.value, (list, tuple)) else parameter.value
        for parameter in rule.params
    }


def fingerprint(
    rule: str,
    app: str | None,
    account_id: str | None,
    entitlement: str | None,
    worker_id: str | None,
    subject: str | None,
) -> str:
    """Return the id under which a finding is known over all scans."""
    identity = [rule, app, account_id, entitlement, worker_id if account_id is None else None, subject]
    return hashlib.sha256(json.dumps(identity, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def rules_sha256(rules: Sequence[Rule]) -> str:
    """Return one hash over the files and the parameter values of all rules in force."""
    facts = [[rule.id, rule.sha256, arguments(rule)] for rule in sorted(rules, key=lambda rule: rule.id)]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
