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
with idle as (
    -- Most accounts are in use: the shorter limit leaves few for the joins below.
    select
        app,
        account_id,
        username,
        worker_id,
        is_active,
        created_at,
        last_sign_in_at,
        greatest(last_sign_in_at, last_activity_at) as last_used_at
    from human_accounts
    where excluded_because is null
        and last_sign_in_at is not null
        and greatest(last_sign_in_at, last_activity_at)
            < $as_of - to_days(least($dormant_days::integer, $privileged_dormant_days::integer))
),
uses as (
    -- Programs and devices keep an account in use without a sign-in by a person.
    select s.app, s.account_id, max(s.signed_in_at) as last_event_at
    from sign_ins s
    semi join idle i on i.app = s.app and i.account_id = s.account_id
    group by s.app, s.account_id
),
judged as (
    select
        i.app,
        i.account_id,
        i.username,
        i.worker_id,
        i.is_active,
        i.created_at,
        greatest(i.last_used_at, u.last_event_at) as last_used_at,
        -- Some directories write a sign-in down only every so many days: it may have been that much later.
        greatest(i.last_used_at, u.last_event_at, i.last_sign_in_at + to_days(coalesce(a.sign_in_grain_days, 0)))
            as perhaps_used_at,
        a.sign_in_grain_days,
        list_has_any(a.data, ['financial', 'ephi']) as is_sensitive,
        p.account_id is not null as is_privileged,
        if(p.account_id is null, $dormant_days::integer, $privileged_dormant_days::integer) as limit_days
    from idle i
    left join privilege_holders p on p.app = i.app and p.account_id = i.account_id
    left join uses u on u.app = i.app and u.account_id = i.account_id
    left join workers w on w.worker_id = i.worker_id
    left join applications a on a.app = i.app
    -- People on leave are absent, and leavers have a rule of their own.
    where coalesce(w.status, 'active') not in ('on_leave', 'terminated')
)
select
    app,
    account_id,
    username,
    worker_id,
    'The account was last used ' || date_diff('day', last_used_at, $as_of) || ' days ago; the limit is '
        || limit_days || '.'
        || case when perhaps_used_at > last_used_at
            then ' The application tells sign-ins to ' || sign_in_grain_days || ' days only.' else '' end as reason,
    case
        when is_active is null then 'unknown'
        when perhaps_used_at >= $as_of - to_days(limit_days) then 'unknown'
        else 'fail'
    end as verdict,
    if(is_privileged or is_sensitive, 'high', 'medium') as severity,
    last_used_at,
    is_privileged
from judged
where last_used_at < $as_of - to_days(limit_days)
    and (created_at is null or created_at < $as_of - to_days(limit_days))
