/*---
title = "Source not read completely or not read lately"
severity = "high"
population = "all_sources"
why = "What was not read was not tested. Every control that rests on this source is unable to test until it is read to its end."
remedy = "Read the detail of the source, repair the access or the export, and scan again."
remedy_mode = "notify"
needs = { apps = false }

[params.max_age_hours]
type = "integer"
default = 24
min = 1
max = 8760
source = "Our default for a nightly scan."
---*/
select
    app,
    null::varchar as account_id,
    case when kind = 'roster' then 'source:' || source_id end as subject,
    case
        when verdict = 'failed' then 'The source could not be read.'
        when verdict <> 'complete' then 'The source was read, but not proven complete (' || verdict || ').'
        else 'The last complete read is older than ' || $max_age_hours::integer || ' hours.'
    end as reason,
    verdict as source_verdict,
    last_complete_at
from all_sources
where verdict <> 'complete'
    or last_complete_at < $as_of - to_hours($max_age_hours::integer)
