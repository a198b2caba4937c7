/*---
title = "Access decided against and still there"
severity = "high"
population = "revocations"
why = "A review decided to take the access away, and it is still there. A closed ticket is no proof; the application's own list is."
remedy = "Remove the access now, and find out where the decision was lost."
remedy_mode = "remove_grant"
needs = { policy = ["access_reviews"] }

[params.grace_days]
type = "integer"
default = 7
min = 0
max = 90
source = "Our default: five business days are at most seven days."
---*/
with decided as (
    -- The latest decision about an access is the one that stands.
    select app, account_id, entitlement, campaign, decision, decided_at
    from review_items
    qualify row_number() over (
        partition by app, account_id, entitlement
        order by decided_at desc nulls last, campaign desc, decision
    ) = 1
),
due as (
    select *
    from decided
    where decision = 'revoke'
        and coalesce(decided_at < $as_of - to_days($grace_days::integer), true)
),
held as (
    select
        d.app,
        d.account_id,
        d.entitlement,
        d.campaign,
        d.decided_at,
        bool_or(g.granted_at > d.decided_at and g.approved_by is not null) as is_approved_again,
        -- A later scan was the first to show this grant: it had been taken away.
        bool_or(h.first_seen_at > d.decided_at) as is_given_again
    from due d
    join grants g on g.app = d.app and g.account_id = d.account_id and g.entitlement = d.entitlement
    left join grant_history h
        on h.app = g.app
        and h.account_id = g.account_id
        and h.entitlement = g.entitlement
        and h.path = g.path
        and h.ended_at is null
        and h.first_seen_at > (select min(first_seen_at) from account_history)
    group by all
)
select
    h.app,
    h.account_id,
    a.username,
    a.worker_id,
    h.entitlement,
    case
        when h.decided_at is null then 'A review decided against this right, on a day that is not known, and it is still held.'
        when h.is_given_again then 'The right was taken away after a review and given again; who approved that is not known.'
        else 'A review decided ' || date_diff('day', h.decided_at, $as_of) || ' days ago against this right, and it is still held.'
    end as reason,
    if(h.decided_at is null or h.is_given_again, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    h.campaign,
    h.decided_at
from held h
join accounts a on a.app = h.app and a.account_id = h.account_id
join applications d on d.app = h.app
left join privilege_holders p on p.app = h.app and p.account_id = h.account_id
where not coalesce(h.is_approved_again, false)
union all
select
    v.app,
    v.account_id,
    a.username,
    a.worker_id,
    null,
    case
        when v.decided_at is null then 'A review decided against this account, on a day that is not known, and it is still open.'
        else 'A review decided ' || date_diff('day', v.decided_at, $as_of) || ' days ago against this account, and it is still open.'
    end,
    if(v.decided_at is null or a.is_active is null, 'unknown', 'fail'),
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high'),
    v.campaign,
    v.decided_at
from due v
join accounts a on a.app = v.app and a.account_id = v.account_id
join applications d on d.app = v.app
left join privilege_holders p on p.app = v.app and p.account_id = v.account_id
where v.entitlement is null
    and a.is_active is distinct from false
