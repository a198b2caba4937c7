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
    select
        app,
        account_id,
        -- Background synchronisation is not a person: a telephone that was never wiped.
        max(signed_in_at) filter (where interactive is distinct from false) as last_event_at,
        max(signed_in_at) filter (where interactive = false) as last_background_at
    from sign_ins
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
        greatest(l.last_sign_in_at, l.last_activity_at, e.last_event_at) as last_used_at,
        e.last_background_at
    from leaver_accounts l
    left join events e on e.app = l.app and e.account_id = l.account_id
    where l.worker_status = 'terminated'
),
late as (
    select
        * replace (
            if(
                last_used_at > terminated_at + to_minutes($clock_skew_minutes::integer),
                last_used_at,
                last_background_at
            ) as last_used_at
        ),
        coalesce(last_used_at > terminated_at + to_minutes($clock_skew_minutes::integer), false) as is_person
    from used
)
select
    app,
    account_id,
    username,
    worker_id,
    if(is_person, 'The account was used ', 'A device or a program used the account ') || case
        when last_used_at < terminated_at + to_hours(2) then 'within two hours'
        when last_used_at < terminated_at + to_days(3)
            then date_sub('hour', terminated_at, last_used_at) || ' hours'
        else date_sub('day', terminated_at, last_used_at) || ' days'
    end || ' after work ended' || if(is_person, '.', '; whether a person did is not known.') as reason,
    if(is_person, 'fail', 'unknown') as verdict,
    terminated_at,
    last_used_at,
    is_active,
    match_confidence
from late
where last_used_at > terminated_at + to_minutes($clock_skew_minutes::integer)
