"""A change as an event for a SIEM."""

from typing import Any

from scanner import __version__, ocsf
from scanner.notices.model import Change, ChangeKind, Notice

_ACTIVITIES = {
    ChangeKind.RESOLVED: ocsf.CLOSE,
    ChangeKind.SOURCE_COMPLETE: ocsf.CLOSE,
    ChangeKind.OVERDUE: ocsf.UPDATE,
    ChangeKind.MARKED: ocsf.UPDATE,
    ChangeKind.LEFT_OUT: ocsf.UPDATE,
}
_STATUS = {
    ChangeKind.NEW: ocsf.NEW,
    ChangeKind.SOURCE_INCOMPLETE: ocsf.NEW,
    ChangeKind.RESOLVED: ocsf.RESOLVED,
    ChangeKind.SOURCE_COMPLETE: ocsf.RESOLVED,
}


def event(notice: Notice, change: Change) -> dict[str, Any]:
    """Return the event; it says no more of people than the change does."""
    rule = change.rule or "source"
    resource: dict[str, Any] = {"type": "application", "uid": change.app or "organization"}
    if "@" in change.owner:
        resource["owner"] = {"name": change.owner, "email_addr": change.owner}
    return ocsf.compliance_finding(
        ocsf.Event(
            activity=_ACTIVITIES.get(change.kind, ocsf.CREATE),
            severity=change.severity,
            status=_STATUS.get(change.kind, ocsf.other(str(change.kind))),
            at=notice.scan.as_of,
            uid=f"{notice.id}:{change.key}",
            scan=change.scan_id,
            tool_version=__version__,
            reference=change.key,
            rule=rule,
            title=change.title,
            sentence=change.text,
            # A source that was not read fails no test: what rests on it was not tested.
            result=change.verdict if change.rule else "unknown",
            labels=[f"evidence_manifest_sha256:{notice.scan.manifest_sha256}"],
            resource=resource,
            unmapped={"kind": str(change.kind), "scan_number": notice.scan.number},
            remedy=change.remedy,
        )
    )
