/*---
title = "Active account of a person who has left"
severity = "high"
population = "leaver_accounts"
why = "Work has ended and the time to close the account has passed, but it can still be used. No register entry, name pattern or account kind exempts an account that belongs to a leaver."
remedy = "Deactivate the account, end its sessions and tokens, and look back at what it was used for since the last day of work."
remedy_mode = "deactivate"
needs = { roster = true }

[params.sla_hours]
type = "integer"
default = 24
min = 0
max = 720
source = "Our default; HIPAA, SOX and NIST SP 800-53 PS-4 leave the time to the organisation's policy."

[params.privileged_sla_hours]
type = "integer"
default = 4
min = 0
max = 720
source = "Our default for accounts with privilege."

[params.vanished_grace_days]
type = "integer"
default = 14
min = 0
max = 365
source = "Our default: time for HR to correct a roster from which a person vanished."
---*/
select
    l.app,
    l.account_id,
    l.username,
    l.worker_id,
    case
        when l.worker_status = 'vanished' then 'The person is no longer in any roster, and the account is still active.'
        when l.terminated_at is null then 'HR calls the person terminated without a date, and the account is still active.'
        when l.is_active is null
            then 'Work ended ' || date_diff('day', l.terminated_at, $as_of)
                || ' days ago, and the application does not say whether the account is active.'
        else 'Work ended ' || date_diff('day', l.terminated_at, $as_of) || ' days ago, and the account is still active.'
    end as reason,
    case
        when l.is_active is null then 'unknown'
        when l.worker_status = 'vanished' and $as_of <= l.last_seen_at + to_days($vanished_grace_days::integer)
            then 'unknown'
        else 'fail'
    end as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    l.terminated_at,
    l.termination_recorded_at,
    date_sub('hour', l.terminated_at, l.termination_recorded_at) as hr_lag_hours,
    -- Since when IT could know is not known where the first scan of all already showed the departure.
    if(
        l.termination_recorded_at is null,
        null,
        date_sub('hour', greatest(l.terminated_at, l.termination_recorded_at), $as_of)
    ) as open_since_recorded_hours,
    l.last_sign_in_at,
    l.match_confidence
from leaver_accounts l
join applications d on d.app = l.app
left join privilege_holders p on p.app = l.app and p.account_id = l.account_id
where l.is_active is distinct from false
    and (
        l.worker_status = 'vanished'
        or l.terminated_at is null
        or $as_of > l.terminated_at
            + to_hours(if(p.account_id is null, $sla_hours::integer, $privileged_sla_hours::integer))
    )
