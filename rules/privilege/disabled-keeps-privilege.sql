/*---
title = "Inactive account that still holds privilege"
severity = "medium"
population = "inactive_accounts"
why = "The account is closed but keeps its privileged rights: one click, or one synchronisation that misfires, and an administrator is back."
remedy = "Remove the privileged rights from the closed account."
remedy_mode = "remove_grant"
needs = { policy = ["privileged_entitlements"] }
---*/
select
    a.app,
    a.account_id,
    a.username,
    g.entitlement,
    a.worker_id,
    'The account is inactive and still holds a privileged right.' as reason,
    if(any_value(list_has_any(d.data, ['financial', 'ephi'])), 'high', 'medium') as severity,
    a.deactivated_at,
    any_value(g.path order by g.path) as path
from inactive_accounts a
join applications d on d.app = a.app
join grants g on g.app = a.app and g.account_id = a.account_id and g.is_privileged
group by a.app, a.account_id, a.username, g.entitlement, a.worker_id, a.deactivated_at
