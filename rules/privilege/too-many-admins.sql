/*---
title = "Too many administrators, one alone, or none known"
severity = "medium"
population = "connected_applications"
why = "Each administrator can undo every other control of the application. Few is a control; many is a habit. A single one is a risk of another kind: nobody stands in. Where none is known, the list of privileged rights does not fit the application."
remedy = "Let the owner of the application name who needs the right, and take it from the others."
remedy_mode = "notify"
needs = { policy = ["privileged_entitlements"] }

[params.min_admins]
type = "integer"
default = 3
min = 1
max = 1000
source = "Our default: small applications need a few for cover."

[params.share_percent]
type = "number"
default = 2
min = 0
max = 100
source = "Our default."

[params.single_from_people]
type = "integer"
default = 10
min = 1
max = 10000000
source = "Our default: smaller applications may have one administrator."
---*/
with admins as (
    select
        app,
        -- Two accounts of one person are one administrator. Filtered after the join: privileged grants are few, and
        -- the join is to start from them.
        count(distinct coalesce(worker_id, account_id)) filter (
            is_active is distinct from false
            and kind in ('human', 'unknown', 'external')
        ) as admins,
        count(*) filter (is_active is distinct from false) as holders
    from privileged_grants
    group by app
),
people as (
    select app, count(*) as people
    from human_accounts
    where excluded_because is null
    group by app
),
counted as (
    select
        p.app,
        coalesce(a.admins, 0) as admins,
        coalesce(a.holders, 0) as holders,
        p.people,
        greatest($min_admins::integer, floor(p.people * $share_percent::double / 100)::integer) as most,
        list_has_any(d.data, ['financial', 'ephi']) as is_sensitive
    from people p
    join applications d on d.app = p.app
    left join admins a on a.app = p.app
)
select
    app,
    null::varchar as account_id,
    null::varchar as subject,
    admins || ' people hold privileged rights, among ' || people || ' active accounts; the limit is ' || most || '.' as reason,
    'fail' as verdict,
    if(is_sensitive, 'high', 'medium') as severity,
    admins,
    people
from counted
where admins > most
union all
select
    app,
    null,
    'single',
    'One person alone holds privileged rights, among ' || people || ' active accounts.',
    'fail',
    if(is_sensitive, 'medium', 'low'),
    admins,
    people
from counted
where admins = 1
    and people >= $single_from_people::integer
union all
select
    app,
    null,
    'none',
    -- Somebody made those accounts: that the list does not fit the application is likelier than that nobody can.
    'Nobody is known to hold a privileged right, among ' || people || ' active accounts: who administers it is not known.',
    'unknown',
    if(is_sensitive, 'medium', 'low'),
    admins,
    people
from counted
where holders = 0
    and people >= $single_from_people::integer
