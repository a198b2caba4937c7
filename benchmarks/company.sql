-- A synthetic company, the same on every run: everything follows from a hash of the row number.
-- Runs with the variables workers and accounts set; company.py writes the result as one Parquet file per table.
-- Shares are per mille, so that every tier, conflict and trap of the matching occurs at any scale.

create or replace temp macro pick(i, salt, n) as (hash(i::bigint * 1000003 + salt) % n)::integer;
create or replace temp macro given(i) as
    ['Ada', 'Bruno', 'Chloé', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hiro', 'Inès', 'Jan', 'Kofi', 'Léa', 'Mira', 'Noor',
        'Oskar', 'Petra', 'Quinn', 'Rosa', 'Søren', 'Tariq'][pick(i, 1, 20) + 1];
create or replace temp macro family(i) as
    ['Ab', 'Ber', 'Cor', 'Dal', 'Er', 'Fal', 'Gor', 'Hal', 'Iv', 'Kor'][pick(i, 2, 10) + 1]
    || ['an', 'el', 'ik', 'om', 'ur', 'éz', 'øl', 'ai', 'eb', 'os'][pick(i, 3, 10) + 1]
    || ['sen', 'berg', 'ova', 'idis', 'man', 'ello', 'ström', 'ez', 'ak', 'ic'][pick(i, 4, 10) + 1]
    || ['', 'a', 'dal', 'feld', 'gard', 'hof', 'kov', 'lund', 'mark', 'nes', 'quist', 'rud', 'stad', 'tal', 'vik',
        'wald', 'y', 'zu', 'bach', 'dorf'][pick(i, 5, 20) + 1];
create or replace temp macro person_name(i) as given(i) || ' ' || family(i);
create or replace temp macro local_part(i) as lower(strip_accents(given(i))) || '.' || i;
create or replace temp macro work_email(i) as local_part(i) || '@acme.example';
create or replace temp macro number_of(i) as lpad(i::varchar, 8, '0');

create or replace temp table worker as
select
    i::integer as worker_no,
    'P' || number_of(i) as worker_id,
    case
        when pick(i, 10, 1000) < 5 and i > 1 then [number_of(i - 1)]                      -- a number that two people share
        when pick(i, 10, 1000) < 30 then [number_of(i), 'R' || number_of(i)]              -- rehired under a new number
        when pick(i, 10, 1000) < 40 then ['0000']                                         -- degenerate
        else [number_of(i)]
    end as employee_numbers,
    person_name(i) as full_name,
    case
        when pick(i, 11, 1000) < 5 and i > 1 then work_email(i - 1)                       -- an address that two people share
        when pick(i, 11, 1000) < 15 then null
        when pick(i, 11, 1000) < 18 then 'n/a'
        else work_email(i)
    end as email,
    case when pick(i, 12, 1000) < 50 then [local_part(i) || '@home.example'] else []::varchar[] end as other_emails,
    case
        when pick(i, 13, 1000) < 140 then 'terminated'
        when pick(i, 13, 1000) < 170 then 'on_leave'
        when pick(i, 13, 1000) < 190 then 'pre_hire'
        when pick(i, 13, 1000) < 193 then 'vanished'
        else 'active'
    end as status,
    case when pick(i, 14, 1000) < 100 then 'contractor' else 'employee' end as worker_type,
    timestamp '2015-01-01' + to_days(pick(i, 15, 3600)) as hired_at,
    case when pick(i, 13, 1000) < 140 then timestamp '2026-06-30' - to_days(pick(i, 16, 400)) end as terminated_at,
    'D' || pick(i, 17, 200) as department
from range(1, getvariable('workers')::bigint + 1) t(i);

