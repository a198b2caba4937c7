-- Who answers for a service, shared or break-glass account: the register first, else what the application says.
-- A key that two people share names nobody.

create temp table person_keys as
select
    key,
    any_value(worker_id) as worker_id
from (
    select distinct lower(trim(k.key)) as key, k.worker_id
    from (
        select worker_id as key, worker_id from n_workers
        union all
        select unnest(employee_numbers), worker_id from n_workers
        union all
        select email, worker_id from n_workers
        union all
        select unnest(other_emails), worker_id from n_workers
    ) k
    where trim(k.key) <> ''
)
group by key
having count(*) = 1;

create temp table registered_accounts as
select
    a.account_no,
    a.app,
    a.account_id,
    r.kind,
    r.owner,
    p.worker_id as owner_worker_id,
    r.attested_at,
    r.purpose,
    r.interactive
from service_register r
join n_accounts a
    on a.app = r.app
    and (a.account_id = r.account_id or lower(trim(a.username)) = lower(trim(r.username)))
left join person_keys p on p.key = lower(trim(r.owner))
qualify row_number() over (partition by a.account_no order by r.account_id nulls last) = 1;

create temp table account_owners as
select
    a.account_no,
    coalesce(r.owner_worker_id, p.worker_id) as worker_id
from n_accounts a
left join registered_accounts r on r.account_no = a.account_no
left join person_keys p on r.account_no is null and p.key = lower(trim(a.owner))
where r.account_no is not null or a.owner is not null;
