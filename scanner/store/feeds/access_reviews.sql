create temp table told_items as
select
    t.campaign,
    t.app,
    coalesce(a.account_id, n.account_id, t.account) as account_id,
    coalesce(a.account_id, n.account_id) is not null as is_known,
    coalesce(e.entitlement, t.entitlement) as entitlement,
    t.reviewer,
    coalesce(p.worker_id, r.worker_id) as reviewer_worker_id,
    lower(t.decision) as decision,
    told_instant(t.decided_at) as decided_at
from told t
left join n_accounts a on a.app = t.app and a.account_id = t.account
left join account_names n on n.app = t.app and n.name = lower(t.account)
left join entitlement_keys e on e.app = t.app and e.key = lower(t.entitlement)
left join person_keys p on p.key = lower(t.reviewer)
left join actor_keys r on r.app = t.app and r.key = lower(t.reviewer);

create temp table unmatched as
select app
from told_items
where not is_known;

-- An account that is gone since stays an item of its review.
insert into n_reviews
select distinct campaign, app, account_id, entitlement, reviewer, reviewer_worker_id, decision, decided_at
from told_items
where decided_at is null
    or decided_at <= $as_of;

drop table told_items;
