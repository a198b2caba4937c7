/*---
title = "Account that was never used"
severity = "low"
population = "sign_in_accounts"
why = "An account that nobody has ever signed in to may still have its first password, and was perhaps never needed. It is judged only where the application reports when others last signed in: no data is not the same as never."
remedy = "Ask whether the account is needed; deactivate it if not."
remedy_mode = "deactivate"
needs = { fields = ["sign_ins_reported", "created_at"] }

[params.unused_days]
type = "integer"
default = 30
min = 1
max = 1000
source = "Our default."
---*/
with unused as (
    select app, account_id, username, worker_id, is_active, created_at
    from sign_in_accounts
    where excluded_because is null
        and sign_ins_reported
        and last_sign_in_at is null
        and last_activity_at is null
        and created_at < $as_of - to_days($unused_days::integer)
)
select
    u.app,
    u.account_id,
    u.username,
    u.worker_id,
    'The account was created ' || date_diff('day', u.created_at, $as_of)
        || ' days ago, and no sign-in has ever been reported.' as reason,
    if(u.is_active is null, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'medium', 'low') as severity,
    u.created_at,
    p.account_id is not null as is_privileged
from unused u
join applications d on d.app = u.app
left join privilege_holders p on p.app = u.app and p.account_id = u.account_id
left join workers w on w.worker_id = u.worker_id
-- Who has not begun, is absent or has left is the business of other rules.
where coalesce(w.status, 'active') not in ('pre_hire', 'on_leave', 'terminated')
    -- A background use is a use.
    and not exists (
        select 1
        from sign_ins s
        where s.app = u.app and s.account_id = u.account_id
    )
