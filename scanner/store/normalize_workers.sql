-- raw_workers -> n_employments, n_workers and n_rejects. Dates are read with the format of their roster, never guessed.

create or replace temp macro nz_word(x) as trim(regexp_replace(lower(x), '[\s_-]+', ' ', 'g'));
create or replace temp macro nz_bad_date(x, format) as
    x is not null and coalesce(year(try_strptime(x, format)) < 1900, true);
-- The year 9999 is how HR systems write "no end".
create or replace temp macro nz_date(x, format) as
    if(year(try_strptime(x, format)) < 9999, date_trunc('day', try_strptime(x, format))::timestamp, null);
create or replace temp macro nz_day_start(day, zone) as timezone('UTC', timezone(zone, day));
create or replace temp macro nz_day_end(day, zone) as
    timezone('UTC', timezone(zone, day + interval '23:59:59'));

create or replace temp table nz_words as
select word, kind, meaning
from (values
    ('active', 'status', 'active'), ('employed', 'status', 'active'), ('current', 'status', 'active'),
    ('working', 'status', 'active'),
    ('on leave', 'status', 'on_leave'), ('leave', 'status', 'on_leave'), ('leave of absence', 'status', 'on_leave'),
    ('loa', 'status', 'on_leave'), ('parental leave', 'status', 'on_leave'), ('sabbatical', 'status', 'on_leave'),
    ('pre hire', 'status', 'pre_hire'), ('prehire', 'status', 'pre_hire'), ('future', 'status', 'pre_hire'),
    ('pending', 'status', 'pre_hire'), ('upcoming', 'status', 'pre_hire'),
    ('terminated', 'status', 'terminated'), ('inactive', 'status', 'terminated'), ('left', 'status', 'terminated'),
    ('leaver', 'status', 'terminated'), ('former', 'status', 'terminated'), ('resigned', 'status', 'terminated'),
    ('retired', 'status', 'terminated'), ('dismissed', 'status', 'terminated'), ('deceased', 'status', 'terminated'),
    ('separated', 'status', 'terminated'),
    ('employee', 'type', 'employee'), ('regular', 'type', 'employee'), ('permanent', 'type', 'employee'),
    ('staff', 'type', 'employee'), ('full time', 'type', 'employee'), ('part time', 'type', 'employee'),
    ('contractor', 'type', 'contractor'), ('contingent', 'type', 'contractor'),
    ('contingent worker', 'type', 'contractor'), ('consultant', 'type', 'contractor'),
    ('freelancer', 'type', 'contractor'), ('temporary', 'type', 'contractor'), ('agency', 'type', 'contractor'),
    ('vendor', 'type', 'vendor'), ('supplier', 'type', 'vendor'), ('service provider', 'type', 'vendor'),
    ('intern', 'type', 'intern'), ('trainee', 'type', 'intern'), ('apprentice', 'type', 'intern'),
    ('external', 'type', 'external'), ('partner', 'type', 'external'), ('guest', 'type', 'external')
) as known(word, kind, meaning);

create or replace temp table nz_zones as
select lower(name) as key, min(name) as zone from pg_timezone_names() group by lower(name);

