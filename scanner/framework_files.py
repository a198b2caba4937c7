"""Reads frameworks and control families from TOML: the shipped ones, and those of further folders of rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from scanner.config_keys import (
    Key,
    Problems,
    anything,
    boolean,
    list_of,
    nearest,
    number,
    one_of,
    parse_toml,
    read_checked,
    read_table,
    table,
    tables,
    text,
)
from scanner.errors import ConfigError
from scanner.frameworks import (
    ALL_DATA,
    FURTHER_SECTIONS,
    SECTIONS,
    Bound,
    Control,
    Edge,
    Family,
    Framework,
    Strength,
    Structure,
)
from scanner.model_rules import Rule
from scanner.paths import bundled

_FAMILIES = "families"
_STRENGTH = Key(one_of(*Strength), required=True)
_TEXT = Key(text, required=True)
_LIMIT = Key(number(-1e9, 1e9))

_FAMILY_FILE = {"family": Key(anything, required=True)}
_FAMILY = {"id": _TEXT, "title": Key(text), "objective": Key(text), "rule": Key(anything)}
_HALF = {"id": _TEXT, "strength": _STRENGTH, "because": _TEXT, "not_covered": _TEXT}
_FRAMEWORK = {
    "id": _TEXT,
    "title": _TEXT,
    "edition": _TEXT,
    "status": Key(one_of("in_force", "proposed", "superseded"), required=True),
    "data": Key(one_of("personal", "financial", "ephi", "cardholder", ALL_DATA), required=True),
    "unit": Key(text),
    "note": Key(text),
    "structure": Key(table),
    "control": Key(anything, required=True),
}
_STRUCTURE = {
    "sections": Key(list_of(one_of(*SECTIONS, *FURTHER_SECTIONS), empty=False)),
    "flag": Key(one_of("force", "kind")),
    "shows_data": Key(boolean),
    "worksheet": Key(one_of("failed_controls", "addressable", "applications")),
    "incidents": Key(list_of(text)),
}
_CONTROL = {
    "id": _TEXT,
    "title": _TEXT,
    "paraphrase": _TEXT,
    "kind": _TEXT,
    "force": Key(one_of("mandatory", "required", "addressable", "principle", "guidance"), required=True),
    "families": Key(anything),
    "bounds": Key(anything),
    "not_tested": Key(list_of(text, empty=False), required=True),
    "confidence": Key(one_of("confirmed", "unconfirmed"), required=True),
    "verified_on": Key(text),
    "source": _TEXT,
}
_LINK = {"id": _TEXT, "strength": _STRENGTH, "because": _TEXT, "only": Key(list_of(text, empty=False))}
_BOUND = {"rule": _TEXT, "parameter": _TEXT, "at_most": _LIMIT, "at_least": _LIMIT, "because": _TEXT}


def files(folders: Sequence[Path] = (), kept: Path | None = None) -> Mapping[str, Path]:
    """Return id -> file of every framework, shipped or below `frameworks` of a further folder of rules.

    `kept` stands in for all of these: the frameworks that a bundle of evidence holds, one folder for each of theirs.
    """
    found: dict[str, Path] = {}
    for path in _toml_files(folders, kept):
        if path.stem == _FAMILIES:
            continue
        if path.stem in found:
            raise ConfigError(f"two frameworks are called '{path.stem}': {found[path.stem]} and {path}")
        found[path.stem] = path
    return dict(sorted(found.items()))


def load(folders: Sequence[Path] = (), rules: Iterable[Rule] = (), kept: Path | None = None) -> tuple[Framework, ...]:
    """Return every framework, in the order of their ids; `kept` as in `files`.

    Given the rules that there are, every rule and parameter that a file names must be one of them: a slip of the pen
    must not leave a control untested unnoticed. Raises ConfigError that names the file.
    """
    families = load_families(folders, kept)
    linked = tuple(families.values())
    frameworks = tuple(_framework(path, _content(path), linked) for path in files(folders, kept).values())
    known = {rule.id: rule for rule in rules}
    if known:
        _check(families.values(), frameworks, known)
    return frameworks


def load_families(folders: Sequence[Path] = (), kept: Path | None = None) -> Mapping[str, Family]:
    """Return control family -> the rules that speak about it; a further folder adds rules, or families of its own."""
    families: dict[str, Family] = {}
    for path in _toml_files(folders, kept):
        if path.stem != _FAMILIES:
            continue
        problems, document = Problems(path), parse_toml(_content(path), path)
        read_table(document, _FAMILY_FILE, "", problems)
        for place, row in tables(document, "family", problems):
            family = _family(row, place, families, problems)
            problems.raise_if_any()
            families[family.id] = family
        problems.raise_if_any()
    return families


def places(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders in which frameworks and families lie, the shipped ones first."""
    return tuple(folder / "frameworks" for folder in (bundled("rules"), *folders))


def _toml_files(folders: Sequence[Path], kept: Path | None) -> Iterator[Path]:
    for folder in sorted(kept.iterdir()) if kept else places(folders):
        yield from sorted(folder.glob("*.toml"))


def _content(path: Path) -> bytes:
    # Whoever may write a mapping may make a control that failed look clean.
    return path.read_bytes() if path.is_relative_to(bundled("rules")) else read_checked(path)[0]