-- Account k of a person lies in one of ten applications of its own, so that duplicates are only those planted.
create or replace temp table account as
with drawn as (
    select
        j,
        (j - 1) % getvariable('workers')::bigint + 1 as w,
        (j - 1) // getvariable('workers')::bigint as k,
        pick(j, 20, 1000) as kind,
        pick(j, 21, 1000) as case_draw
    from range(1, getvariable('accounts')::bigint + 1) t(j)
)
select
    j::integer as account_no,
    'app' || lpad((if(pick(j, 22, 1000) < 10, 0, k % 5) * 10 + pick(w, 23, 10))::varchar, 2, '0') as app,
    '00u' || left(md5(j::varchar), 17) as account_id,
    case
        when kind < 720 then work_email(w)
        when kind < 900 then local_part(w)
        when kind < 930 then 'jit' || j
        when kind < 950 then 'svc-' || j
        when kind < 955 then 'n/a'
        else 'u' || j
    end as username,
    case
        when kind < 640 then if(case_draw < 50, upper(work_email(w)), work_email(w))
        when kind < 680 then local_part(w) || '+crm@acme.example'
        when kind < 710 then local_part(w) || '@acme-old.example'
        when kind < 720 then null                                                         -- the user name is the e-mail
        when kind < 780 then null                                                         -- the user name is all there is
        when kind < 890 then work_email(w)
        when kind < 900 then work_email(w % getvariable('workers')::bigint + 1)           -- somebody else's
        when kind < 915 then local_part(w) || '@home.example'
        when kind < 930 then work_email(w)
        when kind < 950 then null
        when kind < 955 then 'n/a'
        when kind < 970 then 'u' || j || '@partner.example'
        else 'u' || j || '@elsewhere.example'
    end as email,
    case when pick(j, 24, 1000) < 100 then ['x' || j || '@private.example', work_email(w)] else []::varchar[] end as other_emails,
    case
        when kind < 955 then person_name(w)
        when case_draw < 300 then family(w) || ', ' || given(w)
        else 'Guest ' || j
    end as display_name,
    case when pick(j, 25, 1000) < 500 and kind < 930 then if(k % 5 = 1, number_of(w), 'x' || j) end as external_id,
    case
        when kind < 930 and pick(j, 26, 1000) < 300 then number_of(w)
        when kind < 955 and pick(j, 26, 1000) < 350 then '0'
    end as employee_number,
    pick(j, 27, 1000) >= if(pick(w, 13, 1000) < 140, 980, 40) as is_active,           -- most leavers are closed
    timestamp '2018-01-01' + to_days(pick(j, 28, 2900)) as created_at,
    case
        when pick(j, 29, 1000) < 50 then timestamp '2026-06-30' - to_days(40 + pick(j, 30, 400))
        when pick(j, 29, 1000) < 900 then timestamp '2026-06-30' - to_days(pick(j, 30, 40))
    end as last_sign_in_at
from drawn;

create or replace temp table entitlement as
select
    'app' || lpad((e // 200)::varchar, 2, '0') as app,
    'group:g' || lpad((e % 200)::varchar, 4, '0') as entitlement,
    e % 200 < 6 as is_privileged
from range(0, 50 * 200) t(e);

-- Four memberships an account, all different; in some applications too many people are administrators.
create or replace temp view membership as
select
    a.account_no,
    a.app,
    a.account_id,
    'group:g' || lpad(
        case
            when slot = 0 and pick(a.account_no, 40, 1000) < if(right(a.app, 1) = '3', 40, 5) then pick(a.account_no, 41, 6)
            else 6 + slot * 48 + pick(a.account_no * 4 + slot, 42, 48)
        end::varchar, 4, '0'
    ) as entitlement
from account a
cross join range(0, 4) s(slot);

create or replace temp table setting as
select
    'app' || lpad(i::varchar, 2, '0') as app,
    case when i // 10 = 1 then 'employee_number' end as external_id
from range(0, 50) t(i);

create or replace temp table link as
select app, account_id, 'P' || number_of((account_no - 1) % getvariable('workers')::bigint + 1) as worker
from account
where pick(account_no, 50, 100000) < 10;

create or replace temp table registered as
select app, account_id, 'service' as kind
from account
where starts_with(username, 'svc-') and pick(account_no, 51, 1000) < 300;
