"""A scan on half a page of Markdown, for a ticket: what was found, what could not be tested, and where the rest is."""

import re
from collections.abc import Iterator

from scanner.frameworks import ControlOutcome
from scanner.model import Severity
from scanner.report.listing import ListedFinding
from scanner.report.whole import Whole

MOST_RULES = 10
MOST_NAMES = 3
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def escape(text: str) -> str:
    """Return text that no flavour of Markdown takes for markup, a link, HTML or a mention; on one line."""
    line = " ".join(text.split())
    marked = _SPECIAL.sub(r"\\\1", line.replace(">", "\x00"))
    return re.sub(r"[&<@\x00]", lambda found: _ENTITIES.get(found[0], "&gt;"), marked)


def render_markdown(whole: Whole) -> bytes:
    """Return the summary; it names no person and no account in any profile."""
    return ("\n".join(_lines(whole)) + "\n").encode()


def _lines(whole: Whole) -> Iterator[str]:
    words, scan = whole.words, whole.scan
    counts = whole.by_severity()
    found = sum(counts.values())
    title = words.count("markdown.title", found, organization=whole.organization, day=f"{scan.as_of:%Y-%m-%d}")
    yield f"# {escape(title)}"
    yield ""
    told = [f"{count} {words(f'severity.{severity}').lower()}" for severity, count in counts.items() if count]
    yield escape(words("markdown.severities", counts=words.join(told)) if told else words("markdown.none"))
    yield from _coverage(whole)
    if found:
        yield from ("", f"## {words('markdown.rules')}", "", *_rules(whole))
    yield from ("", f"## {words('markdown.controls')}", "", *_controls(whole))
    yield ""
    yield escape(words("markdown.origin", **whole.about))


def _coverage(whole: Whole) -> Iterator[str]:
    words = whole.words
    lacking = [source for source in whole.sources if source.verdict != "complete"]
    if lacking:
        names = [f"{one.name} ({words(f'verdict.{one.verdict}.word').lower()})" for one in lacking]
        if len(names) > MOST_NAMES:
            names = [*names[:MOST_NAMES], words("markdown.more", n=len(names) - MOST_NAMES)]
        yield ""
        yield f"**{escape(words.count('markdown.incomplete', len(lacking), names=words.join(names)))}**"


def _rules(whole: Whole) -> Iterator[str]:
    words = whole.words
    by_rule: dict[str, list[ListedFinding]] = {}
    for row in whole.exceptions:
        by_rule.setdefault(row.rule, []).append(row)
    order = [severity.value for severity in Severity]
    ranked = sorted(
        by_rule.values(), key=lambda rows: (min(order.index(row.severity) for row in rows), -len(rows), rows[0].rule)
    )
    for rows in ranked[:MOST_RULES]:
        worst = min((row.severity for row in rows), key=order.index)
        apps = sorted({row.application for row in rows if row.application}, key=str.casefold)
        where = words.join(apps if len(apps) <= MOST_NAMES else [words("markdown.applications", n=len(apps))])
        severity = words(f"severity.{worst}").lower()
        line = words("markdown.rule", n=len(rows), title=rows[0].title, severity=severity)
        yield f"- {escape(f'{line}: {where}' if where else line)}"
    if len(ranked) > MOST_RULES:
        yield f"- {escape(words('markdown.more_rules', n=len(ranked) - MOST_RULES))}"


def _controls(whole: Whole) -> Iterator[str]:
    words = whole.words
    for title in dict.fromkeys(control.framework_title for control in whole.controls):
        results = [control.result for control in whole.controls if control.framework_title == title]
        told = [f"{results.count(outcome)} {outcome.value}" for outcome in ControlOutcome if outcome in results]
        yield f"- {escape(f'{title}: {words.join(told)}')}"
