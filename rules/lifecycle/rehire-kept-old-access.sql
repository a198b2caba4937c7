/*---
title = "Access from an earlier employment"
severity = "medium"
population = "rehired_accounts"
why = "The person left, came back, and the old account still holds the rights of that time. Nobody has approved them for the new job."
remedy = "Let the manager approve each right again, or remove it."
remedy_mode = "notify"
needs = { roster = true }

[params.rescinded_days]
type = "integer"
default = 7
min = 0
max = 90
source = "Our default: who comes back within days had not really left."
---*/
with back as (
    select app, account_id, username, worker_id, is_active, created_at, left_at, rehired_at
    from rehired_accounts
    where left_at < rehired_at - to_days($rescinded_days::integer)
        and coalesce(created_at < left_at, true)
),
first_scan as (
    select min(first_seen_at) as at
    from account_history
),
history as (
    select h.app, h.account_id, h.entitlement, min(h.first_seen_at) as first_seen_at
    from back b
    join grant_history h on h.app = b.app and h.account_id = b.account_id
    where h.ended_at is null
    group by h.app, h.account_id, h.entitlement
),
dated as (
    select
        b.app,
        b.account_id,
        g.entitlement,
        case
            when g.granted_at is not null then g.granted_at < b.rehired_at
            when h.first_seen_at < b.rehired_at then true
            -- Not there in an earlier scan: granted since.
            when h.first_seen_at > f.at then false
        end as is_old
    from back b
    join grants g on g.app = b.app and g.account_id = b.account_id
    cross join first_scan f
    left join history h on h.app = g.app and h.account_id = g.account_id and h.entitlement = g.entitlement
),
counted as (
    select
        app,
        account_id,
        count(distinct entitlement) filter (where is_old) as old_rights,
        count(distinct entitlement) filter (where is_old is null) as undated_rights
    from dated
    group by app, account_id
)
select
    b.app,
    b.account_id,
    b.username,
    b.worker_id,
    case
        when c.old_rights > 0 then 'The person left and came back, and rights from before are still held: ' || c.old_rights || '.'
        else 'The person left and came back to an account from before; since when its rights are held is not known: '
            || c.undated_rights || '.'
    end as reason,
    if(c.old_rights > 0 and b.created_at is not null and b.is_active is not null, 'fail', 'unknown') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    b.left_at,
    b.rehired_at,
    c.old_rights,
    c.undated_rights
from back b
join counted c on c.app = b.app and c.account_id = b.account_id
join applications d on d.app = b.app
left join privilege_holders p on p.app = b.app and p.account_id = b.account_id
where c.old_rights > 0 or c.undated_rights > 0
