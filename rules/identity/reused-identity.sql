/*---
title = "Account older than the person its keys name"
severity = "medium"
population = "claimed_accounts"
why = "An account that existed before its owner was first hired was probably somebody else's: a recycled address or number. The new person inherits access that nobody approved. Where nothing but an address or a user name names the person, the account is given to nobody until somebody decides."
remedy = "Check who used the account before. Give the person an account of their own, or record the decision in the links file."
remedy_mode = "notify"
needs = { roster = true, fields = ["created_at"] }

[params.early_days]
type = "integer"
default = 30
min = 0
max = 365
source = "Our default: accounts are often made some weeks before the first day."
---*/
select
    a.app,
    a.account_id,
    a.username,
    a.worker_id,
    'The account was created ' || date_diff('day', a.created_at, w.first_hired_at)
        || ' days before the person was first hired.' as reason,
    case when a.is_active is null then 'unknown' else 'fail' end as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    a.match_confidence,
    a.created_at,
    w.first_hired_at
from claimed_accounts a
join workers w on w.worker_id = a.worker_id
join applications d on d.app = a.app
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
where a.is_active is distinct from false
    -- A decision by a person settles the doubt.
    and a.match_method <> 'link'
    -- Nobody was given an ambiguous one, for its age: that is told whatever the parameter says.
    and (a.match_confidence = 'ambiguous' or a.created_at < w.first_hired_at - to_days($early_days::integer))
