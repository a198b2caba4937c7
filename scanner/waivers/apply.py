"""Applies waivers to the findings of one scan: what each accepts, and where it lapsed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from scanner.errors import StoreError
from scanner.model import Finding, FindingState, RuleResult, Suppression
from scanner.model_history import AppliedWaiver, Lapse, WaiverStatus
from scanner.waivers.entry import Waiver
from scanner.waivers.index import Index

SQL = Path(__file__).with_name("lapses.sql")
_LAPSES = {
    "active": "The account is active again since {at}.",
    "person": "The account belongs to somebody else since {at}.",
    "privilege": "The account holds a privileged entitlement since {at} that it did not hold before.",
}
_OWN = "Its approver is the person whom it is about."


@dataclass(frozen=True, slots=True)
class Moment:
    """The scan for which waivers are applied, and the clock that decides whether they are in time."""

    scan_no: int
    at: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a finding is about, by all the names that a waiver may use."""

    fingerprint: str
    rule: str
    app: str | None
    account_id: str | None
    username: str | None
    entitlement: str | None
    entitlement_name: str | None
    worker_id: str | None
    worker_keys: tuple[str, ...]
    """Employee numbers and e-mails."""


def judge(
    waivers: Sequence[Waiver],
    results: Sequence[RuleResult],
    moment: Moment,
    *,
    store: duckdb.DuckDBPyConnection,
    audit: Path,
) -> tuple[tuple[RuleResult, ...], tuple[AppliedWaiver, ...]]:
    """Return the results, whose accepted findings bear the id of their waiver, and the waivers as applied.

    Args:
        waivers: of the file.
        results: of all rules.
        moment: for which scan, and when.
        store: has the store, or the copy of a scan under way, as its main database.
        audit: folder of the scan's Parquet tables.
    """
    findings = [finding for result in results for finding in result.findings]
    applied = _applied(waivers, findings, moment, store, audit) if waivers else ()
    by_finding = {fingerprint: one.id for one in applied for fingerprint in one.fingerprints}
    marked = tuple(
        replace(
            result,
            findings=tuple(replace(one, waiver=by_finding.get(one.fingerprint)) for one in result.findings),
        )
        for result in results
    )
    return marked, applied


def accepted(results: Sequence[RuleResult]) -> tuple[RuleResult, ...]:
    """Return results in which the findings with a waiver are in the state `waived`."""
    return tuple(
        replace(
            result,
            findings=tuple(
                replace(one, state=FindingState.WAIVED) if one.waiver is not None else one for one in result.findings
            ),
        )
        for result in results
    )


def keep(con: duckdb.DuckDBPyConnection, scan_no: int, applied: Sequence[AppliedWaiver]) -> tuple[Suppression, ...]:
    """Keep in the store what a scan applied, where it is not as before; return how many are in force, counted as well.

    Which findings a waiver accepts stands in the versions of these.
    """
    texts = {one.id: _content(one) for one in applied}
    before = dict(con.execute("select waiver, content from waiver_versions where valid_to_scan is null").fetchall())
    gone = [[scan_no, waiver] for waiver, content in before.items() if texts.get(waiver) != content]
    new = [[waiver, content, scan_no] for waiver, content in texts.items() if before.get(waiver) != content]
    if gone:
        con.executemany("update waiver_versions set valid_to_scan = ? where waiver = ? and valid_to_scan is null", gone)
    if new:
        con.executemany("insert into waiver_versions values (?, ?, ?, null)", new)
    row = con.execute(
        "select max_by(entries, scan_no) from suppressions where kind = 'waivers' and scan_no < $n", {"n": scan_no}
    ).fetchone()
    count = sum(one.status is WaiverStatus.IN_FORCE for one in applied)
    con.execute("insert into suppressions values ($n, 'waivers', $count)", {"n": scan_no, "count": count})
    return (Suppression("waivers", count, row[0] if row else None),)


def _content(one: AppliedWaiver) -> str:
    bare = replace(one, line=0, fingerprints=(), fires_again=())
    return msgspec.json.encode(bare).decode()


def _applied(
    waivers: Sequence[Waiver],
    findings: Sequence[Finding],
    moment: Moment,
    store: duckdb.DuckDBPyConnection,
    audit: Path,
) -> tuple[AppliedWaiver, ...]:
    subjects = _subjects(findings, audit) if findings else []
    zone = ZoneInfo(moment.timezone)
    named = _named(waivers, subjects)
    is_in_time = [one.begins(zone) <= moment.at < one.ends(zone) for one in waivers]
    lapsed = _lapsed(waivers, named, is_in_time, subjects, moment, store)
    holder: dict[int, int] = {}
    # The one that lasts longest is the one that a finding is shown with; of several, the first in the file.
    for number in sorted(range(len(waivers)), key=lambda n: waivers[n].expires_on, reverse=True):
        if is_in_time[number]:
            for subject in named[number]:
                if (number, subject) not in lapsed:
                    holder.setdefault(subject, number)
    held: dict[int, list[int]] = {}
    for subject, number in holder.items():
        held.setdefault(number, []).append(subject)
    found = []
    for number, one in enumerate(waivers):
        standing = [s for s in named[number] if (number, s) not in lapsed]
        status = _status(one, moment.at, zone, is_named=bool(named[number]), is_standing=bool(standing))
        is_expired = status is WaiverStatus.EXPIRED
        found.append(
            AppliedWaiver(
                id=one.id,
                line=one.line,
                rule=one.rule,
                app=one.app,
                account=one.account,
                worker=one.worker,
                entitlement=one.entitlement,
                reason=one.reason,
                approver=one.approver,
                granted_on=one.granted_on,
                expires_on=one.expires_on,
                status=status,
                ticket=one.ticket,
                compensating_control=one.compensating_control,
                exact=one.exact,
                fingerprints=tuple(sorted(subjects[s].fingerprint for s in held.get(number, ()))),
                lapsed=tuple(
                    Lapse(subjects[s].fingerprint, lapsed[number, s])
                    for s in sorted(named[number])
                    if (number, s) in lapsed
                ),
                fires_again=tuple(
                    subjects[s].fingerprint for s in sorted(named[number]) if is_expired and s not in holder
                ),
            )
        )
    return tuple(found)


