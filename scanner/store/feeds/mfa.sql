create temp table told_accounts as
select
    t.app,
    coalesce(a.account_id, n.account_id) as account_id,
    lower(t.mfa) = 'true' as mfa
from told t
left join n_accounts a on a.app = t.app and a.account_id = t.account
left join account_names n on n.app = t.app and n.name = lower(t.account);

create temp table unmatched as
select app
from told_accounts
where account_id is null;

-- Rows that contradict each other count as the worse one.
insert into n_mfa
select app, account_id, bool_and(mfa)
from told_accounts
where account_id is not null
group by app, account_id;

drop table told_accounts;
