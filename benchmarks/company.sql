-- A synthetic company with ground truth, the same on every run: everything follows from a hash of the seed and the row
-- number. Runs with the variables workers, accounts, seed and rates set; company.py writes one Parquet file per table.
-- Shares are per mille, so that every tier, conflict and trap of the matching occurs at any scale.

create or replace temp macro pick(i, salt, n) as
    (hash(i::bigint * 1000003 + salt + getvariable('seed')::bigint * 1000000007) % n)::integer;
create or replace temp macro rate(fault) as getvariable('rates')[fault];
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
create or replace temp macro department(i) as pick(i, 17, greatest(2, getvariable('workers') // 5000));
create or replace temp macro job(i) as pick(i, 18, 10);
create or replace temp macro number_of(i) as lpad(i::varchar, 8, '0');
create or replace temp macro letters(x) as                                               -- letter by letter into Cyrillic
    translate(lower(strip_accents(x)), 'abcdefghijklmnopqrstuvwxyzøł', 'абцдефгхийклмнопкрстуввхызол');
create or replace temp macro in_cyrillic(x) as upper(left(letters(x), 1)) || substr(letters(x), 2);

create or replace temp macro has_left(i) as pick(i, 13, 1000) < rate('left');
-- A newcomer who was given the address of a leaver, who had the number before.
create or replace temp macro reuses_address(i) as
    i > 1 and has_left(i - 1) and not has_left(i) and pick(i, 18, 1000) < rate('reused_address');
-- People whose name and address changed; half of them keep the old address beside the new one.
create or replace temp macro changed_name(i) as
    pick(i, 19, 1000) < rate('changed_name') and not reuses_address(i) and not reuses_address(i + 1);
create or replace temp macro ended(i) as timestamp '2026-06-30' - to_days(pick(i, 16, 400));
create or replace temp macro hired(i) as
    if(
        reuses_address(i),
        timestamp '2026-06-30' - to_days(pick(i - 1, 16, 400) // 2),
        timestamp '2015-01-01' + to_days(pick(i, 15, 3600))
    );
create or replace temp macro last_day(i) as if(has_left(i), ended(i), timestamp '2026-06-30');
create or replace temp macro writes_cyrillic(i) as pick(i, 32, 1000) < rate('other_script');
create or replace temp macro first_email(i) as work_email(if(reuses_address(i), i - 1, i));
create or replace temp macro last_email(i) as if(changed_name(i), 'new.' || first_email(i), first_email(i));
create or replace temp macro last_name(i) as given(i) || ' ' || if(changed_name(i), family(i + 7), family(i));

create or replace temp table worker as
select
    i::integer as worker_no,
    'P' || number_of(i) as worker_id,
    case
        when pick(i, 10, 1000) < rate('shared_number') and i > 1 then [number_of(i - 1)]
        when pick(i, 10, 1000) < rate('shared_number') + rate('rehired') then [number_of(i), 'R' || number_of(i)]
        when pick(i, 10, 1000) < rate('shared_number') + rate('rehired') + rate('no_number') then ['0000']
        else [number_of(i)]
    end as employee_numbers,
    if(writes_cyrillic(i), in_cyrillic(given(i)) || ' ' || in_cyrillic(family(i)), last_name(i)) as full_name,
    case
        when reuses_address(i + 1) then if(pick(i, 33, 2) = 0, null, first_email(i))      -- HR dropped it, or has it twice
        when reuses_address(i) then first_email(i)
        when pick(i, 11, 1000) < rate('shared_address') and i > 1 then first_email(i - 1)
        when pick(i, 11, 1000) < rate('shared_address') + rate('no_address') then if(pick(i, 35, 4) = 0, 'n/a', null)
        else last_email(i)
    end as email,
    list_filter(
        [
            if(pick(i, 12, 1000) < 50, local_part(i) || '@home.example', null),
            if(changed_name(i) and pick(i, 34, 2) = 0, first_email(i), null)
        ],
        lambda x: x is not null
    ) as other_emails,
    case
        when has_left(i) then 'terminated'
        when pick(i, 13, 1000) < 170 then 'on_leave'
        when pick(i, 13, 1000) < 190 then 'pre_hire'
        when pick(i, 13, 1000) < 193 then 'vanished'
        else 'active'
    end as status,
    case when pick(i, 14, 1000) < 100 then 'contractor' else 'employee' end as worker_type,
    hired(i) as hired_at,
    case when has_left(i) then ended(i) end as terminated_at,
    'D' || department(i) as department,
    'J' || job(i) as job_title
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
),
named as (
    -- Half of the accounts of somebody whose name changed were made before, and keep the old address.
    select *, if(pick(j, 31, 2) = 0, first_email(w), last_email(w)) as work
    from drawn
)
select
    j::integer as account_no,
    'app' || lpad((if(pick(j, 22, 1000) < 10, 0, k % 5) * 10 + pick(w, 23, 10))::varchar, 2, '0') as app,
    '00u' || left(md5(j::varchar), 17) as account_id,
    case
        when kind < 720 then work
        when kind < 890 then split_part(work, '@', 1)
        when kind < 900 then local_part(w)
        when kind < 930 then 'jit' || j
        when kind < 950 then 'svc-' || j
        when kind < 955 then 'n/a'
        when kind < 955 + rate('namesake_outside') then local_part(w)                     -- looks like an employee's
        else 'u' || j
    end as username,
    case
        when kind < 640 then if(case_draw < 50, upper(work), work)
        when kind < 680 then split_part(work, '@', 1) || '+crm@acme.example'
        when kind < 710 then split_part(work, '@', 1) || '@acme-old.example'
        when kind < 720 then null                                                         -- the user name is the e-mail
        when kind < 780 then null                                                         -- the user name is all there is
        when kind < 890 then work
        when kind < 890 + rate('others_address') then work_email(w % getvariable('workers')::bigint + 1)
        when kind < 900 then work
        when kind < 915 then local_part(w) || '@home.example'
        when kind < 930 then work
        when kind < 950 then null
        when kind < 955 then 'n/a'
        when kind < 970 then 'u' || j || '@partner.example'
        else 'u' || j || '@elsewhere.example'
    end as email,
    case
        when pick(j, 24, 1000) < 100 and kind < 930 then ['x' || j || '@private.example', work]
        when pick(j, 24, 1000) < 100 then ['x' || j || '@private.example']
        else []::varchar[]
    end as other_emails,
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
    pick(j, 27, 1000) >= if(has_left(w), 1000 - rate('left_open'), 40) as is_active,
    case
        when kind >= 930 then timestamp '2018-01-01' + to_days(pick(j, 28, 2900))
        else hired(w) + to_days((pick(j, 28, 1000) * date_diff('day', hired(w), last_day(w)) // 1000)::integer)
    end as created_at,
    case
        when kind < 930 and has_left(w) then ended(w) - to_days(pick(j, 30, 40) - if(pick(j, 29, 1000) < 20, 60, 1))
        when pick(j, 29, 1000) < 50 then timestamp '2026-06-30' - to_days(40 + pick(j, 30, 400))
        when pick(j, 29, 1000) < 900 then timestamp '2026-06-30' - to_days(pick(j, 30, 40))
    end as last_sign_in_at,
    if(kind < 930 or kind between 950 and 954, w::integer, null) as owner_no              -- the truth; null: nobody
from named;

create or replace temp table entitlement as
select
    'app' || lpad((e // 200)::varchar, 2, '0') as app,
    'group:g' || lpad((e % 200)::varchar, 4, '0') as entitlement,
    e % 200 < 6 as is_privileged
from range(0, 50 * 200) t(e);

-- Four memberships an account, all different: most follow from the job, few are somebody's own; in some applications
-- too many people are administrators.
create or replace temp view membership as
with held as (
    select
        a.account_no,
        a.app,
        a.account_id,
        s.slot,
        a.account_no * 4 + s.slot as place,
        (department(p.w) * 10 + job(p.w)) * 4 + s.slot as right_no
    from account a
    cross join range(0, 4) s(slot)
    cross join lateral (select (a.account_no - 1) % getvariable('workers')::bigint + 1 as w) p
)
select
    account_no,
    app,
    account_id,
    'group:g' || lpad(
        case
            when slot = 0 and pick(account_no, 40, 1000) < if(right(app, 1) = '3', 40, 5) then pick(account_no, 41, 6)
            else 6 + slot * 48 + if(pick(place, 43, 1000) < 30, pick(place, 42, 48), pick(right_no, 44, 48))
        end::varchar, 4, '0'
    ) as entitlement
from held;

create or replace temp table setting as
select
    'app' || lpad(i::varchar, 2, '0') as app,
    case when i // 10 = 1 then 'employee_number' end as external_id
from range(0, 50) t(i);

create or replace temp table link as
select app, account_id, 'P' || number_of(owner_no) as worker
from account
where pick(account_no, 50, 100000) < 10 and owner_no is not null;

create or replace temp table registered as
select app, account_id, 'service' as kind
from account
where starts_with(username, 'svc-') and pick(account_no, 51, 1000) < 300;

-- The truth: whose account it is, and what the keys that it shows say by HR, of whom nothing is known but the tables.
create or replace temp view truth as
with shown as (
    select account_no, 'number ' || employee_number as key
    from account
    where employee_number <> '0'
    union
    select a.account_no, 'number ' || a.external_id
    from account a
    join setting s on s.app = a.app
    where s.external_id = 'employee_number'
    union
    select account_no, 'address ' || replace(replace(lower(address), '+crm@', '@'), '@acme-old.', '@acme.')
    from (
        select account_no, unnest(list_concat([email, username, username || '@acme.example'], other_emails)) as address
        from account
    )
    where contains(address, '@') and not starts_with(address, 'n/a')
),
held as (
    select worker_no, 'number ' || unnest(employee_numbers) as key
    from worker
    union
    select worker_no, 'address ' || unnest(list_append(other_emails, email))
    from worker
),
named as (
    select s.account_no, list(distinct h.worker_no) as people
    from shown s
    join held h on h.key = s.key
    group by s.account_no
)
select
    a.account_no,
    a.app,
    a.account_id,
    if(a.owner_no is null, null, 'P' || number_of(a.owner_no)) as worker_id,
    case
        when n.people is null then 'no key'
        when n.people = [a.owner_no] then 'key survives'
        when len(n.people) > 1 then 'keys contradict'
        else 'key misleads'
    end as keys
from account a
left join named n on n.account_no = a.account_no;
