"""Events of the Open Cybersecurity Schema Framework: class Compliance Finding (2003), schema 1.8.0.

https://schema.ocsf.io/1.8.0/classes/compliance_finding. Reports write one for each finding, notices one for each
change; `finding_info.uid` is the reference of the finding in both, by which a SIEM puts them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scanner.model import Severity

VERSION = "1.8.0"
CLASS, CATEGORY = 2003, 2
SEVERITY = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
NEW, SUPPRESSED, RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")
RESULT = {"fail": (3, "Fail"), "unknown": (0, "Unknown")}


def other(word: str) -> tuple[int, str]:
    """Return the status of what has no counterpart in the schema: its own word is the caption."""
    return 99, word


@dataclass(frozen=True, slots=True)
class Event:
    """What differs from event to event."""

    activity: tuple[int, str]
    severity: Severity
    status: tuple[int, str]
    at: datetime
    """As of when the scan judged."""
    uid: str
    """Equal when the same thing is delivered again."""
    scan: str
    tool_version: str
    reference: str
    """Of the finding, the same in every scan; it tells nothing about a person."""
    rule: str
    title: str
    sentence: str
    result: str
    """fail or unknown."""
    labels: Sequence[str]
    resource: Mapping[str, Any]
    unmapped: Mapping[str, Any]
    remedy: str = ""
    compliance: Mapping[str, Any] | None = None
    """Standards, requirements and why, where they are known."""


def compliance_finding(event: Event) -> dict[str, Any]:
    """Return the event as JSON has it; times are milliseconds since 1970."""
    activity_id, activity = event.activity
    severity_id, severity = SEVERITY[event.severity]
    status_id, status = event.status
    result_id, result = RESULT[event.result]
    made: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": int(event.at.timestamp() * 1000),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": f"{event.title}: {event.sentence}",
        "metadata": {
            "version": VERSION,
            "uid": event.uid,
            "correlation_uid": event.scan,
            "product": {"name": "orphanscan", "vendor_name": "orphanscan", "version": event.tool_version},
            "labels": list(event.labels),
        },
        "finding_info": {
            "uid": event.reference,
            "title": event.title,
            "desc": event.sentence,
            "types": [event.rule],
            "analytic": {"type_id": 1, "type": "Rule", "uid": event.rule, "name": event.title},
        },
        "compliance": {"control": event.rule, "status_id": result_id, "status": result, **(event.compliance or {})},
        "resources": [dict(event.resource)],
        "unmapped": dict(event.unmapped),
    }
    if event.remedy:
        made["remediation"] = {"desc": event.remedy}
    return made
