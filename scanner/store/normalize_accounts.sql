-- raw_users -> n_accounts: one row per account, every odd spelling folded, unknown kept unknown.

create temp table first_rows as
select app, min(rowid) as first_row
from raw_users
group by app;

insert into n_rejects (source_id, kind, line, reason)
select r.app, 'users', r.rowid - f.first_row + 1, 'the user has no id'
from raw_users r
join first_rows f on f.app = r.app
where coalesce(trim(r.id), '') = '';

delete from raw_users
where coalesce(trim(id), '') = '';

-- The same id twice: the last one read stays, unless the rows name two users.
create temp table repeated_users as
select
    app,
    id,
    count(*) as n,
    max(rowid) as last_row,
    count(distinct lower(nfc_normalize(trim(username)))) > 1 as is_contradiction
from raw_users
group by app, id
having count(*) > 1;

insert into n_rejects (source_id, kind, line, reason)
select d.app, 'users', d.last_row - f.first_row + 1, 'one id, two users'
from repeated_users d
join first_rows f on f.app = d.app
where d.is_contradiction;

insert into n_notes (source_id, note, n)
select app, 'duplicate users', sum(n - 1)
from repeated_users
where not is_contradiction
group by app;

delete from raw_users r
using repeated_users d
where d.app = r.app and d.id = r.id and (d.is_contradiction or r.rowid <> d.last_row);

insert into n_accounts (
    account_no, app, account_id, username, email, other_emails, display_name, external_id, employee_number, department,
    job_title, manager, is_active, user_type, declared_kind, owner, created_at, deactivated_at, last_sign_in_at, last_activity_at, last_modified_at,
    mfa, version, origin
)
with numbered as (
    -- By itself, as sorting whole rows would take many times the memory.
    select rowid as place, row_number() over (order by app, id) as account_no
    from raw_users
),
mailed as (
    select
        *,
        rowid as place,
        list_filter(emails, lambda e: contains(e.value, '@')) as mails
    from raw_users
),
chosen as (
    select
        * exclude (emails, roles, entitlements, groups),
        trim(coalesce(
            list_filter(mails, lambda e: lower(e.primary) in ('true', '1'))[1].value,
            list_filter(mails, lambda e: lower(e.type) = 'work')[1].value,
            mails[1].value
        )) as email
    from mailed
)
select
    account_no,
    app,
    id,
    nullif(username, ''),
    email,
    if(
        len(mails) > 1,
        list_sort(list_distinct(list_filter(
            list_transform(mails, lambda e: trim(e.value)),
            lambda x: lower(x) <> lower(email)
        ))),
        []
    ),
    coalesce(
        said(display_name),
        said(name.formatted),
        said(flat_name),
        nullif(concat_ws(' ', said(name."givenName"), said(name."familyName")), '')
    ),
    nullif(trim(external_id), ''),
    said(employee_number),
    said(department),
    said(job_title),
    said(manager),
    scim_boolean(active),
    said(user_type),
    scim_kind(kind),
    said(owner),
    scim_instant(coalesce(created_at, meta.created), $as_of),
    scim_instant(deactivated_at, $as_of),
    scim_instant(last_sign_in_at, $as_of),
    scim_instant(last_activity_at, $as_of),
    scim_instant(meta."lastModified", $as_of),
    scim_boolean(mfa),
    said(meta.version),
    case
        when word(origin) in ('scim', 'local', 'jit', 'import') then word(origin)
        when word(origin) = 'scim only' then 'scim_only'
    end
from chosen
join numbered using (place);

drop table repeated_users;
drop table first_rows;
