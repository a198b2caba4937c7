/*---
title = "Account that could belong to several people"
severity = "medium"
population = "active_accounts"
why = "The keys of the account name different people, or a key that two people share. A wrong owner hides an orphan, or blames the wrong person; nothing is acted on until somebody decides."
remedy = "Decide who owns the account and record it in the links file, or correct the identifiers in the application or in HR."
remedy_mode = "notify"
needs = { roster = true }
---*/
with candidates as (
    select app, account_id, count(distinct worker_id) as people
    from match_candidates
    where method <> 'name'
    group by app, account_id
)
select
    a.app,
    a.account_id,
    a.username,
    'The identifiers of the account name ' || coalesce(c.people, 2) || ' different people.' as reason,
    case when a.is_active is null then 'unknown' else 'fail' end as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    c.people as candidates
from active_accounts a
join applications d on d.app = a.app
left join candidates c on c.app = a.app and c.account_id = a.account_id
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
where a.match_confidence = 'ambiguous'
    -- One candidate, in doubt for the age of the account: that is what reused-identity reports.
    and coalesce(c.people, 2) > 1
