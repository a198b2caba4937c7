/*---
title = "Conflicting duties in two applications"
severity = "high"
population = "duty_people"
why = "One person can do one half in one application and the other half in another, which no single application can see. It needs a sure match of both accounts: with a doubtful one the answer is unknown."
remedy = "Take one of the two functions away, or name who checks what is done with both."
remedy_mode = "notify"
needs = { roster = true, policy = ["duty_conflicts"] }
---*/
with holdings as materialized (
    select app, account_id, username, worker_id, is_active, match_confidence, function, entitlement
    from duty_holdings
    where worker_id is not null
),
several as (
    -- Few people hold two functions at all: only theirs are compared. A hash finds them fast, and a false one does no harm.
    select hash(worker_id) as holder
    from holdings
    group by holder
    having count(distinct function) > 1
),
held as materialized (
    select h.*, p.account_id is not null as is_privileged
    from holdings h
    semi join several s on s.holder = hash(h.worker_id)
    left join privilege_holders p on p.app = h.app and p.account_id = h.account_id
),
pairs as (
    select
        a.worker_id,
        c.conflict,
        c.function_a,
        c.function_b,
        c.risk,
        c.compensating_control,
        a.app as app_a,
        b.app as app_b,
        a.is_active and b.is_active and a.match_confidence = 'certain' and b.match_confidence = 'certain' as is_sure,
        a.is_privileged or b.is_privileged as is_privileged
    from held a
    join duty_conflicts c on c.function_a = a.function
    join held b on b.worker_id = a.worker_id and b.function = c.function_b
),
judged as (
    select
        worker_id,
        conflict,
        any_value(function_a) as function_a,
        any_value(function_b) as function_b,
        any_value(risk) as risk,
        any_value(compensating_control) as compensating_control,
        min_by(app_a, (not coalesce(is_sure, false), app_a, app_b)) as app_a,
        min_by(app_b, (not coalesce(is_sure, false), app_a, app_b)) as app_b,
        coalesce(bool_or(is_sure), false) as is_sure,
        bool_or(is_privileged) as is_privileged
    from pairs
    group by worker_id, conflict
    -- Within one application it is the business of duty-conflict-within-app.
    having bool_and(app_a <> app_b)
)
select
    null::varchar as app,
    null::varchar as account_id,
    worker_id,
    'pair:' || conflict as subject,
    'Accounts of one person give ' || function_a || ' in ' || app_a || ' and ' || function_b || ' in ' || app_b || '.'
        as reason,
    if(is_sure, 'fail', 'unknown') as verdict,
    if(is_privileged or list_has_any(a.data || b.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    app_a,
    app_b,
    risk,
    compensating_control
from judged
join applications a on a.app = app_a
join applications b on b.app = app_b
