/*---
title = "Account that says something else than HR"
severity = "low"
population = "matched_accounts"
why = "Address, name, department, job title or manager of the account differ from HR for days. Mail goes to the wrong place, approvals to the wrong person, matches fail, and the next rule judges somebody else. Preferred names are people's own: only a name that shares no word with HR's counts, and only where both are written in the Latin alphabet. Letter case, marks and punctuation never count. An application that has names of its own for departments or job titles is not compared with HR by them."
remedy = "Correct the source first, then the application. Do not force a legal name."
remedy_mode = "notify"
needs = { roster = true, history = true }

[params.settle_days]
type = "integer"
default = 7
min = 0
max = 365
source = "Our default: changes take some days to arrive everywhere."

[params.same_words_percent]
type = "integer"
default = 50
min = 1
max = 100
source = "Our default: so many accounts of an application must have the department, or the job title, of HR, else its words are its own."
---*/
with known as (
    select
        a.app,
        a.account_id,
        a.username,
        a.worker_id,
        lower(trim(a.email)) as email,
        lower(trim(w.email)) as hr_email,
        list_transform(w.other_emails, lambda e: lower(trim(e))) as hr_others,
        strip_accents(lower(trim(a.display_name))) as name,
        strip_accents(lower(trim(w.full_name))) as hr_name,
        regexp_replace(strip_accents(lower(a.department)), '[^\p{L}\p{N}]+', ' ', 'g') as department,
        regexp_replace(strip_accents(lower(w.department)), '[^\p{L}\p{N}]+', ' ', 'g') as hr_department,
        regexp_replace(strip_accents(lower(a.job_title)), '[^\p{L}\p{N}]+', ' ', 'g') as job_title,
        regexp_replace(strip_accents(lower(w.job_title)), '[^\p{L}\p{N}]+', ' ', 'g') as hr_job_title,
        coalesce(a.manager_worker_id <> w.manager_id, false) as is_other_manager
    from matched_accounts a
    join workers w on w.worker_id = a.worker_id
    where a.is_active
        and a.kind = 'human'
        -- A decision by a person settles the doubt.
        and a.match_method <> 'link'
        and w.status in ('active', 'on_leave')
),
compared as (
    select
        app,
        account_id,
        username,
        worker_id,
        email,
        coalesce(
            email like '%_@_%'
            and email <> hr_email
            -- With a sub-address it is the same mailbox.
            and regexp_replace(email, '\+[^@]*@', '@') <> hr_email
            and not list_contains(coalesce(hr_others, []), email),
            false
        ) as is_other_email,
        coalesce(
            regexp_full_match(name, '[a-z .,''-]+')
            and regexp_full_match(hr_name, '[a-z .,''-]+')
            and not list_has_any(
                list_filter(regexp_split_to_array(name, '[^a-z]+'), lambda x: length(x) > 1),
                list_filter(regexp_split_to_array(hr_name, '[^a-z]+'), lambda x: length(x) > 1)
            ),
            false
        ) as is_other_name,
        coalesce(trim(department) <> trim(hr_department), false) as is_other_department,
        coalesce(trim(job_title) <> trim(hr_job_title), false) as is_other_job_title,
        is_other_manager
    from known
),
vocabularies as (
    select
        app,
        100 * count(*) filter (where trim(department) = trim(hr_department))
            >= $same_words_percent::integer * count(*) filter (where department <> '' and hr_department <> '')
            as has_departments,
        100 * count(*) filter (where trim(job_title) = trim(hr_job_title))
            >= $same_words_percent::integer * count(*) filter (where job_title <> '' and hr_job_title <> '')
            as has_job_titles
    from known
    group by app
),
differing as (
    select
        c.app,
        c.account_id,
        c.username,
        c.worker_id,
        -- Addresses of foreign domains have a rule of their own.
        c.is_other_email and d.domain is not null as is_other_email,
        c.is_other_name,
        c.is_other_department and v.has_departments as is_other_department,
        c.is_other_job_title and v.has_job_titles as is_other_job_title,
        c.is_other_manager
    from compared c
    join vocabularies v on v.app = c.app
    left join approved_domains d on d.source = 'organization' and d.domain = split_part(c.email, '@', -1)
    where (c.is_other_email and d.domain is not null)
        or c.is_other_name
        or (c.is_other_department and v.has_departments)
        or (c.is_other_job_title and v.has_job_titles)
        or c.is_other_manager
),
first_scan as (
    select min(first_seen_at) as at
    from account_history
),
stretches as (
    -- Both sides have stood like this at least since the later of their latest changes.
    select
        d.app,
        d.account_id,
        greatest(max(h.first_seen_at), max(v.first_seen_at)) as since
    from differing d
    join account_history h on h.app = d.app and h.account_id = d.account_id and h.ended_at is null
    join worker_history v on v.worker_id = d.worker_id and v.ended_at is null
    group by d.app, d.account_id
)
select
    d.app,
    d.account_id,
    d.username,
    d.worker_id,
    'Different from HR'
        || if(
            s.since <= $as_of - to_days($settle_days::integer),
            ' for more than ' || date_diff('day', s.since, $as_of) || ' days: ',
            ', since when is not known: '
        )
        || concat_ws(
            ', ',
            if(d.is_other_email, 'e-mail address', null),
            if(d.is_other_name, 'name', null),
            if(d.is_other_department, 'department', null),
            if(d.is_other_job_title, 'job title', null),
            if(d.is_other_manager, 'manager', null)
        )
        || '.' as reason,
    if(s.since <= $as_of - to_days($settle_days::integer), 'fail', 'unknown') as verdict,
    if(p.account_id is not null or list_has_any(a.data, ['financial', 'ephi']), 'medium', 'low') as severity,
    d.is_other_email,
    d.is_other_name,
    d.is_other_department,
    d.is_other_job_title,
    d.is_other_manager,
    s.since as differs_since
from differing d
join applications a on a.app = d.app
left join privilege_holders p on p.app = d.app and p.account_id = d.account_id
join stretches s on s.app = d.app and s.account_id = d.account_id
cross join first_scan f
where s.since <= $as_of - to_days($settle_days::integer)
    -- Seen to begin, and not long enough ago: nothing yet.
    or s.since = f.at
