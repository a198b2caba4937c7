-- Roles, entitlements and memberships, direct and through other groups -> n_entitlements and n_grants.

create temp table told_grants as
select account_no, 'group:' || group_id as entitlement, 'user' as side, is_direct
from told_by_users
union all
select m.account_no, 'group:' || g.id, 'group', true
from group_members m
join known_groups g on g.group_no = m.group_no
union all
select m.account_no, 'group:' || g.id, 'group', false
from nested_groups n
join group_members m on m.group_no = n.below_no
join known_groups g on g.group_no = n.group_no;

create temp table told_roles as
select a.account_no, a.app, v.kind, trim(v.item.value) as value, nullif(trim(v.item.display), '') as display
from (
    select app, id, 'role' as kind, unnest(roles) as item from raw_users
    union all
    select app, id, 'entitlement', unnest(entitlements) from raw_users
) v
join n_accounts a on a.app = v.app and a.account_id = v.id;

insert into n_entitlements (app, entitlement, name, kind)
select app, 'group:' || id, max(name), 'group'
from (
    select app, id, name from known_groups
    union all
    select t.app, t.group_id, if(g.id is null, t.display, null)
    from told_by_users t
    left join known_groups g on g.app = t.app and g.id = t.group_id
)
group by app, id
union all
select app, kind || ':' || value, coalesce(max(display), value), kind
from told_roles
group by app, kind, value
order by 1, 2;

insert into n_grants (app, account_id, entitlement, path, source_side)
select
    a.app,
    a.account_id,
    t.entitlement,
    -- Where the user does not say how, the group knows.
    if(coalesce(t.is_direct, true), 'direct', 'nested'),
    t.side
from (
    select
        account_no,
        entitlement,
        bool_or(is_direct) as is_direct,
        if(min(side) = max(side), min(side), 'both') as side
    from told_grants
    group by account_no, entitlement
    union all
    select distinct account_no, kind || ':' || value, true, 'user'
    from told_roles
) t
join n_accounts a on a.account_no = t.account_no;

drop table known_groups;
drop table group_names;
drop table user_names;
drop table told_by_users;
drop table told_by_groups;
drop table group_members;
drop table group_edges;
drop table nested_groups;
drop table told_grants;
drop table told_roles;
drop table raw_users;
drop table raw_groups;
