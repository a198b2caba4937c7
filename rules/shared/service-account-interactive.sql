/*---
title = "Person signed in with a service account"
severity = "high"
population = "service_accounts"
why = "A service account works for a machine. A person at a screen with it is traced to nobody, and knows its secret. The first days after it was made, and accounts that the register allows it for, are left out."
remedy = "Ask who used it and why, and change its secret. Allow it in the register if a robot works at a screen."
remedy_mode = "notify"
needs = { policy = ["sign_ins"] }

[params.lookback_days]
type = "integer"
default = 30
min = 1
max = 365
source = "Our default."

[params.setup_days]
type = "integer"
default = 7
min = 0
max = 90
source = "Our default: somebody sets it up."
---*/
with uses as (
    select
        s.app,
        s.account_id,
        count(*) filter (where i.interactive) as sign_ins,
        count(*) filter (where i.interactive is null) as undecided,
        max(i.signed_in_at) filter (where i.interactive is distinct from false) as last_at
    from service_accounts s
    join sign_ins i on i.app = s.app and i.account_id = s.account_id
    where s.kind = 'service'
        and i.signed_in_at > $as_of - to_days($lookback_days::integer)
        and coalesce(i.signed_in_at > s.created_at + to_days($setup_days::integer), true)
    group by s.app, s.account_id
)
select
    u.app,
    u.account_id,
    a.username,
    if(
        u.sign_ins > 0,
        'Sign-ins at a screen within ' || $lookback_days::integer || ' days: ' || u.sign_ins || '.',
        'Sign-ins within ' || $lookback_days::integer || ' days of which nobody knows whether a person made them: '
            || u.undecided || '.'
    ) as reason,
    if(u.sign_ins > 0, 'fail', 'unknown') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    u.sign_ins,
    u.last_at as last_used_at
from uses u
join applications d on d.app = u.app
left join privilege_holders p on p.app = u.app and p.account_id = u.account_id
join accounts a on a.app = u.app and a.account_id = u.account_id
left join service_register r on r.app = u.app and r.account_id = u.account_id
where (u.sign_ins > 0 or u.undecided > 0)
    and r.interactive is distinct from true
