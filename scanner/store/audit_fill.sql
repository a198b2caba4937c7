-- Fills the `audit` schema (attached as audit_file) from the working database and the row versions of the store.
-- settings, applications, sources, policy_inputs and suppressions are filled by scanner.store.build.

insert into audit_file.audit.workers
select
    n.worker_id,
    n.employee_numbers,
    n.full_name,
    n.email,
    n.other_emails,
    n.status,
    n.worker_type,
    n.hired_at,
    n.first_hired_at,
    n.terminated_at,
    r.recorded_at,
    n.contract_ends_at,
    n.department,
    n.job_title,
    n.manager_id,
    coalesce(n.last_seen_at, (select as_of from this_scan))
from n_workers n
left join (
    -- The first scan of the present run of versions that hold a termination; the very first scan proves nothing.
    select
        v.worker_id,
        min(c.as_of) as recorded_at
    from store.worker_versions v
    join store.scans c on c.scan_no = v.valid_from_scan
    where v.terminated_at is not null
        and v.valid_from_scan > (select min(scan_no) from store.scans)
        and not exists (
            select 1
            from store.worker_versions b
            where b.worker_id = v.worker_id
                and b.valid_from_scan = (select min(scan_no) from store.scans)
                and b.terminated_at is not null
        )
    group by v.worker_id
) r on r.worker_id = n.worker_id and n.terminated_at is not null
order by n.worker_id;

insert into audit_file.audit.employments
select
    e.worker_id,
    e.roster,
    e.employee_number,
    e.status,
    e.raw_status,
    e.worker_type,
    e.hired_at,
    e.terminated_at,
    e.contract_ends_at,
    e.department,
    e.job_title,
    m.worker_id
from n_employments e
left join person_keys m on m.key = lower(trim(e.manager))
order by e.worker_id, e.roster, e.employee_number, e.line;

insert into audit_file.audit.accounts
select
    n.app,
    n.account_id,
    n.username,
    n.email,
    n.display_name,
    n.external_id,
    n.department,
    n.job_title,
    -- SCIM names the manager's account, exports a key of the person.
    coalesce(m.worker_id, k.worker_id),
    n.is_active,
    n.kind,
    n.created_at,
    n.deactivated_at,
    n.last_sign_in_at,
    n.last_activity_at,
    n.mfa,
    n.owner_worker_id,
    n.origin,
    n.worker_id,
    n.match_method,
    n.match_confidence
from now_accounts n
left join now_accounts m on m.app = n.app and m.account_id = n.manager
left join person_keys k on k.key = lower(trim(n.manager))
-- The few that most rules look for lie together: a scan for them skips the rest of the file.
order by n.match_confidence = 'certain', n.match_confidence, n.is_active, n.app, n.account_id;

insert into audit_file.audit.match_candidates
select
    a.app,
    a.account_id,
    w.worker_id,
    c.method
from m_candidates c
join n_accounts a on a.account_no = c.account_no
join n_workers w on w.worker_no = c.worker_no
order by a.app, a.account_id, w.worker_id, c.method;

insert into audit_file.audit.shared_keys
select key_kind, key, workers
from m_shared_keys
order by key_kind, key;

insert into audit_file.audit.entitlements
select
    e.app,
    e.entitlement,
    e.name,
    e.kind,
    e.is_privileged,
    case
        when (select count(*) from policy_inputs where name = 'duty_conflicts') = 0 then null
        else coalesce(f.functions, [])
    end
from now_entitlements e
left join (
    select n.app, n.entitlement, list_sort(list(distinct g.function)) as functions
    from now_entitlements n
    join duty_functions g
        on n.app glob g.app
        and (lower(n.name) glob g.entitlement or lower(n.entitlement) glob g.entitlement)
    group by n.app, n.entitlement
) f on f.app = e.app and f.entitlement = e.entitlement
order by e.app, e.entitlement;

insert into audit_file.audit.grants
select
    g.app,
    g.account_id,
    g.entitlement,
    g.path,
    e.is_privileged,
    p.granted_at,
    p.granted_by,
    p.approved_by,
    p.expires_at,
    p.granted_by_worker_id,
    p.approved_by_worker_id
