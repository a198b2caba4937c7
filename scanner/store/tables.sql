-- The store: row versions over all scans. A version stands from valid_from_scan to before valid_to_scan; null = still.
-- ended_by: `changed` (another version follows) or `absent` (a complete source no longer showed it).
-- Volatile values (last sign-in ...) would make a new version of every account every night: they have their own table.

create table meta (key varchar primary key, value varchar);
insert into meta values ('schema_version', '1');

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

create table findings (
    fingerprint varchar primary key,
    rule varchar not null,
    app varchar,
    account_id varchar,
    entitlement varchar,
    worker_id varchar,
    subject varchar,
    severity varchar not null,
    verdict varchar not null,
    reason varchar not null,
    first_scan integer not null,         -- of the present stretch
    last_scan integer not null,
    resolved_scan integer,
    times_reopened integer not null default 0
);
