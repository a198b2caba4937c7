/*---
title = "Accounts that nobody has seen"
severity = "high"
population = "known_applications"
why = "A list that is shorter than its source says, or a known application that is not connected at all, may hold the very accounts that an audit is for."
remedy = "Connect the application, or find out which rows are missing and why."
remedy_mode = "notify"
needs = { apps = false }

[params.drift_percent]
type = "number"
default = 0.5
min = 0
max = 100
source = "Our default: a live list may move by a few rows while it is read."
---*/
select
    a.app,
    null::varchar as account_id,
    case
        when a.type = 'none' then 'The application is known but not connected: none of its accounts were tested.'
        when s.stated > s.collected
            then 'The application states ' || s.stated || ' accounts, and ' || s.collected || ' were read.'
        else 'The list of accounts was not proven complete (' || s.verdict || ').'
    end as reason,
    case
        when s.verdict = 'drift' and abs(s.stated - s.collected) <= s.stated * $drift_percent::double / 100 then 'medium'
        else 'high'
    end as severity,
    s.stated,
    s.collected,
    s.rejected,
    s.verdict as source_verdict
from known_applications a
left join sources s on s.source_id = a.app and s.kind = 'application'
where a.type = 'none'
    or s.verdict in ('short', 'drift', 'capped', 'unknown')
