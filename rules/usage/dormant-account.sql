/*---
title = "Account that nobody uses"
severity = "medium"
population = "human_accounts"
why = "An account that is not used is not missed when somebody else takes it over. Accounts without sign-in data are not judged: no data is not the same as never."
remedy = "Ask the owner whether the access is still needed; deactivate it if not."
remedy_mode = "deactivate"
needs = { fields = ["last_sign_in_at"] }

[params.dormant_days]
type = "integer"
default = 90
min = 1
max = 1000
source = "PCI DSS 8.2.6 names 90 days; CIS Control 5.3 names 45."

[params.privileged_dormant_days]
type = "integer"
default = 45
min = 1
max = 1000
source = "CIS Control 5.3 names 45 days."
---*/
with privileged as (
    select distinct app, account_id
    from grants
    where is_privileged
),
used as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        a.is_active,
        a.created_at,
        p.account_id is not null as is_privileged,
        greatest(a.last_sign_in_at, a.last_activity_at) as last_used_at,
        if(p.account_id is null, $dormant_days::integer, $privileged_dormant_days::integer) as limit_days
    from human_accounts a
    left join privileged p on p.app = a.app and p.account_id = a.account_id
    left join workers w on w.worker_id = a.worker_id
    where a.excluded_because is null
        and a.last_sign_in_at is not null
        -- People on leave are absent, and leavers have a rule of their own.
        and coalesce(w.status, 'active') not in ('on_leave', 'terminated')
)
select
    app,
    account_id,
    username,
    worker_id,
    'The account was last used ' || date_diff('day', last_used_at, $as_of) || ' days ago; the limit is '
        || limit_days || '.' as reason,
    case when is_active is null then 'unknown' else 'fail' end as verdict,
    last_used_at,
    is_privileged
from used
where last_used_at < $as_of - to_days(limit_days)
    and (created_at is null or created_at < $as_of - to_days(limit_days))
