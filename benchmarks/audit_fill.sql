-- The audit schema (attached as audited) from the staging tables and the matches. The collected part counts as load,
-- for the rivals read the same rows into their frames; the accounts follow from the matches and are timed.

-- collected
insert into audited.audit.settings by name
select 'bench' as scan_id, timestamp '2026-06-30' as as_of, true as is_baseline, true as roster_complete;

insert into audited.audit.applications by name
select app, app as name
from application_settings;

insert into audited.audit.workers by name
select
    worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at, first_hired_at,
    terminated_at, department, job_title, timestamp '2026-06-01' as last_seen_at
from n_workers;

insert into audited.audit.entitlements by name
select app, entitlement, entitlement as name, 'group' as kind, is_privileged
from read_parquet(getvariable('company') || '/entitlements.parquet');

insert into audited.audit.grants by name
select g.app, g.account_id, g.entitlement, g.path, e.is_privileged
from n_grants g
join audited.audit.entitlements e on e.app = g.app and e.entitlement = g.entitlement
order by e.is_privileged desc, g.app, g.account_id, g.entitlement, g.path;

-- matched
insert into audited.audit.accounts by name
select
    a.app, a.account_id, a.username, a.email, a.display_name, a.external_id, a.is_active, m.kind, a.created_at,
    a.deactivated_at, a.last_sign_in_at, a.last_activity_at, a.mfa, w.worker_id, m.match_method, m.match_confidence
from n_accounts a
join m_matches m on m.account_no = a.account_no
left join n_workers w on w.worker_no = m.worker_no
order by m.match_confidence = 'certain', m.match_confidence, a.is_active, a.app, a.account_id;

insert into audited.audit.match_candidates
select a.app, a.account_id, w.worker_id, c.method
from m_candidates c
join n_accounts a on a.account_no = c.account_no
join n_workers w on w.worker_no = c.worker_no;

insert into audited.audit.shared_keys
select key_kind, key, workers
from m_shared_keys;