def _status(one: Waiver, at: datetime, zone: ZoneInfo, *, is_named: bool, is_standing: bool) -> WaiverStatus:
    if at >= one.ends(zone):
        return WaiverStatus.EXPIRED
    if at < one.begins(zone):
        return WaiverStatus.NOT_YET
    if not is_named:
        return WaiverStatus.UNMATCHED
    return WaiverStatus.IN_FORCE if is_standing else WaiverStatus.LAPSED


def _named(waivers: Sequence[Waiver], subjects: Sequence[_Subject]) -> list[frozenset[int]]:
    """Return, for each waiver, the findings that its texts name, whatever its dates."""
    numbered = list(enumerate(subjects))
    indexes = {
        "rule": Index((n, (s.rule,), ()) for n, s in numbered),
        "app": Index((n, (s.app,), ()) for n, s in numbered),
        "account": Index((n, (s.account_id,), (s.username,)) for n, s in numbered),
        "worker": Index((n, (s.worker_id,), s.worker_keys) for n, s in numbered),
        "entitlement": Index((n, (s.entitlement,), (s.entitlement_name,)) for n, s in numbered),
    }
    found = []
    for one in waivers:
        # app = "*" stands for findings without an application too.
        said = {name: getattr(one, name) for name in indexes if not (name == "app" and one.app == "*")}
        shares = [indexes[name].find(text, exact=one.exact) for name, text in said.items() if text is not None]
        found.append(frozenset.intersection(*sorted(shares, key=len)))
    return found


def _lapsed(
    waivers: Sequence[Waiver],
    named: Sequence[frozenset[int]],
    is_in_time: Sequence[bool],
    subjects: Sequence[_Subject],
    moment: Moment,
    store: duckdb.DuckDBPyConnection,
) -> Mapping[tuple[int, int], str]:
    """Return (waiver, finding) -> why the waiver does not hold for it."""
    found: dict[tuple[int, int], str] = {}
    asked: dict[tuple[int, str, str], list[int]] = {}
    for number, one in enumerate(waivers):
        if not is_in_time[number]:
            continue
        approver = one.approver.strip().casefold()
        for place in named[number]:
            subject = subjects[place]
            if approver in {key.casefold() for key in (subject.worker_id, *subject.worker_keys) if key}:
                found[number, place] = _OWN
            elif subject.app is not None and subject.account_id is not None:
                asked.setdefault((number, subject.app, subject.account_id), []).append(place)
    if not asked:
        return found
    zone = ZoneInfo(moment.timezone)
    rows = [
        {
            "waiver_no": number,
            "app": app,
            "account_id": account_id,
            "granted_by": waivers[number].granted_by(zone).replace(tzinfo=None).isoformat(),
        }
        for number, app, account_id in asked
    ]
    structure = '[{"waiver_no":"integer","app":"varchar","account_id":"varchar","granted_by":"timestamp"}]'
    store.execute(
        "create or replace temp table asked as"
        f" select * from (select unnest(from_json($rows, '{structure}'), recursive := true))",
        {"rows": json.dumps(rows)},
    )
    store.execute("create or replace temp table this_scan as select $n::integer as scan_no", {"n": moment.scan_no})
    for number, app, account_id, what, at in store.execute(SQL.read_text()).fetchall():
        for place in asked[number, app, account_id]:
            found[number, place] = _LAPSES[what].format(at=f"{at.replace(tzinfo=UTC):%Y-%m-%d}")
    return found


def _subjects(findings: Sequence[Finding], audit: Path) -> list[_Subject]:
    """Return the findings with all the names of what they are about, from the evidence."""
    keys = ("fingerprint", "app", "account_id", "entitlement", "worker_id")
    structure = json.dumps([dict.fromkeys(keys, "varchar")])
    with duckdb.connect() as con:
        try:
            for table in ("accounts", "entitlements", "workers"):
                name = str(audit / f"{table}.parquet").replace("'", "''")
                con.execute(f"create view {table} as select * from read_parquet('{name}')")
            rows = con.execute(
                f"""
                select
                    f.fingerprint,
                    a.username,
                    e.name,
                    w.worker_id,
                    list_filter(
                        list_concat(coalesce(w.employee_numbers, []), [w.email], coalesce(w.other_emails, [])),
                        lambda k: k is not null
                    )
                from (select unnest(from_json($rows, '{structure}'), recursive := true)) f
                left join accounts a on a.app = f.app and a.account_id = f.account_id
                left join entitlements e on e.app = f.app and e.entitlement = f.entitlement
                left join workers w on w.worker_id = coalesce(f.worker_id, a.worker_id)
                """,
                {"rows": json.dumps([{key: getattr(finding, key) for key in keys} for finding in findings])},
            ).fetchall()
        except duckdb.Error as exc:
            raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc
    names = {fingerprint: rest for fingerprint, *rest in rows}
    return [_subject(finding, *names[finding.fingerprint]) for finding in findings]


def _subject(
    finding: Finding, username: str | None, entitlement: str | None, worker_id: str | None, keys: list[str] | None
) -> _Subject:
    return _Subject(
        finding.fingerprint,
        finding.rule,
        finding.app,
        finding.account_id,
        finding.username or username,
        finding.entitlement,
        entitlement,
        finding.worker_id or worker_id,
        tuple(keys or ()),
    )
