/*---
title = "Too many administrators, or only one"
severity = "medium"
population = "connected_applications"
why = "Each administrator can undo every other control of the application. Few is a control; many is a habit. A single one is a risk of another kind: nobody stands in."
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
        ) as admins
    from privileged_grants
    group by app
),
people as (
    select app, count(*) as people
    from human_accounts
    where excluded_because is null
    group by app
)
select
    a.app,
    null::varchar as account_id,
    null::varchar as subject,
    a.admins || ' people hold privileged rights, among ' || p.people || ' active accounts; the limit is '
        || greatest($min_admins::integer, floor(p.people * $share_percent::double / 100)::integer) || '.' as reason,
    'medium' as severity,
    a.admins,
    p.people
from admins a
join people p on p.app = a.app
where a.admins > greatest($min_admins::integer, floor(p.people * $share_percent::double / 100)::integer)
union all
select
    a.app,
    null,
    'single',
    'One person alone holds privileged rights, among ' || p.people || ' active accounts.',
    'low',
    a.admins,
    p.people
from admins a
join people p on p.app = a.app
where a.admins = 1
    and p.people >= $single_from_people::integer
