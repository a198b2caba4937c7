"""One page of docs/rules for every rule, from its file, its cases and the frameworks that draw on it."""

import json
from collections.abc import Iterator, Mapping, Sequence

from scanner import rule_cases
from scanner.frameworks import Edge, Framework
from scanner.model_rules import Rule, RuleParameter
from scanner.paths import bundled
from scanner.rule_cases import Case, CaseResult

_SEVERITY = (
    "A finding about an account is one step more severe where the account holds privilege, or where its application"
    " holds financial data or health records; both at once are one step. Rules about privilege count it from the"
    " start, and where a rule means something else, its SQL says so."
)


def pages(rules: Sequence[Rule], frameworks: Sequence[Framework]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page; the example is what the rule says of its first flagged case."""
    cases = {rule.id: rule_cases.read(bundled("cases") / f"{rule.id}.toml") for rule in rules}
    examples = {result.rule: result for result in rule_cases.run_cases(rules, bundled("cases"), _first_flagged)}
    for rule in rules:
        parts = _parts(rule, cases[rule.id], examples[rule.id], frameworks)
        yield f"{rule.id}.md", "\n\n".join(parts) + "\n"


def index(rules: Sequence[Rule]) -> str:
    """Return the table of all pages, for the reference."""
    rows = [
        f"| [{rule.id}](rules/{rule.id}.md) | {rule.theme} | {rule.severity} | {rule.title}{_lead(rule)} |"
        for rule in rules
    ]
    head = ["| rule | theme | severity | what it finds |", "|---|---|---|---|"]
    return "\n".join([_SEVERITY, "", *head, *rows])


def _parts(rule: Rule, cases: Sequence[Case], example: CaseResult, frameworks: Sequence[Framework]) -> Iterator[str]:
    yield f"# {rule.id}"
    yield f"Made by `make docs` from `rules/{rule.theme}/{rule.id}.sql`, its cases and the frameworks."
    yield f"**{rule.title}.** Severity: {rule.severity}.{_lead(rule)}"
    yield f"## Why\n\n{rule.why}"
    yield f"## What to do\n\n{rule.remedy}"
    yield f"## What it needs\n\n{_needs(rule)}"
    yield f"## Parameters\n\n{_parameters(rule.params)}"
    yield from _bounds(rule.id, frameworks)
    yield "## What its cases prove"
    yield from _proofs(cases)
    yield "## Example"
    yield from _example(example, *_first_flagged(cases))
    yield "## Controls"
    yield from _controls(rule.id, frameworks)
    yield f"## SQL\n\n```sql\n{rule.sql}\n```"


def _lead(rule: Rule) -> str:
    return " A lead: it is never an exception." if rule.lead else ""


def _needs(rule: Rule) -> str:
    population = f"Population: [{rule.population}](../audit/{rule.population}.md)."
    if not rule.needs.words:
        return f"{population} It needs nothing else."
    return f"{population} Unable to test without: {', '.join(rule.needs.words)}."


def _parameters(params: Sequence[RuleParameter]) -> str:
    if not params:
        return "None."
    rows = [f"| {p.name} | {p.default} | {_range(p)} | {p.source} |" for p in params]
    head = ["| parameter | default | range | where the default comes from |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _bounds(rule: str, frameworks: Sequence[Framework]) -> Iterator[str]:
    """Tell how far a parameter may be loosened before a control fails by that alone."""
    lines = [
        f"- {bound.parameter} {bound}: {framework.id} {control.id}. {bound.because}"
        for framework in frameworks
        for control in framework.controls
        for bound in control.bounds
        if bound.rule == rule
    ]
    if lines:
        yield "Looser than this, a control fails by that alone:"
        yield "\n".join(lines)


def _range(parameter: RuleParameter) -> str:
    bounds = (parameter.minimum, parameter.maximum)
    return "any" if bounds == (None, None) else " to ".join("any" if one is None else str(one) for one in bounds)


def _first_flagged(cases: Sequence[Case]) -> Sequence[Case]:
    return [case for case in cases if any(row.get("verdict") != "unknown" for row in case.get("flagged", []))][:1]


def _proofs(cases: Sequence[Case]) -> Iterator[str]:
    groups: dict[str, list[str]] = {"Flagged": [], "Left undecided": [], "Not flagged, though it may look like it": []}
    flagged, undecided, traps = groups.values()
    for case in cases:
        verdicts = {row.get("verdict", "fail") for row in case.get("flagged", [])}
        is_open = verdicts == {"unknown"} or case.get("result") == "unable_to_test"
        chosen = flagged if "fail" in verdicts else undecided if is_open else traps
        chosen.append(f"- {case['name']}")
    for heading, lines in groups.items():
        if lines:
            yield f"{heading}:"
            yield "\n".join(lines)


def _example(result: CaseResult, case: Case) -> Iterator[str]:
    """Show the rows of a case as the tables hold them, and what the rule answers."""
    yield f"{case['name'][0].upper()}{case['name'][1:]}. At {case['as_of']} the tables hold:"
    rows = [f"{table}: {_shown(row)}" for table, entries in rule_cases.rows(case).items() for row in entries]
    yield "```\n" + "\n".join(rows) + "\n```"
    yield "The rule answers:"
    answers = [f"{found.verdict}, {found.severity}: {found.reason}" for found in result.findings]
    yield "```\n" + "\n".join(answers) + "\n```"


def _shown(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in row.items())


def _controls(rule: str, frameworks: Sequence[Framework]) -> Iterator[str]:
    rows = [
        f"| {framework.id} | {control.id} {control.title} | {edge.strength} | {_because(edge)} |"
        for framework in frameworks
        for control in framework.controls
        for edge in control.edges
        if edge.rule == rule
    ]
    if not rows:
        yield "No framework draws on it."
        return
    yield "\n".join(["| framework | control | strength | because |", "|---|---|---|---|", *rows])
    missed = sorted({edge.not_covered for f in frameworks for c in f.controls for edge in c.edges if edge.rule == rule})
    yield f"Not covered by it: {'; '.join(missed)}."


def _because(edge: Edge) -> str:
    return edge.because.replace("|", "/")
