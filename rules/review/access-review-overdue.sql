/*---
title = "Access review late, open or hollow"
severity = "medium"
population = "connected_applications"
why = "A review shows that somebody answers for who has access. One that is late, not finished, that left accounts out, in which people judged themselves, or in which everything was kept within seconds, shows little."
remedy = "Finish the review, or hold it again with the whole list of accounts and a reviewer who is not the holder."
remedy_mode = "notify"
needs = { policy = ["access_reviews"] }

[params.review_days]
type = "integer"
default = 180
min = 1
max = 1100
source = "PCI DSS 7.2.4 names six months."

[params.sensitive_review_days]
type = "integer"
default = 90
min = 1
max = 1100
source = "CIS Control 5.1 names a quarter; here for applications with financial data or health records."

[params.privileged_review_days]
type = "integer"
default = 90
min = 1
max = 1100
source = "Our default for applications in which somebody holds privilege: a quarter is common practice, not law."

[params.open_days]
type = "integer"
default = 14
min = 0
max = 365
source = "Our default: so long after the last decision a review may stay unfinished."

[params.hasty_seconds]
type = "number"
default = 2
min = 0
max = 600
source = "Our default: half of the decisions of a reviewer came within this time of each other."
---*/
with scope as (
    select
        c.app,
        list_has_any(c.data, ['financial', 'ephi', 'cardholder']) as is_grave,
        if(list_has_any(c.data, ['financial', 'ephi']), $sensitive_review_days::integer, $review_days::integer) as days
    from connected_applications c
),
known as (
    select app, min(first_seen_at) as since
    from account_history
    group by app
),
campaigns as (
    select
        app,
        campaign,
        count(*) as items,
        count(*) filter (where decision = 'undecided') as undecided,
        min(decided_at) as began_at,
        max(decided_at) as ended_at
    from review_items
    group by app, campaign
),
latest as (
    select *
    from campaigns
    qualify row_number() over (partition by app order by ended_at desc nulls last, campaign desc) = 1
),
finished as (
    select app, max(ended_at) as ended_at
    from campaigns
    where undecided = 0
    group by app
),
latest_items as (
    select i.app, i.campaign, i.account_id, i.reviewer, i.reviewer_worker_id, i.decision, i.decided_at
    from review_items i
    join latest l on l.app = i.app and l.campaign = i.campaign
),
selves as (
    select i.app, count(*) as items
    from latest_items i
    join accounts a on a.app = i.app and a.account_id = i.account_id
    where a.worker_id = i.reviewer_worker_id
    group by i.app
),
missed as (
    -- Accounts that were there before the review began.
    select a.app, count(*) as accounts
    from accounts a
    join latest l on l.app = a.app
    where a.is_active
        and a.created_at < l.began_at
        and not exists (
            select 1
            from latest_items i
            where i.app = a.app and i.account_id = a.account_id
        )
    group by a.app
),
paces as (
    select
        app,
        campaign,
        reviewer,
        decision,
        date_diff('millisecond', lag(decided_at) over w, decided_at) / 1000 as seconds
    from latest_items
    -- A day without a time of day says nothing about pace.
    where decided_at <> date_trunc('day', decided_at)
    window w as (partition by app, campaign, reviewer order by decided_at)
),
hasty as (
    select app, campaign, count(*) as decisions
    from paces
    group by app, campaign
    having count(*) >= 20
        and count(*) filter (where decision = 'keep') > 0.95 * count(*)
        and median(seconds) < $hasty_seconds::double
)
select
    s.app,
    null::varchar as account_id,
    'overdue' as subject,
    case
        when f.app is null then 'No finished access review is known.'
        else 'The last finished access review ended ' || date_diff('day', f.ended_at, $as_of) || ' days ago; '
            || s.days || ' are allowed.'
    end as reason,
    case
        when f.ended_at is not null then 'fail'
        -- An application that is new here may have been reviewed before.
        when k.since < $as_of - to_days(s.days) then 'fail'
        else 'unknown'
    end as verdict,
    if(s.is_grave, 'high', 'medium') as severity,
    f.ended_at as last_review_at
from scope s
left join finished f on f.app = s.app
left join known k on k.app = s.app
where coalesce(f.ended_at < $as_of - to_days(s.days), true)
union all
select
    s.app,
    null,
    'overdue-privileged',
    'The last finished access review ended ' || date_diff('day', f.ended_at, $as_of) || ' days ago; '
        || $privileged_review_days::integer || ' are allowed where somebody holds privileged rights.',
    'fail',
    'high',
    f.ended_at
from scope s
join finished f on f.app = s.app
where f.ended_at < $as_of - to_days($privileged_review_days::integer)
    -- Later than that, and it is late for all.
    and f.ended_at >= $as_of - to_days(s.days)
    and s.app in (select app from privileged_accounts)
union all
select
    l.app,
    null,
    'undecided:' || l.campaign,
    'The review was begun and has items without a decision: ' || l.undecided || ' of ' || l.items || '.',
    if(l.ended_at is null, 'unknown', 'fail'),
    if(s.is_grave, 'high', 'medium'),
    l.ended_at
from latest l
join scope s on s.app = l.app
where l.undecided > 0
    and coalesce(l.ended_at < $as_of - to_days($open_days::integer), true)
union all
select
    l.app,
    null,
    'self-review:' || l.campaign,
    'Reviewers decided about accounts of their own: ' || v.items || '.',
    'fail',
    if(s.is_grave, 'high', 'medium'),
    l.ended_at
from selves v
join latest l on l.app = v.app
join scope s on s.app = v.app
union all
select
    l.app,
    null,
    'left-out:' || l.campaign,
    'Accounts that were there when the review began are not in it: ' || m.accounts || '.',
    'fail',
    if(s.is_grave, 'high', 'medium'),
    l.ended_at
from missed m
join latest l on l.app = m.app
join scope s on s.app = m.app
union all
select
    h.app,
    null,
    'hasty:' || h.campaign,
    'Nearly everything was kept, and half of the decisions took less than ' || $hasty_seconds::double || ' seconds: '
        || h.decisions || '.',
    'fail',
    'info',
    l.ended_at
from hasty h
join latest l on l.app = h.app
