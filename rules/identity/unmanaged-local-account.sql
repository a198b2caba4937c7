/*---
title = "Account that the identity provider does not manage"
severity = "high"
population = "federated_accounts"
why = "People enter this application through the identity provider, but it does not know of this account: it was made by hand, and closing the person there does not close it."
remedy = "Assign the person in the identity provider, or deactivate the account. Enter a local account for emergencies in the register."
remedy_mode = "notify"
needs = { roster = true, policy = ["idp_assignments"], fields = ["idp_assigned"] }
---*/
select
    a.app,
    a.account_id,
    a.username,
    a.worker_id,
    case a.origin
        when 'local' then 'The account is a local one, in an application that people enter through the identity provider.'
        when 'scim_only' then 'The identity provider manages the account, and the own list of the application does not show it: one of the two is not whole.'
        else 'The identity provider does not let the person into this application, and the account is open.'
    end as reason,
    if(a.is_active is null, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    a.origin,
    a.created_at,
    a.match_confidence
from federated_accounts a
join applications d on d.app = a.app
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
where a.excluded_because is null
    and a.idp_assigned = false
