-- What an identity provider itself says: its accounts, by their ids, the applications that it lets them into, and the
-- user names that they have there. Whoever owns either account is assigned.
create temp table told_assignments as
select
    t.app,
    told_instant(t.assigned_at) as assigned_at,
    unnest(if(
        coalesce(w.worker_id, u.worker_id) is null,
        [null::varchar],
        list_distinct([w.worker_id, u.worker_id])
    )) as worker_id
from told t
left join n_accounts a on a.app = t.provider and a.account_id = t.account
left join m_matches m on m.account_no = a.account_no and m.match_confidence in ('certain', 'probable')
left join n_workers w on w.worker_no = m.worker_no
left join actor_keys u on u.app = t.app and u.key = lower(trim(t.name));

create temp table unmatched as
select app
from told_assignments
where worker_id is null;

insert into n_assignments
select
    app,
    worker_id,
    min(assigned_at)
from told_assignments t
where worker_id is not null
    and (assigned_at is null or assigned_at <= $as_of)
    and not exists (
        select 1
        from n_assignments n
        where n.app = t.app and n.worker_id = t.worker_id
    )
group by app, worker_id;

drop table told_assignments;
