-- One scan in the life of all findings. Reads the temporary tables now_findings, tested, verified_findings, now_rules and
-- one row in this_scan (scan_no); writes the versions of the store, and last and next_states for who reads on.

insert into findings
select
    (select coalesce(max(finding_no), 0) from findings) + row_number() over (order by n.rule, n.app, n.fingerprint),
    n.fingerprint,
    n.rule,
    n.app,
    n.account_id,
    n.entitlement,
    n.worker_id,
    n.subject
from now_findings n
where not exists (select 1 from findings f where f.fingerprint = n.fingerprint);

-- Who was erased and is there again bears their ids again.
update findings f
set account_id = n.account_id, worker_id = n.worker_id, subject = n.subject
from now_findings n
where n.fingerprint = f.fingerprint
    and (f.account_id is distinct from n.account_id or f.worker_id is distinct from n.worker_id);

create or replace temp table next_states as
with judged as (
    select
        f.finding_no,
        f.fingerprint,
        v.state as state_before,
        v.severity as severity_before,
        v.verdict as verdict_before,
        v.waiver as waiver_before,
        case
            when n.waiver is not null then 'waived'
            when n.fingerprint is not null then 'open'
            when v.state in ('resolved', 'verified') then v.state
            -- Silence of what was not tested proves nothing.
            when t.rule is null then 'unseen'
            when p.fingerprint is not null then 'verified'
            else 'resolved'
        end as state,
        coalesce(n.severity, v.severity) as severity,
        coalesce(n.verdict, v.verdict) as verdict,
        coalesce(n.reason, v.reason) as reason,
        n.waiver
    from findings f
    left join finding_versions v on v.finding_no = f.finding_no and v.valid_to_scan is null
    left join now_findings n on n.fingerprint = f.fingerprint
    left join tested t on t.rule = f.rule and t.app is not distinct from f.app
    left join verified_findings p on p.fingerprint = f.fingerprint
)
select
    finding_no,
    fingerprint,
    state_before,
    state,
    severity,
    verdict,
    reason,
    waiver,
    state is not distinct from state_before
        and severity = severity_before
        and verdict = verdict_before
        and waiver is not distinct from waiver_before as is_same
from judged;

update finding_versions v
set valid_to_scan = (select scan_no from this_scan)
from next_states s
where v.valid_to_scan is null and s.finding_no = v.finding_no and not s.is_same;

insert into finding_versions
select finding_no, state, severity, verdict, reason, waiver, (select scan_no from this_scan), null
from next_states
where not is_same
order by finding_no;

-- rules, and where they were tested

update rule_versions v
set valid_to_scan = (select scan_no from this_scan)
where v.valid_to_scan is null
    and not exists (
        select 1
        from now_rules n
        where n.rule = v.rule and n.sha256 = v.sha256 and n.params = v.params and n.is_lead = v.is_lead
    );

insert into rule_versions
select n.rule, n.sha256, n.params, n.is_lead, (select scan_no from this_scan), null
from now_rules n
where not exists (select 1 from rule_versions v where v.rule = n.rule and v.valid_to_scan is null)
order by n.rule;

update tested_versions v
set valid_to_scan = (select scan_no from this_scan)
where v.valid_to_scan is null
    and not exists (select 1 from tested t where t.rule = v.rule and t.app is not distinct from v.app);

insert into tested_versions
select t.rule, t.app, (select scan_no from this_scan), null
from tested t
where not exists (
    select 1
    from tested_versions v
    where v.rule = t.rule and v.app is not distinct from t.app and v.valid_to_scan is null
)
order by t.rule, t.app;
