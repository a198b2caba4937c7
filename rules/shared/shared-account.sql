/*---
title = "Account of several people or of none, in no register"
severity = "medium"
population = "active_accounts"
why = "What is done with a shared account cannot be traced to a person, and its password is known to people who have left. In the register it has an owner and a reason."
remedy = "Give each person an account of their own, or enter the account in the register, with owner, purpose and who holds the secret."
remedy_mode = "notify"
needs = { policy = ["service_register"] }

[params.names]
type = "list"
default = [
    "admin",
    "administrator",
    "backoffice",
    "demo",
    "guest",
    "helpdesk",
    "info",
    "it",
    "mail",
    "marketing",
    "office",
    "reception",
    "root",
    "sales",
    "scan",
    "scanner",
    "shared",
    "support",
    "team",
    "test",
    "training",
    "user",
]
source = "Our default: names of a function, alone or with a number behind them, letter case ignored."
---*/
with named as (
    select
        app,
        account_id,
        username,
        is_active,
        kind,
        worker_id,
        kind = 'shared' as is_declared,
        regexp_replace(lower(split_part(username, '@', 1)), '[._-]*[0-9]*$', '') as name
    from active_accounts
    where kind not in ('service', 'break_glass')
),
suspected as (
    select *
    from named
    where is_declared
        -- One person's account may be called anything.
        or (worker_id is null and list_contains($names::varchar[], name))
)
select
    s.app,
    s.account_id,
    s.username,
    s.worker_id,
    if(
        s.is_declared,
        'The account is marked as shared, and no register entry says who answers for it.',
        'The account has the name of a function, belongs to no known person, and is in no register.'
    ) as reason,
    if(s.is_active is null, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    s.kind,
    p.account_id is not null as is_privileged
from suspected s
join applications d on d.app = s.app
left join privilege_holders p on p.app = s.app and p.account_id = s.account_id
where not exists (
    select 1
    from service_register r
    where r.app = s.app and r.account_id = s.account_id
)
