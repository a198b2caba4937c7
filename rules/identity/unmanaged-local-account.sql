/*---
title = "Account that the identity provider does not manage"
severity = "high"
population = "federated_accounts"
why = "People enter this application through the identity provider, but it does not know of this account: it was made by hand, and closing the person there does not close it."
remedy = "Assign the person in the identity provider, or deactivate the account. Enter a local account for emergencies in the register."
remedy_mode = "notify"
needs = { roster = true, policy = ["idp_assignments"], fields = ["idp_assigned"] }
---*/
select
    app,
    account_id,
    username,
    worker_id,
    if(
        origin = 'local',
        'The account is a local one, in an application that people enter through the identity provider.',
        'The identity provider does not let the person into this application, and the account is open.'
    ) as reason,
    if(is_active is null, 'unknown', 'fail') as verdict,
    origin,
    created_at,
    match_confidence
from federated_accounts
where excluded_because is null
    and idp_assigned = false
