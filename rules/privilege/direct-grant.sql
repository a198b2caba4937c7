/*---
title = "Right given to a person instead of a group"
severity = "low"
population = "groups_only_grants"
why = "The role policy gives access to this application by groups only. A single right beside them is not seen in a review of groups, and stays when the person leaves the group."
remedy = "Give the right by a group, or name it in the role policy as one that may be given directly."
remedy_mode = "notify"
needs = { policy = ["role_policy"] }
---*/
select
    g.app,
    g.account_id,
    any_value(g.username) as username,
    any_value(g.worker_id) as worker_id,
    g.entitlement,
    'The right was given to the account itself, in an application that gives access by groups.' as reason,
    if(bool_or(g.is_active is null), 'unknown', 'fail') as verdict,
    if(bool_or(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi'])), 'medium', 'low') as severity,
    any_value(g.entitlement_kind) as entitlement_kind
from groups_only_grants g
join applications d on d.app = g.app
left join privilege_holders p on p.app = g.app and p.account_id = g.account_id
where g.excluded_because is null
    and g.entitlement_kind <> 'group'
    and g.path = 'direct'
    and not exists (
        select 1
        from role_policy r
        where r.app = g.app and r.entitlement = g.entitlement and r.may_be_direct
    )
group by g.app, g.account_id, g.entitlement
