/*---
title = "Account opened again after it was closed"
severity = "high"
population = "active_accounts"
why = "A closed account that opens again is how access comes back unseen. For a person who has left it is an exception; for others it needs a request, which these data do not hold. One that flaps points to a connector, not to a person."
remedy = "Ask who opened it and why. Close it again if its owner has left; repair the synchronisation if it flaps."
remedy_mode = "notify"
needs = { roster = true, history = true }

[params.lookback_days]
type = "integer"
default = 30
min = 1
max = 365
source = "Our default."

[params.flapping]
type = "integer"
default = 3
min = 2
max = 100
source = "Our default: so many openings within the time above are a fault of a connector."
---*/
with openings as (
    select
        app,
        account_id,
        max_by(first_seen_at, ended_at) as closed_at,
        max(ended_at) as opened_at,
        count(*) as times
    from account_history
    where is_active = false
        and ended_by = 'changed'
        and ended_at > $as_of - to_days($lookback_days::integer)
    group by app, account_id
),
open as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        o.closed_at,
        o.opened_at,
        o.times,
        w.terminated_at,
        coalesce(w.status = 'terminated' and o.opened_at > w.terminated_at, false) as has_left,
        w.hired_at
    from openings o
    join active_accounts a on a.app = o.app and a.account_id = o.account_id
    left join workers w on w.worker_id = a.worker_id
    where a.is_active
),
leave as (
    select distinct o.app, o.account_id
    from open o
    join worker_history h on h.worker_id = o.worker_id
    where h.status = 'on_leave'
        and h.first_seen_at <= o.opened_at
        and coalesce(h.ended_at >= o.closed_at, true)
)
select
    o.app,
    o.account_id,
    o.username,
    o.worker_id,
    case
        when o.has_left then 'The account was opened again after its owner had left.'
        when o.times >= $flapping::integer
            then 'The account was closed and opened again ' || o.times || ' times: a connector may be at fault.'
        else 'The account was opened again ' || date_diff('day', o.opened_at, $as_of)
            || ' days ago; who asked for it is not in the data.'
    end as reason,
    if(o.has_left, 'fail', 'unknown') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    o.closed_at,
    o.opened_at,
    o.times,
    o.terminated_at
from open o
join applications d on d.app = o.app
left join privilege_holders p on p.app = o.app and p.account_id = o.account_id
left join leave l on l.app = o.app and l.account_id = o.account_id
where o.has_left
    or (
        -- Back from leave, or ready before the first day and opened on it.
        l.app is null
        and not coalesce(o.hired_at between o.closed_at and o.opened_at + to_days(1), false)
    )
