"""The results of a framework as OSCAL assessment results, for tools of governance (NIST OSCAL 1.2.1).

https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results/json-reference/

OSCAL knows two states of an objective, satisfied and not-satisfied. A test that found nothing does not show that an
objective is satisfied, so that only controls with exceptions become findings; every control has an observation that
says how it came out, with its numbers.
"""

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from scanner.frameworks import ControlOutcome
from scanner.report.content import Content
from scanner.report.controls import ControlPart, RuleLine
from scanner.report.markdown import escape

VERSION = "1.2.1"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pages.nist.gov/OSCAL-Reference/models/assessment-results")
PROPERTIES = "https://orphanscan.invalid/ns/oscal"
"""Names our own properties; it leads nowhere on purpose (RFC 2606)."""


def render_oscal(content: Content) -> bytes:
    """Return the document; equal contents give equal bytes, ids included."""
    ids = _Ids(content.cover.id)
    document = {
        "assessment-results": {
            "uuid": ids("document"),
            "metadata": _metadata(content, ids),
            "import-ap": {"href": f"#{ids('plan')}"},
            "results": [_result(content, ids)],
            "back-matter": {
                "resources": [
                    {
                        "uuid": ids("plan"),
                        "title": content.words("oscal.plan_title"),
                        "description": content.words("oscal.plan"),
                    }
                ]
            },
        }
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


class _Ids:
    """Version 5 ids (RFC 9562): the same thing of the same report has the same one."""

    def __init__(self, report_id: str) -> None:
        self._space = uuid.uuid5(NAMESPACE, report_id)

    def __call__(self, *names: str) -> str:
        return str(uuid.uuid5(self._space, "\x1f".join(names)))


def token(text: str) -> str:
    """Return an id as OSCAL allows it: a letter, then letters, digits, full stops, hyphens and underscores."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.casefold()).strip("-.")
    return plain if plain[:1].isalpha() else f"c-{plain}"


def _metadata(content: Content, ids: _Ids) -> dict[str, Any]:
    return {
        "title": f"{escape(content.cover.title)}, {escape(content.framework)}",
        "last-modified": content.cover.created_at.isoformat(),
        "version": content.cover.id,
        "oscal-version": VERSION,
        "props": list(_props({"privacy": content.privacy, "evidence-manifest-sha256": content.manifest_sha256})),
        "parties": [{"uuid": ids("party"), "type": "organization", "name": content.cover.organization or "-"}],
        "remarks": escape(content.cover.classification),
    }


def _result(content: Content, ids: _Ids) -> dict[str, Any]:
    scan = content.scan
    made: dict[str, Any] = {
        "uuid": ids("result"),
        "title": escape(content.summary.headline),
        "description": escape(" ".join(content.summary.sentences)),
        "start": scan.started_at.isoformat(),
        "props": list(
            _props({"scan": scan.id, "as-of": scan.as_of.isoformat(), "complete": str(scan.complete).lower()})
        ),
        "reviewed-controls": {"control-selections": [_selection(content.controls)]},
        "observations": [one for part in content.controls for one in _observations(content, part, ids)],
    }
    if scan.finished_at:
        made["end"] = scan.finished_at.isoformat()
    if findings := [_finding(part, ids) for part in content.controls if part.result is ControlOutcome.EXCEPTIONS]:
        made["findings"] = findings
    return made


def _selection(parts: Iterable[ControlPart]) -> dict[str, Any]:
    reviewed: list[dict[str, str]] = []
    left: list[dict[str, str]] = []
    for part in parts:
        (left if part.result is ControlOutcome.NOT_TESTED else reviewed).append({"control-id": token(part.id)})
    made: dict[str, Any] = {}
    if reviewed:
        made["include-controls"] = reviewed
    if left:
        made["exclude-controls"] = left
    return made


def _observations(content: Content, part: ControlPart, ids: _Ids) -> Iterable[dict[str, Any]]:
    """Yield how a control came out, and what each rule behind it found."""
    yield {
        "uuid": ids("control", part.id),
        "title": f"{escape(part.id)} {escape(part.title)}",
        "description": escape(" ".join((part.count_sentence, *part.loosened, *part.unable, part.scope_note)).strip()),
        "props": list(_props({"control": part.id, "result": part.result.value})),
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": content.scan.as_of.isoformat(),
        "relevant-evidence": [{"description": content.words("oscal.evidence", report=content.cover.id)}],
    }
    for line in part.rules:
        yield _rule(content, part, line, ids)


def _rule(content: Content, part: ControlPart, line: RuleLine, ids: _Ids) -> dict[str, Any]:
    numbers = {name: str(getattr(line, name)) for name in ("population", "tested", "unable", "excluded")}
    if line.exceptions is not None:
        numbers["exceptions"] = str(line.exceptions)
    return {
        "uuid": ids("rule", part.id, line.rule),
        "title": escape(line.title),
        "description": escape(line.because or line.title),
        "props": list(_props({"rule": line.rule, "strength": line.strength, "result": line.result.value, **numbers})),
        "methods": ["TEST"],
        "types": ["finding"],
        "collected": content.scan.as_of.isoformat(),
    }


def _finding(part: ControlPart, ids: _Ids) -> dict[str, Any]:
    return {
        "uuid": ids("finding", part.id),
        "title": f"{escape(part.id)} {escape(part.title)}",
        "description": escape(part.count_sentence),
        "target": {
            "type": "objective-id",
            "target-id": token(part.id),
            "status": {"state": "not-satisfied", "reason": "fail", "remarks": escape(part.result.value)},
        },
        "related-observations": [
            {"observation-uuid": one}
            for one in (ids("control", part.id), *(ids("rule", part.id, line.rule) for line in part.rules))
        ],
    }


def _props(values: dict[str, str]) -> Iterable[dict[str, str]]:
    """Yield the properties that have a value, as text without blanks at its ends, which OSCAL does not allow."""
    for name, value in values.items():
        if value.strip():
            yield {"name": name, "ns": PROPERTIES, "value": value.strip()}
