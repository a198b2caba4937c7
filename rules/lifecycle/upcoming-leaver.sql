/*---
title = "Person who leaves soon"
severity = "info"
population = "upcoming_leavers"
lead = true
why = "The end of work is known and near. What the person holds and answers for can be closed on the day and handed over before it. It is a reminder, not an exception. Some departures are confidential: show this to those only who must act."
remedy = "Plan the closing of the accounts for the last day. Name new owners for the accounts that the person answers for."
remedy_mode = "notify"
needs = { roster = true, apps = false }

[params.days_ahead]
type = "integer"
default = 14
min = 1
max = 180
source = "Our default."

[params.urgent_days]
type = "integer"
default = 3
min = 0
max = 180
source = "Our default: from here on, privilege makes it one step more severe."
---*/
with leaving as (
    select worker_id, terminated_at, date_diff('day', $as_of, terminated_at) as days_left
    from upcoming_leavers
    where terminated_at <= $as_of + to_days($days_ahead::integer)
),
held as (
    select
        l.worker_id,
        count(*) as accounts,
        count(p.account_id) as privileged_accounts
    from leaving l
    join accounts a on a.worker_id = l.worker_id and a.is_active is distinct from false
    left join privileged_accounts p on p.app = a.app and p.account_id = a.account_id
    group by l.worker_id
),
owned as (
    select l.worker_id, count(*) as owned_accounts
    from leaving l
    join accounts a on a.owner_worker_id = l.worker_id and a.is_active is distinct from false
    group by l.worker_id
)
select
    null::varchar as app,
    null::varchar as account_id,
    l.worker_id,
    'Work ends in ' || l.days_left || if(l.days_left = 1, ' day. ', ' days. ') || 'Open accounts: ' || coalesce(h.accounts, 0)
        || ', with privilege: ' || coalesce(h.privileged_accounts, 0)
        || ', accounts of others that the person answers for: ' || coalesce(o.owned_accounts, 0) || '.' as reason,
    if(h.privileged_accounts > 0 and l.days_left < $urgent_days::integer, 'low', 'info') as severity,
    l.terminated_at,
    coalesce(h.accounts, 0) as accounts,
    coalesce(h.privileged_accounts, 0) as privileged_accounts,
    coalesce(o.owned_accounts, 0) as owned_accounts
from leaving l
left join held h on h.worker_id = l.worker_id
left join owned o on o.worker_id = l.worker_id
where h.worker_id is not null or o.worker_id is not null
