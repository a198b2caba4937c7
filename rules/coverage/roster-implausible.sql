/*---
title = "Roster that cannot be right"
severity = "critical"
population = "rosters"
why = "A roster that is empty, has lost many people at once, shows no leaver for a month in a large company, or no longer fills a column that it filled is more likely broken than true. Everything that rests on it is provisional."
remedy = "Ask HR for a full export. Remediate nothing until it has been read."
remedy_mode = "notify"
needs = { apps = false }

[params.max_shrink_percent]
type = "number"
default = 5
min = 0
max = 100
source = "Our default."

[params.quiet_days]
type = "integer"
default = 30
min = 1
max = 365
source = "Our default."

[params.quiet_from_people]
type = "integer"
default = 500
min = 1
max = 10000000
source = "Our default: smaller companies may well have a month without a leaver."

[params.column_from_people]
type = "integer"
default = 10
min = 1
max = 10000000
source = "Our default: a column that was filled for so many people does not become empty by itself."
---*/
with people as (
    select
        count(*) filter (where status = 'active') as active,
        count(*) as known,
        max(terminated_at) filter (where terminated_at <= $as_of) as last_left_at
    from workers
),
rosters_now as (
    select
        'source:' || source_id as subject,
        case
            when collected = 0 then 'The roster holds nobody.'
            when collected < previous_collected * (1 - $max_shrink_percent::double / 100)
                then 'The roster holds ' || collected || ' rows; the last complete one held ' || previous_collected || '.'
        end as reason,
        collected,
        previous_collected
    from rosters
),
filled as (
    -- Of the versions of each person, those of the scan before and those of now.
    select
        c.name,
        count(*) filter (
            h.first_seen_at <= s.previous_scan_at and coalesce(h.ended_at > s.previous_scan_at, true)
        ) as filled_before,
        count(*) filter (h.ended_at is null) as filled_today
    from worker_history h
    cross join settings s
    cross join lateral (
        values
            ('department', h.department is not null),
            ('job title', h.job_title is not null),
            ('manager', h.manager_id is not null),
            ('end of work', h.terminated_at is not null)
    ) c(name, is_filled)
    where c.is_filled
    group by c.name
)
select
    null::varchar as app,
    null::varchar as account_id,
    subject,
    reason,
    collected,
    previous_collected
from rosters_now
where reason is not null
union all
select
    null,
    null,
    'all-rosters',
    case
        when active = 0 then 'Nobody is active in any roster.'
        else 'Nobody has left for ' || $quiet_days::integer || ' days among ' || known || ' people.'
    end,
    known,
    null
from people
where active = 0
    or (
        known > $quiet_from_people::integer
        and coalesce(last_left_at < $as_of - to_days($quiet_days::integer), true)
    )
union all
select
    null,
    null,
    'column:' || name,
    'For nobody the roster says the ' || name || ' any more; it did for ' || filled_before || ' people in the scan before.',
    filled_today,
    filled_before
from filled
where filled_before >= $column_from_people::integer
    and filled_today = 0