def _family(row: Mapping[str, Any], place: str, known: Mapping[str, Family], problems: Problems) -> Family:
    values = read_table(row, _FAMILY, place, problems)
    name = values.get("id", "")
    before = known.get(name) or Family(name, values.get("title", ""), values.get("objective", ""), ())
    if name in known and len(values.keys() & {"title", "objective"}):
        problems.add(place, "the family exists: name its id and the rules to add, without title and objective")
    elif not (before.title and before.objective):
        problems.add(place, "a new family needs title and objective")
    rules = list(before.rules)
    for inner, entry in tables(row, "rule", problems):
        half = read_table(entry, _HALF, f"{place}.{inner}", problems)
        if half.get("id") in {edge.rule for edge in rules}:
            problems.add(f"{place}.{inner}", f"the family names the rule {half['id']} twice")
        elif half.keys() == _HALF.keys():
            rules.append(Edge(half["id"], name, Strength(half["strength"]), half["because"], half["not_covered"]))
    return replace(before, rules=tuple(rules))


@lru_cache(maxsize=64)
def _framework(path: Path, content: bytes, linked: tuple[Family, ...]) -> Framework:
    """Read one framework, the same content with the same families once: a scan needs it before and after the rules."""
    families = {family.id: family for family in linked}
    problems, document = Problems(path), parse_toml(content, path)
    values = read_table(document, _FRAMEWORK, "", problems)
    if values.get("id", path.stem) != path.stem:
        problems.add("id", f"the file of {values['id']} must be called {values['id']}.toml")
    controls: dict[str, Control] = {}
    for place, row in tables(document, "control", problems):
        control = _control(row, place, families, problems)
        if control is not None and control.id in controls:
            problems.add(place, "there is a control of this id already")
        elif control is not None:
            controls[control.id] = control
    structure = _structure(values.get("structure", {}), problems)
    problems.raise_if_any()
    return Framework(
        id=path.stem,
        title=values["title"],
        edition=values["edition"],
        status=values["status"],
        data=values["data"],
        unit=values.get("unit", "control"),
        note=values.get("note", ""),
        controls=tuple(controls.values()),
        structure=structure,
    )


def _structure(row: Mapping[str, Any], problems: Problems) -> Structure:
    """Read the order of a report: all that must be told has a place in it, once."""
    values = read_table(row, _STRUCTURE, "structure", problems)
    sections = values.get("sections", SECTIONS)
    if lacking := [name for name in SECTIONS if name not in sections]:
        problems.add("structure.sections", f"a report has these sections too: {', '.join(lacking)}")
    if len(set(sections)) < len(sections):
        problems.add("structure.sections", "a section stands in it twice")
    return Structure(**values)


def _control(row: Mapping[str, Any], place: str, families: Mapping[str, Family], problems: Problems) -> Control | None:
    before = len(problems.lines)
    values = read_table(row, _CONTROL, place, problems)
    links = [read_table(link, _LINK, f"{place}.{inner}", problems) for inner, link in tables(row, "families", problems)]
    bounds = [_bound(bound, f"{place}.{inner}", problems) for inner, bound in tables(row, "bounds", problems)]
    for link in links:
        _check_link(link, place, families, problems)
    if len(problems.lines) > before:
        return None
    return Control(
        id=values["id"],
        title=values["title"],
        paraphrase=values["paraphrase"],
        kind=values["kind"],
        force=values["force"],
        families=tuple(link["id"] for link in links),
        edges=_edges(links, families),
        bounds=tuple(bound for bound in bounds if bound is not None),
        not_tested=values["not_tested"],
        confidence=values["confidence"],
        verified_on=values.get("verified_on", ""),
        source=values["source"],
    )


def _check_link(link: Mapping[str, Any], place: str, families: Mapping[str, Family], problems: Problems) -> None:
    family = families.get(link.get("id", ""))
    if family is None:
        problems.add(place, f"there is no control family {link.get('id')}{nearest(str(link.get('id')), families)}")
        return
    held = {edge.rule for edge in family.rules}
    for rule in link.get("only", ()):
        if rule not in held:
            problems.add(place, f"only: {rule} is no rule of the family {family.id}{nearest(rule, held)}")


def _bound(row: Mapping[str, Any], place: str, problems: Problems) -> Bound | None:
    values = read_table(row, _BOUND, place, problems)
    if not values.keys() & {"at_most", "at_least"}:
        problems.add(place, "needs at_most or at_least")
    if not {"rule", "parameter", "because"} <= values.keys():
        return None
    return Bound(values["rule"], values["parameter"], values.get("at_most"), values.get("at_least"), values["because"])


def _edges(links: Sequence[Mapping[str, Any]], families: Mapping[str, Family]) -> tuple[Edge, ...]:
    """Join both halves; where a rule comes through two families, the stronger way is kept."""
    best: dict[str, Edge] = {}
    for link in links:
        family = families[link["id"]]
        for half in family.rules:
            if half.rule not in link.get("only", (half.rule,)):
                continue
            strength = max(half.strength, Strength(link["strength"]), key=lambda one: one.rank)
            edge = replace(half, strength=strength, because=f"{half.because} {link['because']}")
            if half.rule not in best or strength.rank < best[half.rule].strength.rank:
                best[half.rule] = edge
    return tuple(sorted(best.values(), key=lambda edge: (edge.strength.rank, edge.rule)))


def _check(families: Iterable[Family], frameworks: Iterable[Framework], known: Mapping[str, Rule]) -> None:
    for family in families:
        for edge in family.rules:
            if edge.rule not in known:
                raise ConfigError(f"the control family {family.id} names the rule {edge.rule}, which does not exist")
    for framework in frameworks:
        for name in framework.structure.incidents:
            if name not in known:
                raise ConfigError(f"the framework {framework.id} names the rule {name}, which does not exist")
        for bound in (bound for control in framework.controls for bound in control.bounds):
            rule = known.get(bound.rule)
            if rule is None or bound.parameter not in {one.name for one in rule.params}:
                raise ConfigError(
                    f"the framework {framework.id} bounds {bound.parameter} of {bound.rule}, which does not exist"
                )
