/*---
title = "Second account of one person in one application"
severity = "medium"
population = "human_accounts"
why = "A second account is seldom closed with the first one, and it lets one person act under two names. A registered account is not counted, nor is one for privilege beside one without it, where the approved role policy asks for two."
remedy = "Keep one account and deactivate the other, or enter the second one in the register with its purpose."
remedy_mode = "notify"
needs = { roster = true }
---*/
with several as (
    -- Few people have a second account: only theirs are put in order below. Whoever has more accounts than bits for
    -- their applications may have one. Two applications may share a bit, seldom twice; the order below is exact.
    select worker_id
    from human_accounts
    where excluded_because is null
        and worker_id is not null
    group by worker_id
    having bit_count(bit_or(1::ubigint << (hash(app) % 64))) < count(*)
        and bit_count(bit_or(1::ubigint << (hash(app) // 64 % 64))) < count(*)
),
apart as (
    -- Where privilege belongs on a second account, one of each kind is as it should be.
    select d.app
    from applications d
    join policy_inputs i on i.name = 'role_policy'
    where d.separate_admin_accounts
        and (not i.needs_approval or i.approved_at <= $as_of)
),
owned as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        a.is_active,
        -- The account to keep: surely matched, then the oldest. The others are the finding.
        row_number() over (
            partition by a.app, a.worker_id, h.account_id is not null
            order by
                a.match_confidence = 'certain' desc,
                a.created_at nulls last,
                length(a.username),
                a.username,
                a.account_id
        ) as place,
        count(*) over (partition by a.app, a.worker_id, h.account_id is not null) as accounts
    from human_accounts a
    left join apart s on s.app = a.app
    left join privilege_holders h on h.app = s.app and h.account_id = a.account_id
    where a.excluded_because is null
        and a.worker_id is not null
        and a.worker_id in (select worker_id from several)
),
privileged as (
    -- Whichever of the accounts holds it: the person can act under both names.
    select distinct o.app, o.worker_id
    from owned o
    join privilege_holders h on h.app = o.app and h.account_id = o.account_id
)
select
    o.app,
    o.account_id,
    o.username,
    o.worker_id,
    'The person holds ' || o.accounts || ' active accounts in this application.' as reason,
    case when o.is_active is null then 'unknown' else 'fail' end as verdict,
    if(p.worker_id is not null or list_has_any(d.data, ['financial', 'ephi']), 'high', 'medium') as severity,
    o.accounts
from owned o
join applications d on d.app = o.app
left join privileged p on p.app = o.app and p.worker_id = o.worker_id
where o.place > 1
