/*---
title = "Conflicting duties in one application"
severity = "high"
population = "duty_holdings"
why = "One person can do both halves of what two people should do, by one account or by two. The pairs and what gives them are the organisation's own, and count from its approval on. A compensating control is printed; it does not end the conflict."
remedy = "Take one of the two functions away, or name who checks what is done with both."
remedy_mode = "notify"
needs = { roster = true, policy = ["duty_conflicts"] }
---*/
with holdings as materialized (
    select app, account_id, username, worker_id, is_active, match_confidence, function, entitlement
    from duty_holdings
),
several as (
    -- Few people hold two functions at all: only theirs are compared. A hash finds them fast, and a false one does no harm.
    select hash(coalesce(worker_id, app || account_id)) as holder
    from holdings
    group by holder
    having count(distinct function) > 1
),
held as materialized (
    select h.*, p.account_id is not null as is_privileged
    from holdings h
    semi join several s on s.holder = hash(coalesce(h.worker_id, h.app || h.account_id))
    left join privilege_holders p on p.app = h.app and p.account_id = h.account_id
),
by_account as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        a.is_active,
        a.is_privileged,
        c.conflict,
        c.function_a,
        c.function_b,
        c.risk,
        c.compensating_control,
        a.entitlement as entitlement_a,
        b.entitlement as entitlement_b
    from held a
    join duty_conflicts c on c.function_a = a.function
    join held b on b.app = a.app and b.account_id = a.account_id and b.function = c.function_b
),
by_person as (
    -- Through two accounts of one person; where one account gives both, that one is told.
    select
        a.app,
        a.worker_id,
        c.conflict,
        c.function_a,
        c.function_b,
        any_value(c.risk) as risk,
        any_value(c.compensating_control) as compensating_control,
        min(a.entitlement) as entitlement_a,
        min(b.entitlement) as entitlement_b,
        bool_or(
            a.is_active and b.is_active and a.match_confidence = 'certain' and b.match_confidence = 'certain'
        ) as is_sure,
        bool_or(a.is_privileged or b.is_privileged) as is_privileged
    from held a
    join duty_conflicts c on c.function_a = a.function
    join held b
        on b.app = a.app and b.worker_id = a.worker_id and b.function = c.function_b and b.account_id <> a.account_id
    anti join by_account o on o.app = a.app and o.worker_id = a.worker_id and o.conflict = c.conflict
    group by a.app, a.worker_id, c.conflict, c.function_a, c.function_b
)
select
    b.app,
    account_id,
    username,
    worker_id,
    'pair:' || conflict as subject,
    'The account gives both ' || function_a || ' and ' || function_b || '.' as reason,
    if(is_active is null, 'unknown', 'fail') as verdict,
    if(is_privileged or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    risk,
    compensating_control,
    entitlement_a,
    entitlement_b
from by_account b
join applications d on d.app = b.app
union all
select
    b.app,
    null,
    null,
    worker_id,
    'pair:' || conflict,
    'Two accounts of one person give ' || function_a || ' and ' || function_b || '.',
    if(is_sure, 'fail', 'unknown'),
    if(is_privileged or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high'),
    risk,
    compensating_control,
    entitlement_a,
    entitlement_b
from by_person b
join applications d on d.app = b.app
