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
owned as (
    select a.app, a.account_id, a.username, a.worker_id, m.cohort, m.people
    from human_accounts a
    join members m on m.worker_id = a.worker_id
    where a.excluded_because is null
        and a.is_active
),
counted as (
    select o.cohort, o.people, g.app, g.entitlement, count(*) as holders
    from owned o
    join grants g on g.app = o.app and g.account_id = o.account_id
    group by o.cohort, o.people, g.app, g.entitlement
),
rated as (
    select
        cohort,
        app,
        entitlement,
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
rare as (
    select *
    from rated
    where share <= $share_percent::double / 100
        and upper_bound <= $upper_percent::double / 100
),
leads as (
    select
        o.app,
        o.account_id,
        o.username,
        o.worker_id,
        r.entitlement,
        r.people,
        r.holders,
        r.upper_bound,
        bool_or(coalesce(g.is_privileged, false)) as is_privileged
    from rare r
    join owned o on o.cohort = r.cohort and o.app = r.app
    join grants g on g.app = o.app and g.account_id = o.account_id and g.entitlement = r.entitlement
    group by o.app, o.account_id, o.username, o.worker_id, r.entitlement, r.people, r.holders, r.upper_bound
),
strongest as (
    select *
    from leads
    order by is_privileged desc, upper_bound, app, account_id, entitlement
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
