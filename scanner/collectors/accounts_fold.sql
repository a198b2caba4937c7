-- rows (one per row of the source) -> told (typed), accounts (one per account) and grants.
-- $zone: time zone of dates that name none. macros moment(x) and tables words, kinds, catalogue, more_grants come first.

create macro word(x) as trim(regexp_replace(lower(nfc_normalize(x)), '[\s_\-]+', ' ', 'g'));

-- What systems write for "never".
create macro is_no_date(x) as
    x is null
    or regexp_matches(x, '^(0000-00-00|0001-01-01|1601-01-01|1899-12-3[01]|1900-01-0[01]|1970-01-01([T ]00:00.*)?$|9999-)')
    or lower(x) in ('0', '-', '--', 'never', 'none', 'null', 'n/a', 'nan', 'nat', 'nie', 'jamais');
create macro is_bad_date(x) as not is_no_date(x) and moment(x) is null;
create macro iso(x) as if(is_no_date(x), null, strftime(moment(x), '%Y-%m-%dT%H:%M:%SZ'));

create table told as
select
    r.* exclude (status, kind, mfa, created_at, deactivated_at, last_sign_in_at, last_activity_at),
    r.kind as kind_word,
    k.kind,
    r.mfa,
    w.is_active,
    iso(r.created_at) as created_at,
    iso(r.deactivated_at) as deactivated_at,
    iso(r.last_sign_in_at) as last_sign_in_at,
    iso(r.last_activity_at) as last_activity_at,
    coalesce(r.status, '') as status,
    case
        when r.id is null then 'without an id'
        when w.word is null and r.status is not null then 'with a status word that nobody has explained'
        when is_bad_date(r.created_at) then 'with a date in created_at that cannot be read'
        when is_bad_date(r.deactivated_at) then 'with a date in deactivated_at that cannot be read'
        when is_bad_date(r.last_sign_in_at) then 'with a date in last_sign_in_at that cannot be read'
        when is_bad_date(r.last_activity_at) then 'with a date in last_activity_at that cannot be read'
    end as reason
from rows r
left join words w on w.word = word(coalesce(r.status, ''))
left join kinds k on k.word = word(r.kind);

drop table rows;

-- One id, several rows. What they say of who it is must agree; what they say of grants adds up.
create table accounts as
select
    id,
    count(*) as n,
    min(username) as username,
    min(email) as email,
    min(display_name) as display_name,
    min(employee_number) as employee_number,
    min(external_id) as external_id,
    min(department) as department,
    min(job_title) as job_title,
    min(manager) as manager,
    bool_or(is_active) as is_active,
    min(kind) as kind,
    min(owner) as owner,
    min(user_type) as user_type,
    min(created_at) as created_at,
    max(deactivated_at) as deactivated_at,
    max(last_sign_in_at) as last_sign_in_at,
    max(last_activity_at) as last_activity_at,
    if(min(lower(mfa)) = max(lower(mfa)), min(mfa), null) as mfa,
    min(origin) as origin,
    coalesce(min(lower(username)) <> max(lower(username)), false)
    or coalesce(min(lower(email)) <> max(lower(email)), false)
    or coalesce(min(employee_number) <> max(employee_number), false)
    or coalesce(min(external_id) <> max(external_id), false) as names_several,
    coalesce(bool_or(is_active) <> bool_and(is_active), false) as is_both
from told
where reason is null
group by id;

create table grants as
select
    id,
    kind,
    trim(value) as value,
    max(name) as name,
    -- Held directly in any way counts as direct.
    if(bool_and(path = 'nested'), 'indirect', 'direct') as path
from (
    select id, 'role' as kind, unnest(role) as value, null as name, 'direct' as path from told where reason is null
    union all
    select id, 'group', unnest("group"), null, 'direct' from told where reason is null
    union all
    select id, 'entitlement', unnest(entitlement), null, 'direct' from told where reason is null
    union all
    select account_id, kind, entitlement, name, path from more_grants
)
where trim(value) <> ''
group by id, kind, trim(value);

create table held as
select
    g.id,
    list({'value': g.value, 'display': coalesce(c.name, g.name)} order by g.value)
        filter (where g.kind = 'role') as roles,
    list({'value': g.value, 'display': coalesce(c.name, g.name), 'type': g.path} order by g.value)
        filter (where g.kind = 'group') as groups,
    list({'value': g.value, 'display': coalesce(c.name, g.name)} order by g.value)
        filter (where g.kind = 'entitlement') as entitlements
from grants g
left join catalogue c on c.kind = g.kind and c.entitlement = g.value
group by g.id;
