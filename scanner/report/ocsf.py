"""Findings as events of the Open Cybersecurity Schema Framework: class Compliance Finding (2003), schema 1.8.0.

https://schema.ocsf.io/1.8.0/classes/compliance_finding
"""

import json
import uuid
from datetime import datetime
from typing import Any

from scanner.report.listing import ListedFinding
from scanner.report.whole import Advice, Whole

VERSION = "1.8.0"
CLASS, CATEGORY = 2003, 2
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://schema.ocsf.io/classes/compliance_finding")
SEVERITY = {"info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High")}
SEVERITY["critical"] = (5, "Critical")
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
ACTIVITY = {
    "baseline": CREATE,
    "new": CREATE,
    "reopened": CREATE,
    "open": UPDATE,
    "waived": UPDATE,
    "resolved": CLOSE,
    "verified": CLOSE,
}
STATUS = {"new": (1, "New"), "waived": (3, "Suppressed"), "resolved": (4, "Resolved"), "verified": (4, "Resolved")}
"""Every other state has no counterpart: 99, with its own word as the caption."""
LABELS = ("privacy", "recipient", "evidence_manifest_sha256")
RESULT = {"fail": (3, "Fail"), "unknown": (0, "Unknown")}


def render_ocsf(whole: Whole) -> bytes:
    """Return one event a line, as log pipelines read them."""
    return b"".join(
        json.dumps(event(whole, row), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for row in whole.findings
    )


def event(whole: Whole, row: ListedFinding) -> dict[str, Any]:
    """Return one finding as an event, with what the privacy profile of `whole` lets be seen of it."""
    activity_id, activity = ACTIVITY[row.state]
    severity_id, severity = SEVERITY[row.severity]
    status_id, status = STATUS.get(row.state, (99, row.state))
    advice = whole.advice.get(row.rule)
    made: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": _milliseconds(whole.scan.as_of),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": f"{row.title}: {row.sentence}",
        "metadata": _metadata(whole, row),
        "finding_info": _finding_info(row),
        "compliance": _compliance(row, advice),
        "resources": [_resource(whole, row)],
        "unmapped": {"lead": row.lead, "state": row.state, "verdict": row.verdict, "evidence": dict(row.evidence)},
    }
    if advice and advice.remedy:
        made["remediation"] = {"desc": advice.remedy}
    return made


def _metadata(whole: Whole, row: ListedFinding) -> dict[str, Any]:
    return {
        "version": VERSION,
        # Equal for equal scans, so that a repeated delivery is recognised as one.
        "uid": str(uuid.uuid5(NAMESPACE, f"{whole.scan.id}/{row.reference}/{whole.privacy}")),
        "correlation_uid": whole.scan.id,
        "product": {"name": "orphanscan", "vendor_name": "orphanscan", "version": whole.scan.tool_version},
        "labels": [f"{name}:{told}" for name, told in whole.about.items() if name in LABELS],
    }


def _finding_info(row: ListedFinding) -> dict[str, Any]:
    return {
        # Stable over scans as long as the pseudonym key is: the same finding has the same reference.
        "uid": row.reference,
        "title": row.title,
        "desc": row.sentence,
        "types": [row.rule],
        "analytic": {"type_id": 1, "type": "Rule", "uid": row.rule, "name": row.title},
    }


def _compliance(row: ListedFinding, advice: Advice | None) -> dict[str, Any]:
    status_id, status = RESULT[row.verdict]
    requirements = advice.requirements if advice else ()
    made: dict[str, Any] = {"control": row.rule, "status_id": status_id, "status": status}
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


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
