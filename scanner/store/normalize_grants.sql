-- Roles, entitlements and groups of raw_users, and members of raw_groups -> n_entitlements and n_grants.

create or replace temp macro nz_display(e) as
    if(json_type(e) = 'OBJECT', nullif(trim(e ->> '$.display'), ''), null);

create or replace temp table nz_held as
with each as (
    select u.source_id as app, u.id as account_id, 'role' as kind, unnest(nz_list(u.roles)) as e
    from raw_users u
    join nz_lines k on k.source_id = u.source_id and k.line = u.line
    union all
    select u.source_id, u.id, 'entitlement', unnest(nz_list(u.entitlements))
    from raw_users u
    join nz_lines k on k.source_id = u.source_id and k.line = u.line
    union all
    select u.source_id, u.id, 'group', unnest(nz_list(u.groups))
    from raw_users u
    join nz_lines k on k.source_id = u.source_id and k.line = u.line
)
select
    app,
    account_id,
    kind,
    coalesce(nz_value(e), nz_display(e)) as value,
    nz_display(e) as name,
    coalesce(json_type(e) = 'OBJECT' and lower(e ->> '$.type') = 'indirect', false) as is_nested
from each
where coalesce(nz_value(e), nz_display(e)) is not null;

insert into n_rejects (source_id, kind, line, reason)
select source_id, 'groups', line, 'no id'
from raw_groups
where nz_text(id) is null;

-- A member is a group where it says so, or where only a group has that id.
create or replace temp table nz_members as
with each as (
    select source_id as app, id as parent, unnest(nz_list(members)) as e
    from raw_groups
    where nz_text(id) is not null
),
read as (
    select
        app,
        parent,
        nz_value(e) as member,
        if(json_type(e) = 'OBJECT', lower(e ->> '$.type'), null) as type,
        if(json_type(e) = 'OBJECT', contains(e ->> '$."$ref"', '/Groups/'), false) as is_reference
    from each
)
select
    r.app,
    r.parent,
    r.member,
    case
        when r.type in ('group', 'user') then r.type = 'group'
        when r.is_reference then true
        else k.id is null
    end as is_group
from read r
left join nz_lines k on k.source_id = r.app and k.id = r.member
where r.member is not null;

insert into n_entitlements (app, entitlement, name, kind)
select app, entitlement, coalesce(max(own_name), max(name)), min(kind)
from (
    select source_id as app, 'group:' || id as entitlement, nz_text(name) as own_name, null as name, 'group' as kind
    from raw_groups
    where nz_text(id) is not null
    union all
    select app, kind || ':' || value, null, name, kind from nz_held
)
group by app, entitlement;

insert into n_grants (app, account_id, entitlement, path, source_side)
with recursive inside(app, ancestor, inner_group) as (
    select app, parent, member from nz_members where is_group
    union
    select i.app, i.ancestor, m.member
    from inside i
    join nz_members m on m.app = i.app and m.parent = i.inner_group and m.is_group
),
direct as (
    select app, account_id, kind || ':' || value as entitlement, is_nested, true as by_user
    from nz_held
    union all
    select m.app, k.id, 'group:' || m.parent, false, false
    from nz_members m
    join nz_lines k on k.source_id = m.app and k.id = m.member
    where not m.is_group
),
all_grants as (
    select app, account_id, entitlement, is_nested, by_user from direct
    union all
    select d.app, d.account_id, 'group:' || i.ancestor, true, d.by_user
    from direct d
    join inside i on i.app = d.app and 'group:' || i.inner_group = d.entitlement
    where not d.is_nested
)
select
    app,
    account_id,
    entitlement,
    if(bool_and(is_nested), 'nested', 'direct'),
    case when bool_and(by_user) then 'user' when bool_or(by_user) then 'both' else 'group' end
from all_grants
group by app, account_id, entitlement;

drop table nz_held;
drop table nz_members;
drop table nz_lines;
drop table raw_users;
drop table raw_groups;
