/*---
title = "Privilege of a person on leave"
severity = "medium"
population = "privileged_accounts"
why = "Nobody needs an administrator's rights during a long absence, and whoever takes them over is not noticed. Only the fact of the absence is used, never its reason."
remedy = "Suspend the privileged rights until the return. Leave the account itself: people on leave may have a right to stay in touch."
remedy_mode = "remove_grant"
needs = { roster = true, policy = ["privileged_entitlements"] }

[params.leave_days]
type = "integer"
default = 14
min = 1
max = 365
source = "Our default: a holiday is no leave."
---*/
with holders as (
    select p.app, p.account_id, p.username, p.worker_id, p.is_active
    from privileged_accounts p
    join workers w on w.worker_id = p.worker_id
    where p.excluded_because is null
        and w.status = 'on_leave'
),
absences as (
    select
        h.worker_id,
        max(h.ended_at) filter (where h.status <> 'on_leave') as began_at,
        min(h.first_seen_at) as known_since
    from worker_history h
    semi join holders o on o.worker_id = h.worker_id
    group by h.worker_id
)
select
    o.app,
    o.account_id,
    o.username,
    o.worker_id,
    case
        when o.is_active is null then 'The person is on leave, and the application does not say whether the privileged account is open.'
        when a.began_at is null and coalesce(a.known_since > $as_of - to_days($leave_days::integer), true)
            then 'The person is on leave, since when is not known, and the account keeps its privilege.'
        else 'The person has been on leave for ' || if(a.began_at is null, 'more than ', '')
            || date_diff('day', coalesce(a.began_at, a.known_since), $as_of) || ' days, and the account keeps its privilege.'
    end as reason,
    case
        when o.is_active is null then 'unknown'
        when a.began_at is null and coalesce(a.known_since > $as_of - to_days($leave_days::integer), true) then 'unknown'
        else 'fail'
    end as verdict,
    if(list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    coalesce(a.began_at, a.known_since) as on_leave_since
from holders o
join applications d on d.app = o.app
left join absences a on a.worker_id = o.worker_id
where coalesce(a.began_at <= $as_of - to_days($leave_days::integer), true)
