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
with peers as (
    select worker_id, hash(department, job_title) as cohort
    from workers
    where status = 'active'
        and department is not null
        and job_title is not null
),
members as (
    select p.worker_id, p.cohort, c.people
    from peers p
    join (
        select cohort, count(*)::uinteger as people
        from peers
        group by cohort
        having count(*) >= $peer_min::integer
    ) c on c.cohort = p.cohort
),
owned as (
    -- Hashes in place of names: the next list is as long as all grants. Two names with one hash, which in a company of
    -- five million accounts is a matter of one in a million, would show a lead that is none, or hide one.
    select hash(a.app, a.account_id) as holder, m.cohort, m.people
    from human_accounts a
    join members m on m.worker_id = a.worker_id
    where a.excluded_because is null
        and a.is_active
),
held as materialized (
    select o.holder, o.people, hash(o.cohort, g.app, g.entitlement) as cohort_right, hash(g.app, g.entitlement) as right_key
    from grants g
    join owned o on o.holder = hash(g.app, g.account_id)
),
counted as (
    select cohort_right, people, count(*) as holders
    from held
    group by cohort_right, people
),
rated as (
    select
        cohort_right,
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
    join held h on h.cohort_right = r.cohort_right
    where r.share <= $share_percent::double / 100
        and r.upper_bound <= $upper_percent::double / 100
),
rights as (
    select app, entitlement, hash(app, entitlement) as right_key, bool_or(coalesce(is_privileged, false)) as is_privileged
    from grants
    group by app, entitlement
),
ranked as (
    select l.holder, l.people, l.holders, l.upper_bound, g.app, g.entitlement, g.is_privileged
    from leads l
    join rights g on g.right_key = l.right_key
    qualify rank() over (order by g.is_privileged desc, l.upper_bound) <= $max_leads::integer
),
strongest as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        r.entitlement,
        r.people,
        r.holders,
        r.upper_bound,
        r.is_privileged
    from ranked r
    join accounts a on a.app = r.app and hash(a.app, a.account_id) = r.holder
    order by r.is_privileged desc, r.upper_bound, a.app, a.account_id, r.entitlement
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
