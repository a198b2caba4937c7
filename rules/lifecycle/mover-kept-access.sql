/*---
title = "Access kept through a change of job"
severity = "medium"
population = "movers"
why = "Department or job title has changed, and the person still holds a right from before that the role policy does not give to the new job. Rights that only add up are how one person comes to hold too many. A right that the policy does not speak of is not judged."
remedy = "Let the new manager approve the right again, or remove it."
remedy_mode = "remove_grant"
needs = { roster = true, history = true, policy = ["role_policy"] }

[params.grace_days]
type = "integer"
default = 30
min = 0
max = 365
source = "Our default: time for the handover."

[params.privileged_grace_days]
type = "integer"
default = 7
min = 0
max = 365
source = "Our default for privileged rights."
---*/
with moved as (
    select worker_id, department, job_title, moved_at
    from movers
    where excluded_because is null
        and moved_at < $as_of - to_days(least($grace_days::integer, $privileged_grace_days::integer))
),
owned as (
    select a.app, a.account_id, a.username, a.worker_id, a.is_active, m.department, m.job_title, m.moved_at
    from moved m
    join accounts a on a.worker_id = m.worker_id
    where a.match_confidence in ('certain', 'probable')
        and a.is_active is distinct from false
),
since as (
    select h.app, h.account_id, h.entitlement, min(h.first_seen_at) as first_seen_at
    from owned o
    join grant_history h on h.app = o.app and h.account_id = o.account_id
    where h.ended_at is null
    group by h.app, h.account_id, h.entitlement
),
held as (
    select
        o.app,
        o.account_id,
        o.username,
        o.worker_id,
        o.is_active,
        o.department,
        o.job_title,
        o.moved_at,
        g.entitlement,
        bool_or(coalesce(g.is_privileged, false)) as is_privileged,
        min(coalesce(g.granted_at, s.first_seen_at)) as held_since
    from owned o
    join grants g on g.app = o.app and g.account_id = o.account_id
    left join since s on s.app = g.app and s.account_id = g.account_id and s.entitlement = g.entitlement
    group by all
),
kept as (
    select *
    from held
    where held_since < moved_at
        and moved_at < $as_of - to_days(if(is_privileged, $privileged_grace_days::integer, $grace_days::integer))
),
jobs as (
    select distinct app, entitlement, department, job_title
    from kept
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
conflicting as (
    -- What the kept right gives, and what the person may do besides, no one person may do.
    select distinct k.app, k.account_id, k.entitlement
    from kept k
    join (
        select app, entitlement, unnest(functions) as function
        from entitlements
    ) f on f.app = k.app and f.entitlement = k.entitlement
    join (
        select function_a as function, function_b as other
        from duty_conflicts
        union all
        select function_b, function_a
        from duty_conflicts
    ) c on c.function = f.function
    join duty_holdings h on h.worker_id = k.worker_id and h.function = c.other
)
select
    k.app,
    k.account_id,
    k.username,
    k.worker_id,
    k.entitlement,
    'The job changed ' || date_diff('day', k.moved_at, $as_of) || ' days ago, and a right from before is still held'
        || if(v.app is null, ', of which the role policy does not speak.', ' that the role policy does not give to the new job.')
        as reason,
    if(v.app is null or k.is_active is null, 'unknown', 'fail') as verdict,
    if(
        p.account_id is not null or c.account_id is not null or list_has_any(d.data, ['financial', 'ephi']),
        'high',
        'medium'
    ) as severity,
    k.moved_at,
    k.held_since
from kept k
join applications d on d.app = k.app
left join privilege_holders p on p.app = k.app and p.account_id = k.account_id
left join conflicting c on c.app = k.app and c.account_id = k.account_id and c.entitlement = k.entitlement
left join governed v on v.app = k.app and v.entitlement = k.entitlement
left join allowed a
    on a.app = k.app
    and a.entitlement = k.entitlement
    and a.department is not distinct from k.department
    and a.job_title is not distinct from k.job_title
where a.app is null
