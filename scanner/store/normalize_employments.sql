-- raw_workers -> n_employments: one row per employment, in words and instants of ours. Dates decide over status words.

create temp table status_words as
select unnest(words) as word, status
from (
    values
        ('active', [
            'active', 'employed', 'enabled', 'a', '1', 'true', 'yes', 'y', 'current', 'working', 'permanent',
            'probation', 'on probation', 'notice', 'on notice', 'notice period', 'notice given', 'hired', 'rehired'
        ]),
        ('on_leave', [
            'leave', 'on leave', 'loa', 'leave of absence', 'parental leave', 'maternity', 'maternity leave',
            'paternity leave', 'family leave', 'medical leave', 'sick leave', 'long term sick', 'unpaid leave',
            'paid leave', 'sabbatical', 'garden leave', 'gardening leave', 'suspended', 'furlough', 'furloughed',
            'military leave', 'absent'
        ]),
        ('pre_hire', [
            'pre hire', 'prehire', 'pre start', 'pending', 'pending start', 'pending hire', 'onboarding', 'future',
            'future hire', 'future starter', 'new hire', 'offer accepted', 'not started'
        ]),
        ('terminated', [
            'terminated', 't', 'termed', 'inactive', 'left', 'leaver', 'former', 'former employee', 'ex employee',
            'retired', 'deceased', 'resigned', 'dismissed', 'laid off', 'redundant', 'ended', 'expired', 'separated',
            'offboarded', 'disabled', 'withdrawn', 'no show', 'quit', 'gone', '0', 'false', 'no', 'n'
        ])
) t (status, words);

create temp table worker_type_words as
select unnest(words) as word, worker_type
from (
    values
        ('employee', [
            'employee', 'emp', 'e', 'permanent', 'regular', 'perm', 'full time', 'fulltime', 'part time', 'parttime',
            'fixed term', 'temporary employee', 'staff', 'fte', 'internal', 'apprentice', 'executive'
        ]),
        ('contractor', [
            'contractor', 'c', 'freelancer', 'freelance', 'contingent', 'contingent worker', 'cw', 'consultant',
            'independent contractor', 'self employed', 'contract', 'temp', 'temporary', 'temporary worker'
        ]),
        ('vendor', [
            'vendor', 'v', 'agency', 'agency worker', 'supplier', 'outsourced', 'service provider', 'third party'
        ]),
        ('intern', ['intern', 'i', 'trainee', 'student', 'working student', 'internship', 'placement']),
        ('external', ['external', 'ext', 'x', 'partner', 'guest', 'board', 'board member', 'volunteer', 'non employee'])
) t (worker_type, words);

create temp table zone_names as
select lower(name) as key, min(name) as name
from pg_timezone_names()
group by lower(name);

