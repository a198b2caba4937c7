create temp table unmatched as
select t.app
from told t
where not exists (
    select 1
    from person_keys p
    where p.key = lower(t.worker)
);

insert into n_assignments
select
    t.app,
    p.worker_id,
    min(told_instant(t.assigned_at))
from told t
join person_keys p on p.key = lower(t.worker)
where t.assigned_at is null
    or told_instant(t.assigned_at) <= $as_of
group by t.app, p.worker_id;
