/*---
title = "Privilege approved by its own holder"
severity = "high"
population = "privileged_grants"
why = "Who grants or approves a privileged right to their own account, or by a second account of theirs, is controlled by nobody. The first grant of an application has to come from somewhere, and is told apart."
remedy = "Let somebody independent approve the right again, or remove it."
remedy_mode = "notify"
needs = { roster = true, policy = ["privileged_entitlements", "grant_approvals"] }
---*/
with firsts as (
    select app, min(granted_at) as granted_at
    from privileged_grants
    group by app
),
recorded as (
    select distinct app
    from grants
    where granted_by is not null or approved_by is not null
),
held as (
    select
        g.app,
        g.account_id,
        g.entitlement,
        any_value(g.worker_id) as worker_id,
        any_value(g.is_active) as is_active,
        any_value(g.match_confidence) as match_confidence,
        any_value(g.granted_at) as granted_at,
        coalesce(bool_or(g.approved_by_worker_id = g.worker_id), false) as is_self_approved,
        coalesce(bool_or(g.granted_by_worker_id = g.worker_id), false) as is_self_granted,
        bool_or(g.approved_by is not null) as has_approver,
        bool_or(g.granted_by is not null or g.approved_by is not null) as is_recorded
    from privileged_grants g
    join recorded r on r.app = g.app
    where g.is_active is distinct from false
        and g.kind in ('human', 'unknown', 'external')
    group by g.app, g.account_id, g.entitlement
)
select
    h.app,
    h.account_id,
    a.username,
    h.worker_id,
    h.entitlement,
    case
        when not h.is_recorded then 'Who granted or approved this privileged right is not recorded.'
        when h.granted_at = f.granted_at then 'The first privileged right of the application was given by its holder.'
        when h.is_self_approved then 'The holder approved the privileged right.'
        else 'The holder granted the privileged right, and nobody else approved it.'
    end as reason,
    case
        when not h.is_recorded or h.granted_at = f.granted_at or h.is_active is null then 'unknown'
        else 'fail'
    end as verdict,
    if(list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    h.granted_at,
    h.match_confidence
from held h
join applications d on d.app = h.app
join accounts a on a.app = h.app and a.account_id = h.account_id
join firsts f on f.app = h.app
where not h.is_recorded
    or h.is_self_approved
    or (h.is_self_granted and not h.has_approver)
