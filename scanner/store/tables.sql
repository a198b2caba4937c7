-- The store: row versions over all scans. A version stands from valid_from_scan to before valid_to_scan; null = still.
-- ended_by: `changed` (another version follows), `absent` (a complete source no longer showed it) or `erased`.
-- Volatile values (last sign-in ...) would make a new version of every account every night: they have their own table.

create table meta (key varchar primary key, value varchar);
insert into meta values ('schema_version', '3');

create table scans (
    scan_no integer primary key,
    scan_id varchar not null,
    as_of timestamp not null,
    started_at timestamp not null,
    finished_at timestamp,
    complete boolean not null,
    tool_version varchar not null,
    config_sha256 varchar not null,
    rules_sha256 varchar,
    manifest_sha256 varchar,             -- of the evidence manifest; null until `check` has sealed the scan
    commit_token varchar not null        -- tells recovery whether a staging folder had been committed
);

create table sources (
    scan_no integer not null,
    source_id varchar not null,
    kind varchar not null,
    type varchar not null,
    verdict varchar not null,
    stated bigint,
    collected bigint not null,
    duplicates bigint not null,
    rejected bigint not null,
    coverage varchar,
    detail varchar
);

create table suppressions (scan_no integer not null, kind varchar not null, entries bigint not null);

create table worker_versions (
    worker_id varchar not null,
    employee_numbers varchar[],
    full_name varchar,
    email varchar,
    other_emails varchar[],
    status varchar not null,
    worker_type varchar,
    hired_at timestamp,
    first_hired_at timestamp,
    terminated_at timestamp,
    contract_ends_at timestamp,
    department varchar,
    job_title varchar,
    manager_id varchar,
    valid_from_scan integer not null,
    valid_to_scan integer,
    ended_by varchar
);

create table account_versions (
    app varchar not null,
    account_id varchar not null,
    username varchar,
    email varchar,
    display_name varchar,
    external_id varchar,
    department varchar,
    job_title varchar,
    manager varchar,
    is_active boolean,
    kind varchar,
    created_at timestamp,
    deactivated_at timestamp,
    mfa boolean,
    owner_worker_id varchar,
    worker_id varchar,
    match_method varchar,
    match_confidence varchar,
    valid_from_scan integer not null,
    valid_to_scan integer,
    ended_by varchar
);

create table account_volatile (
    app varchar not null,
    account_id varchar not null,
    last_sign_in_at timestamp,
    last_activity_at timestamp,
    last_modified_at timestamp,
    version varchar
);

create table entitlement_versions (
    app varchar not null,
    entitlement varchar not null,
    name varchar,
    kind varchar not null,
    is_privileged boolean,
    valid_from_scan integer not null,
    valid_to_scan integer,
    ended_by varchar
);

create table grant_versions (
    app varchar not null,
    account_id varchar not null,
    entitlement varchar not null,
    path varchar not null,
    valid_from_scan integer not null,
    valid_to_scan integer,
    ended_by varchar
);

-- The life of findings: who they are, and what they were from which scan on. An unchanged night adds nothing.

create table findings (
    finding_no integer not null,
    fingerprint varchar not null,
    rule varchar not null,
    app varchar,
    account_id varchar,
    entitlement varchar,
    worker_id varchar,
    subject varchar
);

create table finding_versions (
    finding_no integer not null,
    state varchar not null,              -- open, waived, unseen (not raised, but not tested either), resolved, verified
    severity varchar not null,
    verdict varchar not null,
    reason varchar not null,             -- as the scan said it with which the version began
    waiver varchar,
    valid_from_scan integer not null,
    valid_to_scan integer
);

create table rule_versions (
    rule varchar not null,
    sha256 varchar not null,
    params varchar not null,             -- JSON: values in force, and the SHA-256 of the policy inputs that it needs
    is_lead boolean not null,
    valid_from_scan integer not null,
    valid_to_scan integer
);

-- Where the silence of a rule meant that nothing was found. app is null for rules about people or sources.
create table tested_versions (
    rule varchar not null,
    app varchar,
    valid_from_scan integer not null,
    valid_to_scan integer
);

create table waiver_versions (
    waiver varchar not null,
    content varchar not null,            -- JSON: the entry as applied, with its status
    valid_from_scan integer not null,
    valid_to_scan integer
);

-- One row for each change in the life of a finding. first_scan: of the stretch in which it was raised.
create view finding_events as
with befores as (
    select
        v.*,
        lag(v.state) over w as state_before,
        lag(v.severity) over w as severity_before,
        lag(v.verdict) over w as verdict_before
    from finding_versions v
    window w as (partition by v.finding_no order by v.valid_from_scan)
)
select
    b.finding_no,
    b.valid_from_scan as scan_no,
    b.valid_to_scan,
    b.state,
    b.severity,
    b.verdict,
    b.waiver,
    b.state_before,
    b.severity_before,
    b.verdict_before,
    case
        when b.state in ('resolved', 'verified', 'unseen') then b.state
        when b.state = 'waived' and b.state_before is distinct from 'waived' then 'waived'
        when b.state_before is null then
            if(b.valid_from_scan = (select min(scan_no) from scans), 'baseline', 'new')
        when b.state_before in ('resolved', 'verified') then 'reopened'
        when b.state_before = 'unseen' then 'seen_again'
        when b.state = 'open' and b.state_before = 'waived' then 'waiver_ended'
        else 'changed'
    end as event,
    max(
        if(
            b.state not in ('resolved', 'verified')
                and coalesce(b.state_before in ('resolved', 'verified'), true),
            b.valid_from_scan,
            null
        )
    ) over (partition by b.finding_no order by b.valid_from_scan) as first_scan
from befores b;
