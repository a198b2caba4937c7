"""The findings of a scan as events for log pipelines, one a line."""

import json
import uuid
from typing import Any

from scanner import ocsf
from scanner.model import Severity
from scanner.report.listing import ListedFinding
from scanner.report.whole import Advice, Whole

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://schema.ocsf.io/classes/compliance_finding")
ACTIVITY = {
    "baseline": ocsf.CREATE,
    "new": ocsf.CREATE,
    "reopened": ocsf.CREATE,
    "open": ocsf.UPDATE,
    "waived": ocsf.UPDATE,
    "resolved": ocsf.CLOSE,
    "verified": ocsf.CLOSE,
}
STATUS = {"new": ocsf.NEW, "waived": ocsf.SUPPRESSED, "resolved": ocsf.RESOLVED, "verified": ocsf.RESOLVED}
LABELS = ("privacy", "recipient", "evidence_manifest_sha256")


def render_ocsf(whole: Whole) -> bytes:
    """Return one event a line, as log pipelines read them."""
    return b"".join(
        json.dumps(event(whole, row), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for row in whole.findings
    )


def event(whole: Whole, row: ListedFinding) -> dict[str, Any]:
    """Return one finding as an event, with what the privacy profile of `whole` lets be seen of it."""
    advice = whole.advice.get(row.rule)
    return ocsf.compliance_finding(
        ocsf.Event(
            activity=ACTIVITY[row.state],
            severity=Severity(row.severity),
            status=STATUS.get(row.state, ocsf.other(row.state)),
            at=whole.scan.as_of,
            # Equal for equal scans, so that a repeated delivery is recognised as one.
            uid=str(uuid.uuid5(NAMESPACE, f"{whole.scan.id}/{row.reference}/{whole.privacy}")),
            scan=whole.scan.id,
            tool_version=whole.scan.tool_version,
            # Stable over scans as long as the pseudonym key is: the same finding has the same reference.
            reference=row.reference,
            rule=row.rule,
            title=row.title,
            sentence=row.sentence,
            result=row.verdict,
            labels=[f"{name}:{told}" for name, told in whole.about.items() if name in LABELS],
            resource=_resource(whole, row),
            unmapped={"lead": row.lead, "state": row.state, "verdict": row.verdict, "evidence": dict(row.evidence)},
            remedy=advice.remedy if advice else "",
            compliance=_compliance(advice),
        )
    )


def _compliance(advice: Advice | None) -> dict[str, Any]:
    requirements = advice.requirements if advice else ()
    made: dict[str, Any] = {}
    if requirements:
        made["standards"] = list(dict.fromkeys(framework for framework, _ in requirements))
        made["requirements"] = [f"{framework}: {control}" for framework, control in requirements]
    if advice and advice.why:
        made["desc"] = advice.why
    return made


def _resource(whole: Whole, row: ListedFinding) -> dict[str, Any]:
    """Return the account or person, or the application or scan as a whole."""
    if row.subject == whole.words("exceptions.whole_scan"):
        return {"uid": whole.scan.id, "type": "scan"}
    if row.subject == whole.words("exceptions.whole_application"):
        return {"uid": row.application, "type": "application"}
    made: dict[str, Any] = {"uid": row.subject, "type": "account" if row.application else "person"}
    if row.application:
        made["namespace"] = row.application
    if row.person:
        made["owner"] = {"uid": row.person}
    if row.entitlement:
        made["role"] = row.entitlement
    return made
