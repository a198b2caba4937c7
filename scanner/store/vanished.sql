-- People of earlier scans whom a complete roster no longer shows stay known, so that their accounts still match them.
-- Runs between normalize and match. HR may purge leavers: who was last seen as terminated stays terminated.

create temp table roster_scans as
select
    c.scan_no,
    c.as_of,
    coalesce(bool_and(s.verdict = 'complete'), false) as is_complete
from store.scans c
left join store.sources s on s.scan_no = c.scan_no and s.kind = 'roster'
group by c.scan_no, c.as_of;

insert into n_workers (
    worker_no, worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at,
    first_hired_at, terminated_at, contract_ends_at, department, job_title, manager_id, last_seen_at
)
with latest as (
    select *
    from store.worker_versions
    qualify row_number() over (partition by worker_id order by valid_from_scan desc) = 1
),
gone as (
    select l.*
    from latest l
    where not exists (select 1 from n_workers n where n.worker_id = l.worker_id)
        and (l.ended_by = 'absent' or (select roster_complete from this_scan))
)
select
    (select coalesce(max(worker_no), 0) from n_workers) + row_number() over (order by g.worker_id),
    g.worker_id,
    g.employee_numbers,
    g.full_name,
    g.email,
    g.other_emails,
    case
        when g.status = 'terminated' or g.terminated_at <= (select as_of from this_scan) then 'terminated'
        else 'vanished'
    end,
    g.worker_type,
    g.hired_at,
    g.first_hired_at,
    g.terminated_at,
    g.contract_ends_at,
    g.department,
    g.job_title,
    g.manager_id,
    (
        select max(r.as_of)
        from roster_scans r
        where r.scan_no >= g.valid_from_scan
            and r.scan_no < coalesce(g.valid_to_scan, (select scan_no from this_scan))
            and (r.is_complete or r.scan_no = g.valid_from_scan)
    )
from gone g;
