/*---
title = "Access before the first day, or without approval"
severity = "medium"
population = "matched_accounts"
why = "Access begins with the job and with an approval. An account that is open or used before the first day, or a right that nobody approved where approvals are kept, was given outside of the process."
remedy = "Close the account until the first day, or record who approved the access."
remedy_mode = "notify"
needs = { roster = true }

[params.early_days]
type = "integer"
default = 14
min = 0
max = 180
source = "Our default: accounts may be ready some days before the first one."
---*/
with early as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        a.is_active,
        w.hired_at,
        greatest(a.last_sign_in_at, a.last_activity_at) as last_used_at,
        greatest(a.last_sign_in_at, a.last_activity_at) is not null as is_used
    from matched_accounts a
    join workers w on w.worker_id = a.worker_id
    where w.status = 'pre_hire'
        -- A rehire's old account was used in the earlier employment.
        and w.first_hired_at is not distinct from w.hired_at
        and a.is_active is distinct from false
),
recorded as (
    -- Applications whose approvals are kept, and since when.
    select app, min(granted_at) as since
    from grants
    where approved_by is not null
    group by app
),
first_scan as (
    select min(first_seen_at) as at
    from account_history
),
unapproved as (
    select
        g.app,
        g.account_id,
        g.entitlement,
        min(coalesce(g.granted_at, h.first_seen_at)) as granted_at
    from recorded r
    cross join first_scan f
    join grants g on g.app = r.app
    left join grant_history h
        on h.app = g.app
        and h.account_id = g.account_id
        and h.entitlement = g.entitlement
        and h.path = g.path
        and h.ended_at is null
        -- What the first scan saw may be older than the record of approvals.
        and h.first_seen_at > f.at
    where g.approved_by is null
        and g.path <> 'nested'
        and coalesce(g.granted_at, h.first_seen_at) >= r.since
    group by g.app, g.account_id, g.entitlement
)
select
    e.app,
    e.account_id,
    username,
    worker_id,
    null::varchar as entitlement,
    case
        when is_used then 'The account was used although work begins in ' || date_diff('day', $as_of, hired_at) || ' days.'
        else 'The account is open although work begins in ' || date_diff('day', $as_of, hired_at) || ' days.'
    end as reason,
    if(is_active is null and not is_used, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    hired_at,
    last_used_at,
    null::timestamp as granted_at
from early e
join applications d on d.app = e.app
left join privilege_holders p on p.app = e.app and p.account_id = e.account_id
where is_used
    or hired_at > $as_of + to_days($early_days::integer)
union all
select
    u.app,
    u.account_id,
    a.username,
    a.worker_id,
    u.entitlement,
    'A right was given that nobody approved, in an application whose approvals are kept.',
    if(a.is_active is null, 'unknown', 'fail'),
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium'),
    null,
    null,
    u.granted_at
from unapproved u
join applications d on d.app = u.app
left join privilege_holders p on p.app = u.app and p.account_id = u.account_id
join matched_accounts a on a.app = u.app and a.account_id = u.account_id and a.is_active is distinct from false
where not exists (
    select 1
    from role_policy p
    where p.app = u.app and p.entitlement = u.entitlement and p.is_birthright
)
