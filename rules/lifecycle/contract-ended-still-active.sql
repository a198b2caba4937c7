/*---
title = "Active account after the end of a contract"
severity = "high"
population = "contractor_accounts"
why = "The contract of an external person has ended, HR has not recorded a termination, and the account is still active."
remedy = "Ask the sponsor whether the contract was extended. If not, deactivate the account; if so, correct the end date."
remedy_mode = "deactivate"
needs = { roster = true }
---*/
select
    app,
    account_id,
    username,
    worker_id,
    'The contract ended ' || date_diff('day', contract_ends_at, $as_of) || ' days ago, and the account is still active.' as reason,
    case when is_active is null then 'unknown' else 'fail' end as verdict,
    contract_ends_at,
    worker_type,
    last_sign_in_at
from contractor_accounts
where contract_ends_at < $as_of
    -- Leavers are the business of leaver-still-active.
    and worker_status not in ('terminated', 'vanished')
