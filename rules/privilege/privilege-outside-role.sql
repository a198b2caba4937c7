/*---
title = "Privilege that the job does not call for"
severity = "high"
population = "privileged_grants"
why = "The role policy says which jobs may hold a privileged right, and the person's job is not among them. Rights given for a few hours and rights of which the policy does not speak are told apart. Where the policy wants privilege on a second account, one for daily use that holds it is told, too."
remedy = "Remove the right, or add the job to the role policy and have it approved again."
remedy_mode = "remove_grant"
needs = { roster = true, policy = ["privileged_entitlements", "role_policy"] }

[params.elevation_hours]
type = "integer"
default = 24
min = 0
max = 720
source = "Our default: a right that ends by itself within this time is an elevation for one task."
---*/
with held as (
    select
        g.app,
        g.account_id,
        g.entitlement,
        g.worker_id,
        bool_and(g.is_active) as is_active,
        min(g.path) as path,
        min(g.granted_at) as granted_at
    from privileged_grants g
    where g.is_active is distinct from false
        and g.kind in ('human', 'unknown', 'external')
        and coalesce(g.expires_at > $as_of + to_hours($elevation_hours::integer), true)
    group by g.app, g.account_id, g.entitlement, g.worker_id
),
jobs as (
    select distinct h.app, h.entitlement, w.department, w.job_title
    from held h
    join workers w on w.worker_id = h.worker_id
),
allowed as (
    -- Patterns are compared once a job and entitlement, not once a grant.
    select distinct j.app, j.entitlement, j.department, j.job_title
    from jobs j
    join role_policy p on p.app = j.app and p.entitlement = j.entitlement
    where coalesce(lower(j.department), '') glob p.department
        and coalesce(lower(j.job_title), '') glob p.job_title
),
governed as (
    select distinct app, entitlement
    from role_policy
),
apart as (
    select a.app, a.account_id, a.worker_id, a.is_active, p.account_id is not null as is_privileged
    from accounts a
    join applications d on d.app = a.app and d.separate_admin_accounts
    left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
    where a.worker_id is not null
        and a.is_active is distinct from false
        and a.kind in ('human', 'unknown', 'external')
),
daily as (
    -- Without another account, or with privilege on each, the privileged one is used for the day's work.
    select app, worker_id
    from apart
    group by app, worker_id
    having bool_and(is_privileged)
)
select
    h.app,
    h.account_id,
    a.username,
    h.worker_id,
    h.entitlement,
    case
        when v.app is null then 'The role policy does not speak of this privileged right.'
        when h.worker_id is null then 'Nobody is known to own the account, so that the role policy cannot be compared.'
        when w.department is null or w.job_title is null
            then 'HR gives no department or no job title, so that the role policy cannot be compared.'
        when h.is_active is null
            then 'The role policy does not give this right to the job, and whether the account is open is not known.'
        else 'The role policy does not give this privileged right to the job.'
    end as reason,
    if(
        v.app is null or h.worker_id is null or w.department is null or w.job_title is null or h.is_active is null,
        'unknown',
        'fail'
    ) as verdict,
    if(list_has_any(p.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    null::varchar as subject,
    h.path,
    h.granted_at
from held h
join accounts a on a.app = h.app and a.account_id = h.account_id
join applications p on p.app = h.app
left join workers w on w.worker_id = h.worker_id
left join governed v on v.app = h.app and v.entitlement = h.entitlement
left join allowed l
    on l.app = h.app
    and l.entitlement = h.entitlement
    and l.department is not distinct from w.department
    and l.job_title is not distinct from w.job_title
    and w.worker_id is not null
where l.app is null
union all
select
    s.app,
    s.account_id,
    a.username,
    s.worker_id,
    null,
    'The person has no account without privilege in this application, and the role policy wants privilege on a second one.',
    if(s.is_active is null, 'unknown', 'fail'),
    if(list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high'),
    'daily-use',
    null,
    null
from apart s
semi join daily y on y.app = s.app and y.worker_id = s.worker_id
join accounts a on a.app = s.app and a.account_id = s.account_id
join applications d on d.app = s.app
