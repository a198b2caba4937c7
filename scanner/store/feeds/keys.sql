-- How the rows of the CSV inputs name accounts, entitlements and people. A name that two have names nobody.

create or replace temp macro told_instant(x) as try_cast(x as timestamptz)::timestamp;

create temp table account_names as
select
    app,
    lower(trim(username)) as name,
    any_value(account_id) as account_id
from n_accounts
where username is not null
group by app, lower(trim(username))
having count(*) = 1;

create temp table entitlement_keys as
select
    app,
    key,
    any_value(entitlement) as entitlement
from (
    select app, lower(entitlement) as key, entitlement from n_entitlements
    union
    select app, lower(substr(entitlement, instr(entitlement, ':') + 1)), entitlement from n_entitlements
    union
    select app, lower(trim(name)), entitlement from n_entitlements
) k
where key <> ''
group by app, key
having count(*) = 1;

-- Whoever acts in an application may be known by a user name of it only.
create temp table actor_keys as
select
    n.app,
    n.name as key,
    w.worker_id
from account_names n
join n_accounts a on a.app = n.app and a.account_id = n.account_id
join m_matches m on m.account_no = a.account_no
join n_workers w on w.worker_no = m.worker_no;
