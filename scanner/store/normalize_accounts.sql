-- raw_users -> n_accounts and n_rejects; nz_users keeps the row that stands for each account, for the grants.

create or replace temp macro nz_text(x) as nullif(trim(x), '');
create or replace temp macro nz_bool(x) as case
    when lower(trim(x)) in ('true', '1', 'yes', 'y', 't', 'on', 'active', 'enabled') then true
    when lower(trim(x)) in ('false', '0', 'no', 'n', 'f', 'off', 'inactive', 'disabled') then false
end;
-- An instant without a zone is UTC. Years before 1971 and 9999 are how systems write "never".
create or replace temp macro nz_plausible(t) as if(year(t) between 1971 and 9998, t, null);
create or replace temp macro nz_instant(x) as nz_plausible(case
    when regexp_full_match(trim(x), '\d{13}') then make_timestamp(trim(x)::bigint * 1000)
    when regexp_full_match(trim(x), '\d{9,10}') then make_timestamp(trim(x)::bigint * 1000000)
    else timezone('UTC', try_cast(regexp_replace(trim(x), '^(\S+)[tT](\d.*?)[zZ]?$', '\1 \2') as timestamptz))
end);
-- One value or many, objects or plain strings: always a list.
create or replace temp macro nz_list(j) as case json_type(j)
    when 'ARRAY' then json_extract(j, '$[*]')
    when 'OBJECT' then [j]
    when 'VARCHAR' then [j]
    else []
end;
create or replace temp macro nz_value(e) as
    nullif(trim(if(json_type(e) = 'OBJECT', e ->> '$.value', e ->> '$')), '');

create or replace temp table nz_doubtful as
select source_id, id
from raw_users
where nz_text(id) is not null
group by source_id, id
having count(*) > 1 and count(distinct lower("userName")) > 1;

insert into n_rejects (source_id, kind, line, reason)
select u.source_id, 'users', u.line, if(nz_text(u.id) is null, 'no id', 'one id, two users')
from raw_users u
left join nz_doubtful d on d.source_id = u.source_id and d.id = u.id
where nz_text(u.id) is null or d.id is not null;

create or replace temp table nz_lines as
select u.source_id, u.id, max(u.line) as line
from raw_users u
left join nz_doubtful d on d.source_id = u.source_id and d.id = u.id
where nz_text(u.id) is not null and d.id is null
group by u.source_id, u.id;

create or replace temp table nz_emails as
with each as (
    select u.source_id, u.line, unnest(nz_list(u.emails)) as e, generate_subscripts(nz_list(u.emails), 1) as place
    from raw_users u
    join nz_lines k on k.source_id = u.source_id and k.line = u.line
)
select
    source_id,
    line,
    list(nz_value(e) order by
        not coalesce(json_type(e) = 'OBJECT' and nz_bool(e ->> '$.primary'), false),
        not coalesce(json_type(e) = 'OBJECT' and lower(e ->> '$.type') = 'work', false),
        place
    ) as addresses
from each
where nz_value(e) is not null
group by source_id, line;

insert into n_accounts (
    account_no, app, account_id, username, email, other_emails, display_name, external_id, employee_number, is_active,
    user_type, declared_kind, owner, created_at, deactivated_at, last_sign_in_at, last_activity_at, last_modified_at,
    mfa, version
)
select
    (row_number() over (order by u.source_id, u.id))::integer,
    u.source_id,
    u.id,
    nz_text(u."userName"),
    m.addresses[1],
    list_filter(list_distinct(coalesce(m.addresses[2:], [])), lambda x: lower(x) <> lower(m.addresses[1])),
    coalesce(
        nz_text(u."displayName"),
        nz_text(u.name ->> '$.formatted'),
        nz_text(concat_ws(' ', u.name ->> '$.givenName', u.name ->> '$.familyName'))
    ),
    nz_text(u."externalId"),
    coalesce(
        nz_text(u.mapped_employee_number),
        nz_text(u."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User" ->> '$.employeeNumber')
    ),
    nz_bool(u.active),
    nz_text(u."userType"),
    case replace(replace(lower(trim(u.mapped_kind)), '-', '_'), ' ', '_')
        when 'human' then 'human' when 'person' then 'human' when 'user' then 'human'
        when 'service' then 'service' when 'bot' then 'service' when 'machine' then 'service'
        when 'shared' then 'shared'
        when 'break_glass' then 'break_glass'
        when 'external' then 'external' when 'guest' then 'external'
    end,
    nz_text(u.mapped_owner),
    coalesce(nz_instant(u.mapped_created_at), nz_instant(u.meta ->> '$.created')),
    nz_instant(u.mapped_deactivated_at),
    nz_instant(u.mapped_last_sign_in_at),
    nz_instant(u.mapped_last_activity_at),
    nz_instant(u.meta ->> '$.lastModified'),
    nz_bool(u.mapped_mfa),
    nz_text(u.meta ->> '$.version')
from raw_users u
join nz_lines k on k.source_id = u.source_id and k.line = u.line
left join nz_emails m on m.source_id = u.source_id and m.line = u.line;

drop table nz_emails;
drop table nz_doubtful;
