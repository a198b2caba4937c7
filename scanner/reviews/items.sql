-- What a review asks about: every account that is not inactive, and every right that it holds, with who decides.
-- Nobody decides about an account of their own: it goes to their manager, or else to the owner of the application.
with people as (
    select
        lower(trim(email)) as email,
        any_value(worker_id) as worker_id
    from workers
    where trim(email) <> ''
    group by 1
    having count(*) = 1
),
present as (
    select worker_id
    from workers
    where status in ('active', 'on_leave')
),
subjects as (
    select
        a.app,
        p.name as app_name,
        a.account_id,
        a.username,
        a.kind,
        a.last_sign_in_at,
        w.worker_id,
        w.full_name,
        w.department,
        w.job_title,
        m.worker_id as manager_id,
        o.worker_id as owner_id,
        -- An owner whom no roster knows is asked by the address alone.
        if(e.worker_id is null, p.owner, null) as owner_text,
        s.worker_id as steward_id
    from accounts a
    join applications p on p.app = a.app
    left join workers w on w.worker_id = a.worker_id
    left join present m on m.worker_id = w.manager_id and m.worker_id <> w.worker_id
    left join people e on e.email = lower(trim(p.owner))
    left join present o on o.worker_id = e.worker_id and o.worker_id is distinct from a.worker_id
    -- Who answers for an account that is no person's own.
    left join present s on s.worker_id = a.owner_worker_id and a.worker_id is null
    where a.is_active is distinct from false
        and ($apps::varchar[] is null or list_contains($apps::varchar[], a.app))
),
assigned as (
    select
        *,
        coalesce(
            steward_id,
            if($by = 'manager', manager_id, owner_id),
            if($by = 'manager', owner_id, manager_id)
        ) as reviewer_id
    from subjects
),
held as (
    select
        g.app,
        g.account_id,
        g.entitlement,
        any_value(coalesce(e.name, g.entitlement)) as entitlement_name,
        bool_or(coalesce(g.is_privileged, e.is_privileged)) as is_privileged,
        min(g.granted_at) as granted_at
    from grants g
    left join entitlements e on e.app = g.app and e.entitlement = g.entitlement
    group by all
),
items as (
    select app, account_id, null::varchar as entitlement, null::varchar as entitlement_name,
        null::boolean as is_privileged, null::timestamp as granted_at
    from assigned
    union all
    select app, account_id, entitlement, entitlement_name, is_privileged, granted_at
    from held
)
select
    a.app,
    a.app_name,
    a.account_id,
    a.username,
    a.kind,
    a.worker_id,
    a.full_name,
    a.department,
    a.job_title,
    i.entitlement,
    i.entitlement_name,
    i.is_privileged,
    i.granted_at,
    a.last_sign_in_at,
    coalesce(r.worker_id, '') as reviewer_id,
    coalesce(r.full_name, r.email, a.owner_text, '') as reviewer_name,
    coalesce(r.email, if(r.worker_id is null, a.owner_text, null), '') as reviewer_email
from items i
join assigned a on a.app = i.app and a.account_id = i.account_id
left join workers r on r.worker_id = a.reviewer_id
order by reviewer_id, reviewer_email, a.full_name nulls last, a.app, a.account_id, i.entitlement nulls first