from n_grants g
left join now_entitlements e on e.app = g.app and e.entitlement = g.entitlement
left join n_approvals p on p.app = g.app and p.account_id = g.account_id and p.entitlement = g.entitlement
-- Privileged grants are few, and most rules ask for them: together they are found without reading the others.
order by e.is_privileged desc nulls last, g.app, g.account_id, g.entitlement, g.path;

-- The last complete scan of each application at or before each scan.
create temp table last_complete as
select
    a.app,
    c.scan_no,
    max(k.as_of) as as_of
from (select distinct source_id as app from store.sources where kind = 'application') a
cross join store.scans c
join (
    select s.source_id, s.scan_no, t.as_of
    from store.sources s
    join store.scans t on t.scan_no = s.scan_no
    where s.verdict = 'complete'
) k on k.source_id = a.app and k.scan_no <= c.scan_no
group by a.app, c.scan_no;

insert into audit_file.audit.account_history
select
    v.app,
    v.account_id,
    v.is_active,
    v.worker_id,
    f.as_of,
    greatest(f.as_of, l.as_of),
    t.as_of,
    v.ended_by
from store.account_versions v
join store.scans f on f.scan_no = v.valid_from_scan
left join store.scans t on t.scan_no = v.valid_to_scan
left join last_complete l
    on l.app = v.app
    and l.scan_no = coalesce(v.valid_to_scan, (select scan_no from this_scan) + 1) - 1
order by v.app, v.account_id, v.valid_from_scan;

insert into audit_file.audit.grant_history
select
    v.app,
    v.account_id,
    v.entitlement,
    v.path,
    f.as_of,
    t.as_of,
    v.ended_by
from store.grant_versions v
join store.scans f on f.scan_no = v.valid_from_scan
left join store.scans t on t.scan_no = v.valid_to_scan
order by v.app, v.account_id, v.entitlement, v.path, v.valid_from_scan;

insert into audit_file.audit.worker_history
select
    v.worker_id,
    v.status,
    v.department,
    v.job_title,
    v.manager_id,
    v.terminated_at,
    f.as_of,
    t.as_of,
    v.ended_by
from store.worker_versions v
join store.scans f on f.scan_no = v.valid_from_scan
left join store.scans t on t.scan_no = v.valid_to_scan
order by v.worker_id, v.valid_from_scan;

insert into audit_file.audit.service_register
select app, account_id, kind, owner, owner_worker_id, attested_at, purpose, interactive
from registered_accounts
order by app, account_id;

insert into audit_file.audit.approved_domains
select domain, source, reason
from approved_domains
order by domain;

insert into audit_file.audit.sign_ins
select app, account_id, signed_in_at, interactive
from n_sign_ins
order by app, account_id, signed_in_at;

insert into audit_file.audit.role_policy
select distinct
    e.app,
    e.entitlement,
    unnest(p.departments) as department,
    t.job_title,
    p.is_birthright,
    p.may_be_direct
from role_allowances p
cross join unnest(p.job_titles) as t(job_title)
join now_entitlements e
    on e.app glob p.app
    and (lower(e.name) glob p.entitlement or lower(e.entitlement) glob p.entitlement)
order by all;

insert into audit_file.audit.duty_conflicts
select function_a || '/' || function_b, function_a, function_b, risk, compensating_control
from duty_conflicts
order by 1;

-- The most exact pattern decides.
insert into audit_file.audit.erasure_schedule
select a.app, r.days, r.basis
from application_settings a
join retentions r on a.app glob r.app
qualify row_number() over (partition by a.app order by a.app = r.app desc, length(r.app) desc, r.app) = 1
order by a.app;

insert into audit_file.audit.legal_holds
select p.worker_id, h.worker, h.reason
from legal_holds h
left join person_keys p on p.key = lower(trim(h.worker))
order by h.worker;

insert into audit_file.audit.idp_assignments
select app, worker_id, assigned_at
from n_assignments
order by app, worker_id;

insert into audit_file.audit.review_items
select campaign, app, account_id, entitlement, reviewer, reviewer_worker_id, decision, decided_at
from n_reviews
order by all;
