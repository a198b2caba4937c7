-- n_employments -> n_workers: one row per person. Any active employment wins, then on_leave, pre_hire, terminated.

create temp table ordered_employments as
select
    *,
    row_number() over (
        partition by worker_id
        order by
            case status when 'active' then 1 when 'on_leave' then 2 when 'pre_hire' then 3 else 4 end,
            hired_at desc nulls last,
            try_cast(employee_number as hugeint) desc nulls last,
            employee_number desc nulls last,
            terminated_at desc nulls first,
            roster,
            full_name nulls last,
            email nulls last,
            department nulls last,
            job_title nulls last,
            manager nulls last,
            raw_status nulls last,
            worker_type nulls last
    ) as place
from n_employments e
where exists (select 1 from repeated_workers r where r.worker_id = e.worker_id);

create temp table folded_workers as
with folded as (
    select
        worker_id,
        any_value(status) filter (where place = 1) as status,
        list_sort(list_distinct(list(employee_number) filter (where employee_number is not null))) as employee_numbers,
        arg_min(full_name, place) as full_name,
        any_value(email) filter (where place = 1) as email,
        list(email) filter (where email is not null) as emails,
        flatten(list(other_emails)) as further_emails,
        any_value(worker_type) filter (where place = 1) as worker_type,
        any_value(hired_at) filter (where place = 1) as hired_at,
        min(hired_at) as first_hired_at,
        -- An end that is known is the last one only if no employment with an unknown end began after it.
        case
            when bool_or(terminated_at is null and hired_at is null) then null
            when max(hired_at) filter (where terminated_at is null) > max(terminated_at) then null
            else max(terminated_at)
        end as left_at,
        -- Who still works leaves when the last of the employments ends.
        if(
            bool_or(terminated_at is null) filter (where status <> 'terminated'),
            null,
            max(terminated_at) filter (where status <> 'terminated')
        ) as leaves_at,
        any_value(contract_ends_at) filter (where place = 1) as contract_ends_at,
        any_value(department) filter (where place = 1) as department,
        any_value(job_title) filter (where place = 1) as job_title,
        any_value(manager) filter (where place = 1) as manager,
        any_value(roster) filter (where place = 1) as roster
    from ordered_employments
    group by worker_id
)
select
    worker_id,
    status,
    if(employee_number is null, [], [employee_number]) as employee_numbers,
    full_name,
    email,
    other_emails,
    worker_type,
    hired_at,
    hired_at as first_hired_at,
    terminated_at,
    contract_ends_at,
    department,
    job_title,
    manager,
    roster
from n_employments e
where not exists (select 1 from repeated_workers r where r.worker_id = e.worker_id)
union all
select
    worker_id,
    status,
    coalesce(employee_numbers, []),
    full_name,
    email,
    list_sort(list_distinct(list_filter(
        list_concat(emails, further_emails),
        lambda x: contains(x, '@') and lower(x) is distinct from lower(folded.email)
    ))),
    worker_type,
    hired_at,
    first_hired_at,
    if(status = 'terminated', left_at, leaves_at),
    contract_ends_at,
    department,
    job_title,
    manager,
    roster
from folded;

-- What a manager may be called by. A name of two people names neither; the own roster's numbers come first.
create temp table manager_names as
with names as (
    select 1 as tier, '' as roster, worker_id as key, worker_id from folded_workers
    union all
    select 2, roster, lower(employee_number), worker_id from n_employments where employee_number is not null
    union all
    select 3, '', lower(employee_number), worker_id from n_employments where employee_number is not null
    union all
    select 4, '', lower(email), worker_id from n_employments where contains(email, '@')
)
select tier, roster, key, min(worker_id) as worker_id
from names
group by tier, roster, key
having min(worker_id) = max(worker_id);

create temp table managers as
select
    w.worker_id,
    coalesce(a.worker_id, b.worker_id, c.worker_id, d.worker_id) as manager_id
from folded_workers w
left join manager_names a on a.tier = 1 and a.key = w.manager
left join manager_names b on b.tier = 2 and b.roster = w.roster and b.key = lower(w.manager)
left join manager_names c on c.tier = 3 and c.key = lower(w.manager)
left join manager_names d on d.tier = 4 and d.key = lower(w.manager)
where w.manager is not null;

insert into n_workers (
    worker_no, worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at,
    first_hired_at, terminated_at, contract_ends_at, department, job_title, manager_id
)
select
    row_number() over (order by w.worker_id),
    w.worker_id,
    w.employee_numbers,
    w.full_name,
    w.email,
    w.other_emails,
    w.status,
    w.worker_type,
    w.hired_at,
    w.first_hired_at,
    w.terminated_at,
    w.contract_ends_at,
    w.department,
    w.job_title,
    -- Nobody answers for themselves.
    nullif(m.manager_id, w.worker_id)
from folded_workers w
left join managers m on m.worker_id = w.worker_id;

drop table repeated_workers;
drop table ordered_employments;
drop table folded_workers;
drop table manager_names;
drop table managers;
