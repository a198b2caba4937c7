/*---
title = "Privilege without a second factor"
severity = "high"
population = "privileged_accounts"
why = "A stolen password is all it takes to become an administrator. Where people enter through the identity provider, its factor counts. An application that does not say whether there is one is unable to test, not without."
remedy = "Require a second factor for the account, or for the way by which it signs in."
remedy_mode = "notify"
needs = { policy = ["privileged_entitlements"], fields = ["mfa"] }
---*/
with at_idp as (
    select
        a.worker_id,
        bool_or(a.mfa) as mfa,
        bool_and(a.mfa is not null) as is_known
    from accounts a
    join applications p on p.app = a.app
    where p.identity_provider
        and a.is_active
        and a.match_confidence in ('certain', 'probable')
    group by a.worker_id
)
select
    v.app,
    v.account_id,
    v.username,
    v.worker_id,
    case
        when v.is_active is null then 'The privileged account has no second factor, and whether it is open is not known.'
        when p.sso and i.worker_id is not null and not i.is_known
            then 'The application knows of no second factor; whether the identity provider asks for one is not known.'
        else 'The privileged account can be used without a second factor.'
    end as reason,
    if(v.is_active is null or (p.sso and i.worker_id is not null and not i.is_known), 'unknown', 'fail') as verdict,
    if(p.identity_provider or list_has_any(p.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    p.sso,
    v.last_sign_in_at
from privileged_accounts v
join applications p on p.app = v.app
left join at_idp i on i.worker_id = v.worker_id
where v.excluded_because is null
    and v.mfa = false
    and not coalesce(p.sso and i.mfa, false)
