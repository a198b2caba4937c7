create temp table told_accounts as
select
    t.app,
    coalesce(a.account_id, n.account_id) as account_id,
    t.provider is not null as is_of_provider,
    lower(t.mfa) = 'true' as mfa
from told t
left join n_accounts a on a.app = t.app and a.account_id = t.account
left join account_names n on n.app = t.app and n.name = lower(t.account);

create temp table unmatched as
select app
from told_accounts
where account_id is null;

-- Rows that contradict each other count as the worse one. Before what an identity provider says of the people whom it
-- lets into an application come the application's own word and the file of the organisation.
insert into n_mfa
select t.app, t.account_id, bool_and(t.mfa)
from told_accounts t
join n_accounts a on a.app = t.app and a.account_id = t.account_id
where not t.is_of_provider
    or (
        a.mfa is null
        and not exists (
            select 1
            from n_mfa m
            where m.app = t.app and m.account_id = t.account_id
        )
    )
group by t.app, t.account_id;

drop table told_accounts;
