/*---
title = "Right that hardly anybody in the same job holds"
severity = "low"
population = "human_accounts"
lead = true
why = "Among people with the same department and job title, the person is nearly alone with a right. That is a reason to ask, never an exception: specialists and project work look the same. The share among the other people of the cohort must be small, and so must the upper bound of its Wilson score interval (E. B. Wilson, 1927, Journal of the American Statistical Association 22), 95 % one-sided, so that small cohorts say little."
remedy = "Put the right into the next access review and ask the manager whether it is still needed."
remedy_mode = "notify"
needs = { roster = true }

[params.peer_min]
type = "integer"
default = 10
min = 5
max = 10000
source = "Our default: fewer people are no cohort."

[params.share_percent]
type = "number"
default = 5
min = 0
max = 50
source = "Our default: so many of the other people may hold the right."

[params.upper_percent]
type = "number"
default = 25
min = 1
max = 100
source = "Our default: upper bound of the Wilson score interval (95 %, one-sided)."

[params.max_leads]
type = "integer"
default = 1000
min = 1
max = 100000
source = "Our default: the strongest ones, so that somebody reads them."
---*/
with cohorts as (
    select
        department,
        job_title,
        count(*) as people,
        row_number() over (order by department, job_title) as cohort
    from workers
    where status = 'active'
        and department is not null
        and job_title is not null
    group by department, job_title
    having count(*) >= $peer_min::integer
),
members as (
    select w.worker_id, c.cohort, c.people
    from workers w
    join cohorts c on c.department = w.department and c.job_title = w.job_title
    where w.status = 'active'
),
owned as materialized (
    select a.app, a.account_id, a.username, a.worker_id, m.cohort, m.people, row_number() over () as holder
    from human_accounts a
    join members m on m.worker_id = a.worker_id
    where a.excluded_because is null
        and a.is_active
),
held as materialized (
    -- Numbers in place of names: this is the one list as long as all grants. Two rights with one hash would make a
    -- lead less likely, never more.
    select o.holder, o.cohort, o.people, hash(g.app, g.entitlement) as right_key
    from grants g
    join owned o on o.app = g.app and o.account_id = g.account_id
),
counted as (
    select cohort, people, right_key, count(*) as holders
    from held
    group by cohort, people, right_key
),
rated as (
    select
        cohort,
        right_key,
        people,
        holders,
        (holders - 1) / (people - 1) as share,
        -- Wilson score interval, upper bound; z = 1.645.
        (
            (holders - 1) / (people - 1) + 2.706 / (2 * (people - 1))
            + 1.645 * sqrt(
                (holders - 1) / (people - 1) * (1 - (holders - 1) / (people - 1)) / (people - 1)
                + 2.706 / (4 * (people - 1) * (people - 1))
            )
        ) / (1 + 2.706 / (people - 1)) as upper_bound
    from counted
    -- Two accounts of one person count twice, which makes a lead less likely, never more.
    where holders <= people
),
leads as (
    select distinct h.holder, h.right_key, r.people, r.holders, r.upper_bound
    from rated r
    join held h on h.cohort = r.cohort and h.right_key = r.right_key
    where r.share <= $share_percent::double / 100
        and r.upper_bound <= $upper_percent::double / 100
),
rights as (
    select app, entitlement, hash(app, entitlement) as right_key, bool_or(coalesce(is_privileged, false)) as is_privileged
    from grants
    group by app, entitlement
),
strongest as (
    select
        o.app,
        o.account_id,
        o.username,
        o.worker_id,
        g.entitlement,
        l.people,
        l.holders,
        l.upper_bound,
        g.is_privileged
    from leads l
    join owned o on o.holder = l.holder
    join rights g on g.right_key = l.right_key and g.app = o.app
    order by g.is_privileged desc, l.upper_bound, o.app, o.account_id, g.entitlement
    limit $max_leads::integer
)
select
    app,
    account_id,
    username,
    worker_id,
    entitlement,
    'Of ' || people || ' people in the same job, ' || holders || if(holders = 1, ' holds', ' hold') || ' this right.' as reason,
    if(is_privileged, 'medium', 'low') as severity,
    people as cohort_people,
    holders,
    round(upper_bound, 4) as upper_bound,
    is_privileged
from strongest
