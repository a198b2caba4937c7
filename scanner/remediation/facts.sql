-- What a decision rests on, for the accounts that the findings speak of. `wanted` holds (app, account_id).
create temp table facts as
select
    a.app,
    a.account_id,
    a.username,
    a.email,
    a.display_name,
    a.external_id,
    a.is_active,
    a.kind,
    strftime(a.last_sign_in_at, '%Y-%m-%dT%H:%M:%SZ') as last_sign_in_at,
    strftime(a.last_activity_at, '%Y-%m-%dT%H:%M:%SZ') as last_activity_at,
    a.match_method,
    a.match_confidence,
    a.worker_id,
    w.status as worker_status,
    strftime(w.terminated_at, '%Y-%m-%dT%H:%M:%SZ') as worker_terminated_at,
    w.worker_type,
    strftime(w.hired_at, '%Y-%m-%dT%H:%M:%SZ') as worker_hired_at,
    strftime(w.contract_ends_at, '%Y-%m-%dT%H:%M:%SZ') as worker_contract_ends_at,
    w.department as worker_department,
    w.job_title as worker_job_title,
    w.manager_id as worker_manager_id,
    list_filter(list_concat(coalesce(w.employee_numbers, []), [w.email], coalesce(w.other_emails, [])), lambda k: k is not null)
        as worker_keys,
    (
        select list(distinct g.entitlement order by g.entitlement)
        from grants g
        where g.app = a.app and g.account_id = a.account_id
    ) as rights
from accounts a
semi join wanted n using (app, account_id)
left join workers w on w.worker_id = a.worker_id;

-- Who would remain: people's accounts only, for a robot or a break-glass account is nobody's daily administrator.
create temp table administrators as
select g.app, g.account_id, min(g.entitlement) as entitlement
from grants g
join accounts a on a.app = g.app and a.account_id = g.account_id
where g.is_privileged
    and a.is_active is distinct from false
    and a.kind not in ('service', 'shared', 'break_glass')
group by g.app, g.account_id;

-- Where else the people of these accounts sign in: what a finding says about the identity provider rests on it.
create temp table at_provider as
select a.worker_id, a.app, a.account_id
from accounts a
join applications p on p.app = a.app
where p.identity_provider
    and a.match_confidence in ('certain', 'probable')
    and a.worker_id in (select worker_id from facts);

create temp table held as
select
    g.app,
    g.account_id,
    g.entitlement,
    min(g.path) as path,
    bool_or(g.is_privileged) as is_privileged,
    min(e.name) as name
from grants g
semi join wanted n using (app, account_id)
left join entitlements e on e.app = g.app and e.entitlement = g.entitlement
group by g.app, g.account_id, g.entitlement;

create temp table alone_in as
with members as (
    select g.app, g.entitlement, count(*) as n, min(g.account_id) as account_id
    from grants g
    join accounts a on a.app = g.app and a.account_id = g.account_id
    where g.entitlement like 'group:%' and a.is_active is distinct from false
    group by g.app, g.entitlement
)
select m.app, m.account_id, count(*) as n
from members m
semi join wanted n using (app, account_id)
where m.n = 1
group by m.app, m.account_id;

create temp table owned as
select f.worker_id, count(*) as n
from (select distinct worker_id from facts where worker_id is not null) f
join accounts a on a.owner_worker_id = f.worker_id
where a.is_active is distinct from false and a.kind in ('service', 'shared', 'break_glass')
group by f.worker_id;

-- The base of percentages: the many inactive accounts of an old application would let too much through.
create temp table totals as
select app, count(*) as n
from accounts
where is_active is distinct from false
group by app;
