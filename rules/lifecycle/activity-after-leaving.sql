/*---
title = "Account used after its owner left"
severity = "critical"
population = "leaver_accounts"
why = "Somebody signed in with the account of a person whose work had ended. This may be misuse, and in some laws a clock starts when it is discovered: it needs a person's judgement at once."
remedy = "End the account's sessions and tokens, keep the logs, and let the incident team decide what happened and whether anybody must be told."
remedy_mode = "revoke_sessions"
needs = { roster = true, fields = ["last_sign_in_at"] }

[params.clock_skew_minutes]
type = "integer"
default = 15
min = 0
max = 1440
source = "Our default: clocks of two systems may differ."
---*/
with events as (
    select app, account_id, max(signed_in_at) as last_event_at
    from sign_ins
    -- Background synchronisation is not a person.
    where interactive is distinct from false
    group by app, account_id
),
used as (
    select
        l.app,
        l.account_id,
        l.username,
        l.worker_id,
        l.terminated_at,
        l.is_active,
        l.match_confidence,
        greatest(l.last_sign_in_at, l.last_activity_at, e.last_event_at) as last_used_at
    from leaver_accounts l
    left join events e on e.app = l.app and e.account_id = l.account_id
    where l.worker_status = 'terminated'
)
select
    app,
    account_id,
    username,
    worker_id,
    'The account was used ' || case
        when last_used_at < terminated_at + to_hours(2) then 'within two hours'
        when last_used_at < terminated_at + to_days(3)
            then date_sub('hour', terminated_at, last_used_at) || ' hours'
        else date_sub('day', terminated_at, last_used_at) || ' days'
    end || ' after work ended.' as reason,
    terminated_at,
    last_used_at,
    is_active,
    match_confidence
from used
where last_used_at > terminated_at + to_minutes($clock_skew_minutes::integer)
