/*---
title = "Active account without a running contract"
severity = "high"
population = "contractor_accounts"
why = "The contract of an external person has ended, HR has not recorded a termination, and the account is still active. A contract without an end, or with one far ahead, ends no access by itself either."
remedy = "Ask the sponsor whether the contract was extended. If not, deactivate the account; if so, correct the end date."
remedy_mode = "deactivate"
needs = { roster = true }

[params.max_days_ahead]
type = "integer"
default = 365
min = 1
max = 3650
source = "Our default: contracts of external people are looked at once a year."
---*/
with told as (
    -- Where HR gives no end for anybody, it does not keep them: that is no contract without an end.
    select bool_or(contract_ends_at is not null) as has_ends
    from contractors
)
select
    c.app,
    c.account_id,
    c.username,
    c.worker_id,
    case
        when c.contract_ends_at is null then 'The contract has no end, and the account is active.'
        when c.contract_ends_at < $as_of
            then 'The contract ended ' || date_diff('day', c.contract_ends_at, $as_of)
                || ' days ago, and the account is still active.'
        else 'The contract ends in ' || date_diff('day', $as_of, c.contract_ends_at) || ' days; at most '
            || $max_days_ahead::integer || ' are allowed before it is looked at again.'
    end as reason,
    case
        when c.is_active is null then 'unknown'
        when c.contract_ends_at is null and not coalesce(t.has_ends, false) then 'unknown'
        else 'fail'
    end as verdict,
    case
        when c.contract_ends_at < $as_of then if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high')
        when c.contract_ends_at is null then if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium')
        else if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'medium', 'low')
    end as severity,
    c.contract_ends_at,
    c.worker_type,
    c.last_sign_in_at
from contractor_accounts c
cross join told t
join applications d on d.app = c.app
left join privilege_holders p on p.app = c.app and p.account_id = c.account_id
where (
        c.contract_ends_at is null
        or c.contract_ends_at < $as_of
        or c.contract_ends_at > $as_of + to_days($max_days_ahead::integer)
    )
    -- Leavers are the business of leaver-still-active.
    and c.worker_status not in ('terminated', 'vanished')
