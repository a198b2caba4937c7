"""Why part of a population could not be tested, told per application of the scope, each reason once."""

from collections.abc import Iterable, Iterator, Sequence

from scanner.frameworks import ControlOutcome, RuleShare
from scanner.model import ApplicationFact, AppOutcome, RuleOutcome, RuleResult, Verdict
from scanner.report.inputs import Inputs

STOPPED = (RuleOutcome.UNABLE_TO_TEST, RuleOutcome.ERROR)


def unable_reasons(inputs: Inputs, shares: Iterable[RuleShare]) -> tuple[str, ...]:
    """Return one sentence per reason: the rules or the applications that it touches, and what is missing."""
    words = inputs.words
    short = [share for share in shares if is_short(share)]
    whole: dict[tuple[tuple[str, ...], str], list[str]] = {}
    parts: dict[tuple[str, str, str], list[str]] = {}
    single = []
    for share in short:
        result = _result(inputs, share.rule)
        apps = [] if result is None else list(_apps(inputs, result))
        told = "" if result is None else _of_rule(inputs, result)
        if told or not apps:
            names = tuple(inputs.disclosure.text(fact.name) for fact, part in apps if part is not None)
            elsewhere = "control.only_elsewhere" if result is not None and result.apps else "control.no_detail"
            whole.setdefault((names, told or words(elsewhere)), []).append(share.title)
            continue
        reasons = [(fact, part, _reason(inputs, share.rule, fact, part)) for fact, part in apps]
        for fact, _, reason in reasons:
            if reason:
                parts.setdefault((inputs.disclosure.text(fact.name), *reason), []).append(share.title)
        single += _single(inputs, share, [(fact, part) for fact, part, reason in reasons if part and not reason])
    sentences = []
    for (names, told), titles in whole.items():
        where = words("control.unable_in", apps=words.join(names)) if names else ""
        detail = "; ".join(filter(None, (where, told.rstrip("."))))
        sentences.append(words("control.unable_line", titles=words.join(titles), detail=detail))
    alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (name, kind, what), titles in sorted(parts.items()):
        alike.setdefault((kind, what, tuple(titles)), []).append(name)
    for (kind, what, touched), names_alike in alike.items():
        because = words.count(f"control.{kind}", len(names_alike), what=what)
        # Where every rule that fell short is touched, the table above names them already.
        key = "control.unable_app" if len(touched) == len(short) else "control.unable_app_rules"
        sentences.append(words(key, applications=words.join(names_alike), reason=because, titles=words.join(touched)))
    return (*sentences, *single)


def unable_applications(inputs: Inputs, shares: Iterable[RuleShare]) -> tuple[str, ...]:
    """Return the applications of the scope that some rule could not test in full."""
    results = [_result(inputs, share.rule) for share in shares]
    held = {fact.app for result in results if result is not None for fact, _ in _apps(inputs, result)}
    return tuple(inputs.application(fact.app) for fact in inputs.in_scope if fact.app in held)


def is_short(share: RuleShare) -> bool:
    """Return whether a rule that decides could not test everything."""
    return share.decides and (share.result is ControlOutcome.UNABLE or share.unable > 0 or bool(share.unseen))


def _result(inputs: Inputs, rule: str) -> RuleResult | None:
    return next((result for result in inputs.record.results if result.rule == rule), None)


def _apps(inputs: Inputs, result: RuleResult) -> Iterator[tuple[ApplicationFact, AppOutcome | None]]:
    """Yield what fell short; None for an application of which nothing at all was seen."""
    rule = inputs.rules.get(result.rule)
    seen = {app.app: app for app in result.apps}
    for fact in inputs.in_scope:
        part = seen.get(fact.app)
        if part is not None and (part.unable or part.result in STOPPED):
            yield fact, part
        elif part is None and fact.verdict not in (None, Verdict.COMPLETE) and rule is not None and rule.needs.apps:
            yield fact, None


def _of_rule(inputs: Inputs, result: RuleResult) -> str:
    """Return why a rule as a whole said nothing; empty if the reason lies with single applications."""
    if result.result not in STOPPED or any(app.detail for app in result.apps):
        return ""
    # A detail that starts with an application speaks of that one alone, perhaps of one outside the scope.
    starts = tuple(f"{fact.app}: " for fact in inputs.record.applications)
    return "" if result.detail.startswith(starts) else inputs.disclosure.text(result.detail)


def _reason(inputs: Inputs, rule_id: str, fact: ApplicationFact, part: AppOutcome | None) -> tuple[str, str] | None:
    """Return why nothing of an application could be tested and what is missing; None if it is about single accounts."""
    words, fields = inputs.words, _fields(inputs, rule_id)
    if fact.verdict == Verdict.FAILED and not fact.accounts:
        return "unread", ""
    if fact.verdict not in (None, Verdict.COMPLETE):
        return "incomplete", words(f"verdict.{fact.verdict}.word").lower()
    if fields and part is not None and part.unable + part.excluded == part.population:
        return "unsupplied", fields
    return None


def _single(inputs: Inputs, share: RuleShare, apps: Sequence[tuple[ApplicationFact, AppOutcome]]) -> list[str]:
    """Tell how many single accounts could not be tested, over all applications where that is so."""
    if not apps:
        return []
    words, fields = inputs.words, _fields(inputs, share.rule)
    names = words.join([inputs.disclosure.text(fact.name) for fact, _ in apps])
    unable, population = sum(part.unable for _, part in apps), sum(part.population for _, part in apps)
    told = {"titles": share.title, "population": population, "apps": names}
    if fields:
        return [words.count("control.lacking", unable, fields=fields, **told)]
    return [words.count("control.undecided", unable, **told)]


def _fields(inputs: Inputs, rule_id: str) -> str:
    """Return the attributes that a rule needs, in words."""
    rule, words = inputs.rules.get(rule_id), inputs.words
    names = rule.needs.fields if rule is not None else ()
    return words.join([words.optional(f"field.{name}", name.replace("_", " ")) for name in names])
