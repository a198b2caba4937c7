create temp table told_grants as
select
    t.app,
    coalesce(a.account_id, n.account_id) as account_id,
    e.entitlement,
    told_instant(t.granted_at) as granted_at,
    t.granted_by,
    t.approved_by,
    told_instant(t.expires_at) as expires_at,
    coalesce(g.worker_id, ga.worker_id) as granted_by_worker_id,
    coalesce(p.worker_id, pa.worker_id) as approved_by_worker_id
from told t
left join n_accounts a on a.app = t.app and a.account_id = t.account
left join account_names n on n.app = t.app and n.name = lower(t.account)
left join entitlement_keys e on e.app = t.app and e.key = lower(t.entitlement)
left join person_keys g on g.key = lower(t.granted_by)
left join actor_keys ga on ga.app = t.app and ga.key = lower(t.granted_by)
left join person_keys p on p.key = lower(t.approved_by)
left join actor_keys pa on pa.app = t.app and pa.key = lower(t.approved_by);

create temp table unmatched as
select app
from told_grants
where account_id is null or entitlement is null;

-- The latest request for a grant is the one that stands.
insert into n_approvals
select
    app, account_id, entitlement, granted_at, granted_by, approved_by, expires_at, granted_by_worker_id,
    approved_by_worker_id
from told_grants
where account_id is not null
    and entitlement is not null
    and (granted_at is null or granted_at <= $as_of)
qualify row_number() over (
    partition by app, account_id, entitlement
    order by granted_at desc nulls last, approved_by nulls last, granted_by nulls last
) = 1;

drop table told_grants;
