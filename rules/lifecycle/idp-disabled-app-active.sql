/*---
title = "Closed in the identity provider, open in the application"
severity = "high"
population = "accounts_below_idp"
why = "The identity provider lets the person in no more, but the application's own account is open. Passwords of its own, tokens, and sessions on mobile devices go on working. Where people enter through the identity provider only, the risk is low."
remedy = "Deactivate the account in the application, and end its sessions and tokens."
remedy_mode = "deactivate"
needs = { roster = true, fields = ["idp_active"] }

[params.delay_hours]
type = "integer"
default = 4
min = 0
max = 168
source = "Our default: provisioning takes a while."
---*/
select
    b.app,
    b.account_id,
    b.username,
    b.worker_id,
    case
        when b.is_active is null then 'The person is closed in the identity provider, and the application does not say whether its account is open.'
        when b.idp_closed_at is null then 'The person is closed in the identity provider, since when is not known, and the account is open.'
        else 'The person was closed in the identity provider ' || date_sub('hour', b.idp_closed_at, $as_of)
            || ' hours ago, and the account is open.'
    end as reason,
    if(b.is_active is null or b.idp_closed_at is null, 'unknown', 'fail') as verdict,
    if(d.sso, if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'medium', 'low'), if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high')) as severity,
    b.idp_closed_at,
    d.sso
from accounts_below_idp b
join applications d on d.app = b.app
left join privilege_holders p on p.app = b.app and p.account_id = b.account_id
join workers w on w.worker_id = b.worker_id
where b.idp_active = false
    -- Leavers are the business of leaver-still-active.
    and w.status not in ('terminated', 'vanished')
    and coalesce(b.idp_closed_at <= $as_of - to_hours($delay_hours::integer), true)
