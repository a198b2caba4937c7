/*---
title = "Account with a foreign e-mail domain"
severity = "medium"
population = "active_accounts"
why = "Mail of the account, password resets included, goes to a domain that the organisation neither owns nor has approved."
remedy = "Use a work address, link the account to a sponsor, or approve the domain with a reason."
remedy_mode = "notify"
needs = { fields = ["email"] }
---*/
with addressed as (
    select
        app,
        account_id,
        username,
        worker_id,
        is_active,
        -- Directories write a guest as jane_partner.example#EXT#@acme.example: the marker would hide a foreign domain.
        lower(trim(if(
            contains(lower(email), '#ext#@'),
            split_part(split_part(lower(email), '#ext#@', 1), '_', -1),
            split_part(email, '@', -1)
        ))) as domain
    from active_accounts
    where email like '%_@_%'
)
select
    a.app,
    a.account_id,
    a.username,
    a.worker_id,
    'The e-mail address lies in a domain that is neither the organisation''s nor approved.' as reason,
    case when a.is_active is null then 'unknown' else 'fail' end as verdict,
    if(p.account_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    a.domain
from addressed a
join applications d on d.app = a.app
left join privilege_holders p on p.app = a.app and p.account_id = a.account_id
where not exists (
    select 1
    from approved_domains m
    where m.domain = a.domain
)