create temp table employment_rows as
with told as (
    select
        r.roster,
        r.line,
        if(names_somebody(r.person_id), said(r.person_id), null) as person_id,
        if(names_somebody(r.employee_number), said(r.employee_number), null) as employee_number,
        coalesce(
            nullif(trim(r.full_name), ''),
            nullif(trim(concat_ws(' ', nullif(trim(r.first_name), ''), nullif(trim(r.last_name), ''))), '')
        ) as full_name,
        said(r.email) as email,
        said(r.other_emails) as other_emails,
        nullif(trim(r.status), '') as raw_status,
        coalesce(s.statuses[word(r.status)], b.status) as word_status,
        coalesce(s.worker_types[word(r.worker_type)], k.worker_type) as worker_type,
        roster_day(r.hire_date, r.hire_date_parsed) as hired_on,
        roster_day(r.termination_date, r.termination_date_parsed) as terminated_on,
        roster_day(r.last_day_worked, r.last_day_worked_parsed) as last_worked_on,
        roster_day(r.contract_end, r.contract_end_parsed) as contract_ends_on,
        said(r.department) as department,
        said(r.job_title) as job_title,
        said(r.manager) as manager,
        z.name as zone,
        case
            when roster_is_bad_date(r.hire_date, r.hire_date_parsed)
                then roster_bad_date('hire_date', r.hire_date, s.date_format)
            when roster_is_bad_date(r.termination_date, r.termination_date_parsed)
                then roster_bad_date('termination_date', r.termination_date, s.date_format)
            when roster_is_bad_date(r.last_day_worked, r.last_day_worked_parsed)
                then roster_bad_date('last_day_worked', r.last_day_worked, s.date_format)
            when roster_is_bad_date(r.contract_end, r.contract_end_parsed)
                then roster_bad_date('contract_end', r.contract_end, s.date_format)
            when z.name is null
                then 'time_zone ''' || left(coalesce(said(r.time_zone), s.time_zone), 40) || ''' is not known'
            when raw_status is not null and word_status is null
                then 'status ''' || left(raw_status, 40) || ''' is not known; add it to statuses of the roster'
        end as complaint
    from raw_workers r
    join roster_settings s on s.source_id = r.roster
    left join status_words b on b.word = word(r.status)
    left join worker_type_words k on k.word = word(r.worker_type)
    left join zone_names z on z.key = lower(coalesce(said(r.time_zone), s.time_zone))
)
select
    coalesce(
        person_id,
        roster || ':' || employee_number,
        if(contains(email, '@'), roster || ':' || lower(email), null)
    ) as worker_id,
    * exclude (complaint),
    coalesce(
        complaint,
        if(worker_id is null, 'there is no person id, employee number or e-mail', null)
    ) as complaint,
    string_split_regex(trim(lower(strip_accents(coalesce(full_name, ''))), ' '), '[^\p{L}\p{N}]+') as name_parts
from told;

-- Without a person id, one number on people who share no part of their names and not the e-mail is a mistake in the
-- roster: read as one person, somebody who works would hide somebody who has left.
create temp table doubtful_workers as
with compared as (
    select
        worker_id,
        name_parts,
        lower(email) as email,
        first_value(name_parts) over same_worker as anchor_parts,
        first_value(lower(email)) over same_worker as anchor_email,
        employee_number is not null as has_number
    from employment_rows
    where complaint is null and person_id is null and full_name is not null
    window same_worker as (partition by worker_id order by full_name, lower(email))
)
select distinct worker_id
from compared
where not list_has_any(list_filter(name_parts, lambda p: p <> ''), anchor_parts)
    and (not has_number or email is distinct from anchor_email or email is null);

insert into n_rejects (source_id, kind, line, reason)
select
    e.roster,
    'workers',
    e.line,
    coalesce(
        e.complaint,
        if(
            e.employee_number is not null,
            'one employee number stands on rows with different names and e-mail addresses',
            'one e-mail address stands on rows with different names, and no employee number tells them apart'
        )
    )
from employment_rows e
left join doubtful_workers d on d.worker_id = e.worker_id and e.person_id is null
where e.complaint is not null or d.worker_id is not null
order by e.roster, e.line;

create temp table employments_dated as
with days as (
    select
        e.*,
        -- An end before the start of the same row belongs to an earlier employment. The last day worked moves the end
        -- of an employment forward; alone it ends nothing.
        case when terminated_on < hired_on then null else terminated_on end as ends_on,
        case when last_worked_on < hired_on then null else last_worked_on end as worked_until
    from employment_rows e
    left join doubtful_workers d on d.worker_id = e.worker_id and e.person_id is null
    where e.complaint is null and d.worker_id is null
),
instants as (
    select
        *,
        timezone(zone, hired_on::timestamp) at time zone 'UTC' as hired_at,
        timezone(zone, least(ends_on, if(ends_on is null, null, worked_until)) + time '23:59:59') at time zone 'UTC'
            as terminated_at,
        timezone(zone, contract_ends_on + time '23:59:59') at time zone 'UTC' as contract_ends_at
    from days
)
select
    worker_id,
    roster,
    line,
    employee_number,
    full_name,
    email,
    if(
        other_emails is null,
        [],
        list_sort(list_distinct(list_filter(
            string_split_regex(other_emails, '[;,\s]+'),
            lambda x: contains(x, '@') and lower(x) is distinct from lower(email)
        )))
    ) as other_emails,
    case
        when terminated_at <= $as_of then 'terminated'
        when word_status = 'terminated' and terminated_at is null then 'terminated'
        when hired_at > $as_of then 'pre_hire'
        when word_status in ('on_leave', 'pre_hire') then word_status
        else 'active'
    end as status,
    raw_status,
    worker_type,
    hired_at,
    terminated_at,
    contract_ends_at,
    department,
    job_title,
    manager
from instants;

-- Nearly everybody has one employment: windows and aggregates are kept for the others.
create temp table repeated_workers as
select worker_id
from employments_dated
group by worker_id
having count(*) > 1;

-- The same employment twice is one; which of the rows stays does not depend on their order.
insert into n_employments (
    worker_id, roster, line, employee_number, full_name, email, other_emails, status, raw_status, worker_type,
    hired_at, terminated_at, contract_ends_at, department, job_title, manager
)
select
    worker_id, roster, line, employee_number, full_name, email, other_emails, status, raw_status, worker_type,
    hired_at, terminated_at, contract_ends_at, department, job_title, manager
from employments_dated e
where not exists (select 1 from repeated_workers r where r.worker_id = e.worker_id)
union all
select
    worker_id, roster, line, employee_number, full_name, email, other_emails, status, raw_status, worker_type,
    hired_at, terminated_at, contract_ends_at, department, job_title, manager
from (
    select *
    from employments_dated e
    where exists (select 1 from repeated_workers r where r.worker_id = e.worker_id)
    qualify row_number() over (
        partition by roster, worker_id, employee_number, hired_at, terminated_at, contract_ends_at, status
        order by
            full_name nulls last, email nulls last, other_emails, raw_status nulls last, worker_type nulls last,
            department nulls last, job_title nulls last, manager nulls last, line
    ) = 1
);

insert into n_notes (source_id, note, n)
select d.roster, 'duplicate rows', d.n - coalesce(e.n, 0)
from (select roster, count(*) as n from employments_dated group by roster) d
left join (select roster, count(*) as n from n_employments group by roster) e on e.roster = d.roster
where d.n > coalesce(e.n, 0);

drop table employments_dated;
drop table employment_rows;
drop table doubtful_workers;
drop table status_words;
drop table worker_type_words;
drop table zone_names;
drop table raw_workers;
