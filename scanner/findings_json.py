"""findings.json, the contract that other programs read."""

from typing import Any

import msgspec

from scanner.model import Finding, Scan, Source
from scanner.model_history import AppliedWaiver
from scanner.model_record import Record
from scanner.model_rules import Rule

SCHEMA = "orphanscan.findings/1"


def findings_json(record: Record) -> bytes:
    """Return the document for one scan, with the findings of earlier scans that it resolved."""
    rules = {rule.id: rule for rule in record.rules}
    findings = [finding for result in record.results for finding in result.findings]
    document = {
        "schema": SCHEMA,
        "scan": _scan(record.scan),
        "sources": [_source(source) for source in record.sources],
        "rules": [
            {
                "id": result.rule,
                "title": result.title,
                "severity": result.severity,
                "lead": result.lead,
                "result": result.result,
                "population": result.population,
                "tested": result.tested,
                "unable": result.unable,
                "excluded": result.excluded,
                "findings": len(result.findings),
                "scope_note": result.scope_note,
                "detail": result.detail,
            }
            for result in record.results
        ],
        "findings": [_finding(finding, rules) for finding in (*findings, *record.resolved)],
        "waivers": [waiver_json(waiver) for waiver in record.waivers],
        "ledger": {"accounts": _summed(record.ledger.accounts), "leavers": _summed(record.ledger.leavers)},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _scan(scan: Scan) -> dict[str, Any]:
    return {
        "id": scan.id,
        "as_of": scan.as_of,
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
        "complete": scan.complete,
        "tool_version": scan.tool_version,
        "config_sha256": scan.config_sha256,
        "rules_sha256": scan.rules_sha256,
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "kind": source.kind,
        "verdict": source.verdict,
        "stated": source.stated,
        "collected": source.collected,
        "duplicates": source.duplicates,
        "rejected": source.rejected,
        "coverage": source.coverage,
        "detail": source.detail,
    }


def _finding(finding: Finding, rules: dict[str, Rule]) -> dict[str, Any]:
    rule = rules.get(finding.rule)
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "severity": finding.severity,
        "verdict": finding.verdict,
        "state": finding.state,
        "app": finding.app,
        "account_id": finding.account_id,
        "username": finding.username,
        "entitlement": finding.entitlement,
        "worker_id": finding.worker_id,
        "reason": finding.reason,
        "evidence": finding.evidence,
        "first_seen": finding.first_seen,
        "waiver": finding.waiver,
        "first_seen_at": finding.first_seen_at,
        "remedy": rule.remedy if rule else "",
    }


def waiver_json(waiver: AppliedWaiver) -> dict[str, Any]:
    """Return a waiver as the contract shows it."""
    return {
        "id": waiver.id,
        "status": waiver.status,
        "line": waiver.line,
        "rule": waiver.rule,
        "app": waiver.app,
        "account": waiver.account,
        "worker": waiver.worker,
        "entitlement": waiver.entitlement,
        "exact": waiver.exact,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "ticket": waiver.ticket,
        "compensating_control": waiver.compensating_control,
        "granted_on": waiver.granted_on,
        "expires_on": waiver.expires_on,
        "findings": waiver.fingerprints,
        "lapsed": [{"fingerprint": lapse.fingerprint, "because": lapse.because} for lapse in waiver.lapsed],
        "fires_again": waiver.fires_again,
    }


def _summed(buckets: Any) -> dict[str, int]:
    return {**buckets, "total": buckets.get("total", sum(buckets.values()))}
