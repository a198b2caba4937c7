"""A change as a Detection Finding of the Open Cybersecurity Schema Framework: https://schema.ocsf.io, class 2004."""

from collections.abc import Mapping

from scanner import __version__
from scanner.model import Severity
from scanner.notices.model import Change, ChangeKind, Notice

VERSION = "1.3.0"
_CLASS = 2004
_SEVERITIES = {Severity.INFO: 1, Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_CREATE, _UPDATE, _CLOSE = 1, 2, 3
_ACTIVITIES = {
    ChangeKind.RESOLVED: _CLOSE,
    ChangeKind.SOURCE_COMPLETE: _CLOSE,
    ChangeKind.OVERDUE: _UPDATE,
    ChangeKind.MARKED: _UPDATE,
    ChangeKind.REOPENED: _UPDATE,
}
_NEW, _RESOLVED = 1, 4


def event(notice: Notice, change: Change) -> Mapping[str, object]:
    """Return the event; times are milliseconds since 1970."""
    at = int(notice.scan.as_of.timestamp() * 1000)
    activity = _ACTIVITIES.get(change.kind, _CREATE)
    return {
        "category_uid": 2,
        "class_uid": _CLASS,
        "activity_id": activity,
        "type_uid": _CLASS * 100 + activity,
        "severity_id": _SEVERITIES[change.severity],
        "status_id": _RESOLVED if activity == _CLOSE else _NEW,
        "time": at,
        "message": change.text,
        "metadata": {
            "version": VERSION,
            "uid": f"{notice.id}:{change.key}",
            "product": {"name": "orphanscan", "vendor_name": "orphanscan", "version": __version__},
        },
        "finding_info": {
            "uid": change.key,
            "title": change.title,
            "desc": change.text,
            "types": [change.rule or "source"],
            "analytic": {"type_id": 1, "uid": change.rule or "source", "name": change.title},
        },
        "remediation": {"desc": change.remedy or change.title},
        "resources": [{"type": "application", "uid": change.app, "owner": {"email_addr": change.owner}}]
        if change.app and "@" in change.owner
        else [{"type": "application", "uid": change.app or "organization"}],
        "unmapped": {
            "kind": str(change.kind),
            "scan_id": change.scan_id,
            "scan_number": notice.scan.number,
            "manifest_sha256": notice.scan.manifest_sha256,
        },
    }
