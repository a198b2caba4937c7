/*---
title = "Account of a leaver closed too late"
severity = "medium"
population = "leaver_closures"
why = "The account is closed by now, but it could be used for longer than allowed after work ended. It tells whether closing works, and who was late: HR, which recorded the end too late, or IT, which closed too late after that."
remedy = "Find out why it took so long, and look at what the account was used for between the end of work and its closing. Nothing is left to close."
remedy_mode = "none"
needs = { roster = true }

[params.period_days]
type = "integer"
default = 365
min = 1
max = 3650
source = "Our default: a fiscal year back. Departures before that are not judged."

[params.grave_factor]
type = "number"
default = 5
min = 1
max = 100
source = "Our default: beyond this many times the time allowed, the severity is one step higher."
---*/
with judged as (
    select
        app,
        account_id,
        username,
        worker_id,
        is_privileged,
        terminated_at,
        termination_recorded_at,
        due_at,
        closed_after,
        closed_by,
        basis,
        outcome,
        date_sub('hour', terminated_at, due_at) as allowed_hours,
        -- The time that surely passed: to the closing where it is exact, else to the last scan that saw it open.
        date_sub('hour', terminated_at, if(basis = 'exact', closed_by, closed_after)) as open_hours,
        date_sub('hour', terminated_at, termination_recorded_at) as hr_lag_hours,
        date_sub('hour', termination_recorded_at, if(basis = 'exact', closed_by, closed_after)) as it_open_hours,
        -- Since when IT could know is not known where the first scan of all already showed the departure.
        if(
            termination_recorded_at is null,
            null,
            greatest(date_sub('hour', greatest(terminated_at, termination_recorded_at), closed_by), 0)
        ) as it_lag_hours
    from leaver_closures
    where excluded_because is null
        and outcome in ('closed_late', 'cannot_tell')
        and coalesce(terminated_at >= $as_of - to_days($period_days::integer), true)
)
select
    j.app,
    account_id,
    username,
    worker_id,
    case
        when terminated_at is null then 'HR gives no end of work, so that nobody can tell whether the account was closed in time.'
        when outcome = 'cannot_tell' then 'The account was closed between two scans, and the end of the time allowed lies between them.'
        else 'The account was closed ' || if(basis = 'exact', '', 'more than ')
            || if(open_hours < 72, open_hours || ' hours', open_hours // 24 || ' days')
            || ' after work ended; ' || allowed_hours || ' hours are allowed.'
            || case
                when termination_recorded_at > due_at
                    and it_open_hours > allowed_hours
                    then ' HR recorded the end too late, and it was closed too late after that.'
                when termination_recorded_at > due_at then ' HR recorded the end too late.'
                when termination_recorded_at is not null then ' HR had recorded the end in time.'
                else ''
            end
    end as reason,
    if(outcome = 'cannot_tell', 'unknown', 'fail') as verdict,
    if(
        is_privileged
            or list_has_any(d.data, ['financial', 'ephi'])
            or (outcome = 'closed_late' and open_hours > allowed_hours * $grave_factor::double),
        'high',
        'medium'
    ) as severity,
    terminated_at,
    termination_recorded_at,
    due_at,
    closed_after,
    closed_by,
    basis,
    hr_lag_hours,
    it_lag_hours
from judged j
join applications d on d.app = j.app
