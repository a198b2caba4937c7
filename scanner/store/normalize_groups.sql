-- Groups, and who says what about their members; nesting.py then follows groups within groups.
-- A membership may be told by the user, by the group, or by both.

insert into n_rejects (source_id, kind, line, reason)
select g.app, 'groups', g.rowid - f.first_row + 1, 'the group has no id'
from raw_groups g
join (select app, min(rowid) as first_row from raw_groups group by app) f on f.app = g.app
where coalesce(trim(g.id), '') = '';

create temp table known_groups as
select
    app,
    id,
    max(nullif(trim(display_name), '')) as name,
    (row_number() over (order by app, id))::integer as group_no
from raw_groups
where coalesce(trim(id), '') <> ''
group by app, id;

create temp table group_names as
select app, lower(name) as key, any_value(id) as id
from known_groups
where name is not null
group by app, lower(name)
having count(*) = 1;

create temp table user_names as
select app, lower(trim(username)) as key, any_value(account_no) as account_no
from n_accounts
where trim(username) <> ''
group by app, lower(trim(username))
having count(*) = 1;

-- What users say about their groups. `value` ought to be the id; some servers write the name, or only a reference.
create temp table told_by_users as
select
    t.account_no,
    t.app,
    coalesce(t.by_id, r.id, n.id, t.value) as group_id,
    max(t.display) as display,
    case
        when bool_or(t.type = 'direct') then true
        when bool_and(t.type = 'indirect') then false
    end as is_direct
from (
    select
        a.account_no,
        u.app,
        trim(u.g.value) as value,
        nullif(trim(u.g.display), '') as display,
        lower(u.g.type) as type,
        g.id as by_id,
        if(g.id is null, nullif(regexp_extract(u.g."$ref", '[^/]+$'), ''), null) as tail,
        if(g.id is null, lower(trim(u.g.value)), null) as name
    from (select app, id, unnest(groups) as g from raw_users) u
    join n_accounts a on a.app = u.app and a.account_id = u.id
    left join known_groups g on g.app = u.app and g.id = trim(u.g.value)
) t
left join known_groups r on r.app = t.app and r.id = t.tail
left join group_names n on n.app = t.app and n.key = t.name
group by t.account_no, t.app, coalesce(t.by_id, r.id, n.id, t.value);

-- What groups say about their members. A reference may be an id, a path, or a user name; it may mean a user or a group.
create temp table told_by_groups as
select
    g.group_no,
    m.app,
    case when m.means = 'group' then null else coalesce(a.account_no, b.account_no) end as account_by_id,
    u.account_no as account_by_name,
    coalesce(c.group_no, d.group_no) as child_no,
    m.means
from (
    select
        app,
        id,
        trim(member.value) as value,
        nullif(regexp_extract(member."$ref", '[^/]+$'), '') as tail,
        case
            when lower(member.type) in ('user', 'group') then lower(member.type)
            when contains(lower(member."$ref"), '/groups/') then 'group'
            when contains(lower(member."$ref"), '/users/') then 'user'
        end as means
    from (select app, id, unnest(members) as member from raw_groups)
) m
join known_groups g on g.app = m.app and g.id = m.id
left join n_accounts a on a.app = m.app and a.account_id = m.value
left join n_accounts b on b.app = m.app and b.account_id = m.tail
left join user_names u on u.app = m.app and u.key = lower(m.value)
left join known_groups c on c.app = m.app and c.id = m.value
left join known_groups d on d.app = m.app and d.id = m.tail;

create temp table group_members as
select distinct group_no, coalesce(account_by_id, if(child_no is null, account_by_name, null)) as account_no
from told_by_groups
where account_by_id is not null or (account_by_name is not null and child_no is null);

create temp table group_edges as
select distinct group_no as parent_no, child_no
from told_by_groups
where account_by_id is null and child_no is not null and child_no <> group_no;

insert into n_notes (source_id, note, n)
select app, 'members that name no known account or group', count(*)
from told_by_groups
where account_by_id is null and account_by_name is null and child_no is null
group by app;
