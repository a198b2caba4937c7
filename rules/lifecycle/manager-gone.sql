/*---
title = "Manager who has left"
severity = "low"
population = "present_workers"
why = "Approvals and reviews go to the manager that HR names. Where that person has left, they go to nobody, or to whoever reads that mail."
remedy = "Name a new manager in HR, and give open approvals and reviews to somebody else."
remedy_mode = "notify"
needs = { roster = true, apps = false }

[params.grace_days]
type = "integer"
default = 7
min = 0
max = 365
source = "Our default: time to name a successor."
---*/
with orphaned as (
    select p.manager_id, count(*) as people
    from present_workers p
    where p.manager_id is not null
    group by p.manager_id
),
reviewing as (
    select reviewer_worker_id as worker_id, count(*) filter (where decision = 'undecided') as open_items
    from review_items
    where reviewer_worker_id is not null
    group by reviewer_worker_id
)
select
    null::varchar as app,
    null::varchar as account_id,
    m.worker_id,
    case m.status
        when 'vanished' then 'A person who is in no roster any more is still named as manager. People concerned: '
        else 'A person who has left is still named as manager. People concerned: '
    end || o.people || if(r.open_items > 0, ', open review items: ' || r.open_items, '') || '.' as reason,
    if(m.status = 'vanished' or m.terminated_at is null, 'unknown', 'fail') as verdict,
    if(r.worker_id is null, 'low', 'medium') as severity,
    o.people as people_concerned,
    coalesce(r.open_items, 0) as open_review_items,
    m.terminated_at
from orphaned o
join workers m on m.worker_id = o.manager_id
left join reviewing r on r.worker_id = m.worker_id
where m.status in ('terminated', 'vanished')
    and coalesce(m.terminated_at < $as_of - to_days($grace_days::integer), true)
