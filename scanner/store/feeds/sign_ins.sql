create temp table told_accounts as
select
    t.app,
    coalesce(a.account_id, n.account_id) as account_id,
    told_instant(t.signed_in_at) as signed_in_at,
    lower(t.interactive) = 'true' as interactive
from told t
left join n_accounts a on a.app = t.app and a.account_id = t.account
left join account_names n on n.app = t.app and n.name = lower(t.account);

create temp table unmatched as
select app
from told_accounts
where account_id is null;

insert into n_sign_ins
select distinct app, account_id, signed_in_at, interactive
from told_accounts
where account_id is not null
    and signed_in_at <= $as_of;

drop table told_accounts;
