-- What a scan later than the first holds beside the accounts, so that every rule has something to do: history, feeds and
-- policy inputs of the same company. Runs on the audit file alone; `pick` as in company.sql.
create temp macro pick(x, salt, n) as (hash(x || salt::varchar) % n)::integer;
create temp macro as_of() as timestamp '2026-06-30';

update settings
set is_baseline = false, previous_scan_at = as_of() - interval 1 day, timezone = 'Europe/Berlin';

update applications
set
    sso = right(app, 1) < '5',
    groups_only = right(app, 1) = '1',
    identity_provider = app = 'app00',
    data = case right(app, 1) when '0' then ['personal', 'financial'] when '1' then ['ephi'] else ['personal'] end;

update workers
set
    job_title = 'Job ' || pick(worker_id, 1, 40),
    manager_id = 'P' || lpad((1 + pick(worker_id, 2, (select count(*) from workers) // 20 + 1))::varchar, 8, '0'),
    termination_recorded_at = terminated_at + to_days(pick(worker_id, 3, 4)),
    contract_ends_at = if(worker_type = 'contractor', as_of() - to_days(pick(worker_id, 4, 400) - 350), null);

update workers
set terminated_at = as_of() + to_days(1 + pick(worker_id, 21, 30))
where status = 'active' and pick(worker_id, 22, 100) = 0;

insert into employments by name
select
    worker_id, 'hr' as roster, employee_numbers[1] as employee_number, status, worker_type, hired_at, terminated_at,
    contract_ends_at, department, job_title, manager_id
from workers
union all
select worker_id, 'hr', employee_numbers[2], 'terminated', worker_type, hired_at - to_days(900),
    hired_at - to_days(400), null, department, job_title, manager_id
from workers
where len(employee_numbers) > 1;

insert into sources by name
select app as source_id, 'application' as kind, 'scim' as type, 'complete' as verdict, 1 as stated, 1 as collected,
    as_of() as finished_at, as_of() as last_complete_at
from applications
union all
select 'hr', 'roster', 'csv', 'complete', 1, 1, as_of(), as_of();

-- One version each, and an earlier one of a few: moved, returned from leave, opened again, taken away.
insert into worker_history by name
select worker_id, status, department, job_title, manager_id, terminated_at, timestamp '2026-01-01' as first_seen_at
from workers
where pick(worker_id, 5, 100) >= 1
union all
select worker_id, 'active', department, 'Job of before', manager_id, null, timestamp '2026-01-01'
from workers
where pick(worker_id, 5, 100) < 1
union all
select worker_id, status, department, job_title, manager_id, terminated_at, timestamp '2026-03-01'
from workers
where pick(worker_id, 5, 100) < 1;
update worker_history
set ended_at = timestamp '2026-03-01', ended_by = 'changed'
where job_title = 'Job of before';

insert into account_history by name
select app, account_id, is_active, worker_id, timestamp '2026-01-01' as first_seen_at, as_of() as last_seen_at
from accounts
where pick(account_id, 6, 100) >= 2
union all
select app, account_id, not is_active, worker_id, timestamp '2026-01-01', timestamp '2026-06-10'
from accounts
where pick(account_id, 6, 100) < 2
union all
select app, account_id, is_active, worker_id, timestamp '2026-06-11', as_of()
from accounts
where pick(account_id, 6, 100) < 2;
update account_history
set ended_at = timestamp '2026-06-11', ended_by = 'changed'
where last_seen_at < as_of();

insert into grant_history by name
select
    app, account_id, entitlement, path,
    if(pick(account_id || entitlement, 7, 100) < 5, timestamp '2026-04-01', timestamp '2026-01-01') as first_seen_at
from grants;

-- Half of the applications say when and by whom something was granted; of their grants one in a hundred by the holder.
create temp table granting as
select g.app, g.account_id, g.entitlement, a.worker_id, w.manager_id
from grants g
join accounts a on a.app = g.app and a.account_id = g.account_id
join workers w on w.worker_id = a.worker_id
where g.is_privileged and right(g.app, 1) < '5';
update grants
set
    granted_at = timestamp '2026-02-01',
    granted_by_worker_id = if(pick(g.account_id, 8, 100) = 0, g.worker_id, g.manager_id),
    approved_by_worker_id = g.manager_id
from granting g
where g.app = grants.app and g.account_id = grants.account_id and g.entitlement = grants.entitlement;

update accounts
set mfa = pick(account_id, 9, 100) < 95, origin = if(pick(account_id, 10, 100) < 2, 'local', 'scim')
where right(app, 1) < '7';

update accounts
set deactivated_at = w.terminated_at + to_hours(pick(account_id, 20, 26))
from workers w
where w.worker_id = accounts.worker_id and w.status = 'terminated' and not accounts.is_active;

insert into approved_domains values ('acme.example', 'organization', null), ('partner.example', 'policy', 'benchmark');

insert into sign_ins
select app, account_id, last_sign_in_at, pick(account_id, 11, 10) < 9
from accounts
where last_sign_in_at is not null and right(app, 1) < '5';

insert into idp_assignments
select app, worker_id, timestamp '2026-01-01'
from accounts
where worker_id is not null and right(app, 1) < '5' and pick(account_id, 12, 100) < 98
group by app, worker_id;

insert into role_policy
select e.app, e.entitlement, 'D' || d, null, false, false
from entitlements e, range(0, 200, 2) t(d)
where e.is_privileged
union all
select app, entitlement, null, 'Job ' || pick(entitlement, 13, 40), false, true
from entitlements
where not is_privileged and pick(entitlement, 14, 50) = 0;

update entitlements
set functions = ['f' || pick(entitlement, 15, 12)]
where pick(entitlement, 16, 100) < 8;
insert into duty_conflicts
select 'f' || a || '/f' || (a + 1), 'f' || a, 'f' || (a + 1), 'of the benchmark', null
from range(0, 12, 2) t(a);

insert into review_items by name
select
    'spring' as campaign, app, account_id, entitlement, 'reviewer' as reviewer,
    case pick(account_id, 17, 50) when 0 then 'undecided' when 1 then 'revoke' else 'keep' end as decision,
    timestamp '2026-05-01' as decided_at
from grants
where is_privileged or pick(account_id, 18, 100) < 5;

insert into erasure_schedule values ('*', 365, 'benchmark');
insert into legal_holds
select worker_id, worker_id, 'benchmark'
from workers
where pick(worker_id, 19, 10000) = 0;
checkpoint;
