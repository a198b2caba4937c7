/*---
title = "Account that belongs to nobody"
severity = "high"
population = "human_accounts"
why = "An active account that no person, present or past, and no register entry answers for. Whoever knows its password can use it, and nobody will notice that it should have been closed."
remedy = "Ask the owner of the application whose account it is. Enter it in the register, link it to a person, or deactivate it."
remedy_mode = "notify"
needs = { roster = true }
---*/
select
    a.app,
    a.account_id,
    a.username,
    'The account matches nobody in any roster and is in no register.' as reason,
    case when a.is_active is null then 'unknown' else 'fail' end as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    a.created_at,
    a.last_sign_in_at,
    -- A name, or a user name beside a foreign address, is a hint for the person who decides, never a match.
    a.match_confidence = 'suggested' and a.match_method = 'name' as name_suggestion,
    a.match_confidence = 'suggested' and a.match_method = 'username' as username_suggestion
from human_accounts a
join applications d on d.app = a.app
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
-- Matched accounts have a worker; `is null` is what the scan can filter by before it reads the other columns.
where a.worker_id is null
    and a.match_confidence in ('none', 'suggested')
    and a.excluded_because is null