create or replace temp table nz_rows as
with worded as (
    select
        w.*,
        s.date_format,
        z.zone,
        coalesce(map_extract(s.statuses, nz_word(w.status))[1], status_word.meaning) as word,
        coalesce(map_extract(s.worker_types, nz_word(w.worker_type))[1], type_word.meaning) as meant_type,
        coalesce(
            w.person_id, w.source_id || ':' || w.employee_number, w.source_id || ':' || lower(w.email)
        ) as worker_id
    from raw_workers w
    join roster_settings s on s.source_id = w.source_id
    left join nz_zones z on z.key = lower(coalesce(w.time_zone, s.time_zone))
    left join nz_words status_word on status_word.kind = 'status' and status_word.word = nz_word(w.status)
    left join nz_words type_word on type_word.kind = 'type' and type_word.word = nz_word(w.worker_type)
)
select
    *,
    case
        when worker_id is null then 'neither person id nor employee number nor e-mail'
        when zone is null then 'time zone ''' || coalesce(time_zone, 'of the roster') || ''' is not known'
        when status is not null and word is null then 'status ''' || status || ''' is not known; name it in statuses'
        when nz_bad_date(hire_date, date_format)
            then 'hire_date ''' || hire_date || ''' does not follow ' || date_format
        when nz_bad_date(termination_date, date_format)
            then 'termination_date ''' || termination_date || ''' does not follow ' || date_format
        when nz_bad_date(last_day_worked, date_format)
            then 'last_day_worked ''' || last_day_worked || ''' does not follow ' || date_format
        when nz_bad_date(contract_end, date_format)
            then 'contract_end ''' || contract_end || ''' does not follow ' || date_format
    end as reason
from worded;

insert into n_rejects (source_id, kind, line, reason)
select source_id, 'workers', line, 'line ' || line || ': ' || reason
from nz_rows
where reason is not null;

insert into n_employments (
    worker_id, roster, line, employee_number, full_name, email, other_emails, status, raw_status, worker_type,
    hired_at, terminated_at, contract_ends_at, department, job_title, manager
)
with dated as (
    select
        *,
        nz_day_start(nz_date(hire_date, date_format), zone) as hired_at,
        nz_day_end(nz_date(termination_date, date_format), zone) as ends_at,
        nz_day_end(nz_date(last_day_worked, date_format), zone) as last_day_at,
        nz_day_end(nz_date(contract_end, date_format), zone) as contract_ends_at
    from nz_rows
    where reason is null
),
ended as (
    -- An end before the row's own hire date belongs to an earlier employment.
    select
        *,
        case
            when ends_at is null or ends_at < hired_at then null
            when last_day_at < hired_at then ends_at
            else least(ends_at, last_day_at)
        end as terminated_at
    from dated
)
select
    e.worker_id,
    e.source_id,
    e.line,
    e.employee_number,
    coalesce(e.full_name, nullif(trim(concat_ws(' ', e.first_name, e.last_name)), '')),
    e.email,
    list_filter(regexp_split_to_array(coalesce(e.other_emails, ''), '[;,\s]+'), lambda x: contains(x, '@')),
    case
        when e.terminated_at <= c.as_of then 'terminated'
        when e.word = 'terminated' and e.terminated_at is null then 'terminated'
        when e.hired_at > c.as_of then 'pre_hire'
        when e.word = 'terminated' then 'active'
        else coalesce(e.word, 'active')
    end,
    e.status,
    e.meant_type,
    e.hired_at,
    e.terminated_at,
    e.contract_ends_at,
    e.department,
    e.job_title,
    e.manager
from ended e
cross join load_scan c;

-- Who a manager can be called by; a number or an address of two people names nobody.
create or replace temp table nz_keys as
select 1 as rank, worker_id as key, worker_id from n_employments group by worker_id
union all
select 2, employee_number, min(worker_id)
from n_employments
where employee_number is not null
group by employee_number
having count(distinct worker_id) = 1
union all
select 3, lower(email), min(worker_id)
from n_employments
where email is not null
group by lower(email)
having count(distinct worker_id) = 1;

insert into n_workers (
    worker_no, worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at,
    first_hired_at, terminated_at, contract_ends_at, department, job_title, manager_id, last_seen_at
)
with ranked as (
    select
        *,
        row_number() over (
            partition by worker_id
            order by
                list_position(['active', 'on_leave', 'pre_hire', 'terminated'], status),
                hired_at desc nulls last,
                employee_number desc nulls last,
                roster,
                line desc
        ) as place
    from n_employments
),
folded as (
    select
        worker_id,
        list_sort(list_distinct(coalesce(list(employee_number) filter (employee_number is not null), []))) as numbers,
        min(hired_at) as first_hired_at,
        max(terminated_at) as last_terminated_at,
        flatten(list(list_prepend(email, other_emails) order by place)) as addresses
    from ranked
    group by worker_id
),
managers as (
    select m.manager, coalesce(
        min(k.worker_id) filter (k.rank = 1),
        min(k.worker_id) filter (k.rank = 2),
        min(k.worker_id) filter (k.rank = 3)
    ) as worker_id
    from (select distinct manager from n_employments where manager is not null) m
    join nz_keys k on k.key = if(k.rank = 3, lower(m.manager), m.manager)
    group by m.manager
)
select
    (row_number() over (order by d.worker_id))::integer,
    d.worker_id,
    f.numbers,
    d.full_name,
    d.email,
    list_sort(list_distinct(
        list_filter(f.addresses, lambda x: x is not null and lower(x) <> coalesce(lower(d.email), ''))
    )),
    d.status,
    d.worker_type,
    d.hired_at,
    f.first_hired_at,
    if(d.status = 'terminated', f.last_terminated_at, d.terminated_at),
    d.contract_ends_at,
    d.department,
    d.job_title,
    m.worker_id,
    null
from ranked d
join folded f on f.worker_id = d.worker_id
left join managers m on m.manager = d.manager
where d.place = 1;

drop table nz_rows;
drop table nz_keys;
drop table raw_workers;
