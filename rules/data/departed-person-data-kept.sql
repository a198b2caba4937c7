/*---
title = "Account of a person long gone"
severity = "medium"
population = "leaver_accounts"
why = "The account is closed, but name, address and history of a person who left are still there, longer than the organisation's own schedule says. Some must stay, for the books or for patient records: the schedule says so, and a legal hold stops the clock."
remedy = "Propose erasure or a pseudonym to the owner of the application. Nothing is erased by this tool."
remedy_mode = "none"
needs = { roster = true, policy = ["erasure_schedule"] }

[params.keep_days]
type = "integer"
default = 365
min = 1
max = 36500
source = "Our default, where the schedule gives no number."
---*/
select
    l.app,
    l.account_id,
    l.username,
    l.worker_id,
    case
        when l.worker_status = 'vanished' or l.terminated_at is null
            then 'The person is gone, since when is not known, and the closed account is still there.'
        when e.app is null then 'The person left ' || date_diff('day', l.terminated_at, $as_of)
            || ' days ago; the schedule does not speak of this application.'
        else 'The person left ' || date_diff('day', l.terminated_at, $as_of) || ' days ago; the account may be kept for '
            || coalesce(e.keep_days, $keep_days::integer) || '.'
    end as reason,
    if(l.worker_status = 'vanished' or l.terminated_at is null or e.app is null, 'unknown', 'fail') as verdict,
    l.terminated_at,
    e.basis
from leaver_accounts l
left join erasure_schedule e on e.app = l.app
where l.is_active = false
    and coalesce(
        coalesce(l.terminated_at, l.last_seen_at)
            < $as_of - to_days(coalesce(e.keep_days, $keep_days::integer)),
        true
    )
    and not exists (
        select 1
        from legal_holds h
        where h.worker_id = l.worker_id
    )
