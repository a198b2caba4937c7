/*---
title = "Service or shared account that nobody answers for"
severity = "high"
population = "service_accounts"
why = "Secrets of a service or shared account outlive the people who know them. Without an owner who confirms it, nobody rotates the secret when somebody leaves and nobody closes the account."
remedy = "Name an owner in the register, let the owner confirm purpose and need, and change the secret. Do not disable it unasked: something may depend on it."
remedy_mode = "notify"
needs = { roster = true }

[params.attest_days]
type = "integer"
default = 90
min = 1
max = 1000
source = "CIS Control 5.5 names a quarter."
---*/
select
    a.app,
    a.account_id,
    a.username,
    case
        when a.owner_worker_id is null then 'The account has no owner who is a known person.'
        when w.status = 'terminated' then 'The owner of the account has left.'
        when w.status = 'vanished' then 'The owner of the account is in no roster any more.'
        else 'The owner has not confirmed the account within ' || $attest_days::integer || ' days.'
    end as reason,
    if(w.status = 'vanished' or a.is_active is null, 'unknown', 'fail') as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'critical', 'high') as severity,
    a.kind,
    r.attested_at
from service_accounts a
join applications d on d.app = a.app
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
left join service_register r on r.app = a.app and r.account_id = a.account_id
left join workers w on w.worker_id = a.owner_worker_id
where a.owner_worker_id is null
    or w.status in ('terminated', 'vanished')
    or r.attested_at is null
    or r.attested_at < $as_of - to_days($attest_days::integer)
