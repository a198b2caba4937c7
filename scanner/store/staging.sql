-- Tables of the working database of one scan, between the collectors and the store.
-- normalize.sql fills n_*, match.sql fills m_*. Integer keys (account_no, worker_no) live for one scan only.
-- All instants are UTC. null means "the source did not say".

-- Settings of each source, written by scanner.store.load from the configuration.
create table roster_settings (
    source_id varchar primary key,
    date_format varchar not null,
    time_zone varchar not null,
    statuses map(varchar, varchar),      -- their word, lower case -> ours
    worker_types map(varchar, varchar)
);

create table application_settings (
    app varchar primary key,
    external_id varchar,                 -- employee_number | person_id | null
    verdict varchar not null,
    attributes map(varchar, varchar)     -- our field -> SCIM attribute path
);

create table kind_patterns (app varchar, pattern varchar, kind varchar);          -- globs, lower case
create table domain_aliases (alias varchar, domain varchar);                      -- lower case
create table links (app varchar, account_id varchar, worker varchar, decided_by varchar, decided_at timestamp, reason varchar);
create table service_register (app varchar, account_id varchar, username varchar, kind varchar, owner varchar, attested_at timestamp, purpose varchar, interactive boolean);
create table approved_domains (domain varchar, source varchar, reason varchar);   -- source: organization | policy
create table privileged_entitlements (app varchar, entitlement varchar);          -- globs over name and id, lower case
create table role_allowances (app varchar, entitlement varchar, departments varchar[], job_titles varchar[], is_birthright boolean, may_be_direct boolean);  -- globs, lower case
create table catalogue (app varchar not null, entitlement varchar not null, name varchar, is_privileged boolean);  -- what an application says of its own entitlements
create table duty_functions (function varchar, app varchar, entitlement varchar); -- globs over name and id, lower case
create table duty_conflicts (function_a varchar, function_b varchar, risk varchar, compensating_control varchar);
create table retentions (app varchar, days integer, basis varchar);               -- globs
create table legal_holds (worker varchar, reason varchar);

-- Rows that could not be used, with the reason; they make their source `short`.
create table n_rejects (source_id varchar not null, kind varchar not null, line bigint, reason varchar not null);

create table n_employments (
    worker_id varchar not null,          -- the person
    roster varchar not null,
    line bigint not null,
    employee_number varchar,
    full_name varchar,
    email varchar,
    other_emails varchar[],
    status varchar not null,             -- pre_hire | active | on_leave | terminated, at as_of
    raw_status varchar,
    worker_type varchar,                 -- employee | contractor | vendor | intern | external
    hired_at timestamp,
    terminated_at timestamp,             -- end of the local day; the earlier of termination date and last day worked
    contract_ends_at timestamp,
    department varchar,
    job_title varchar,
    manager varchar                      -- as written by the source
);

create table n_workers (
    worker_no integer not null,
    worker_id varchar not null,
    employee_numbers varchar[],
    full_name varchar,
    email varchar,
    other_emails varchar[],
    status varchar not null,             -- any active employment wins, then on_leave, pre_hire, terminated; or vanished
    worker_type varchar,
    hired_at timestamp,                  -- of the deciding employment
    first_hired_at timestamp,            -- earliest of all employments
    terminated_at timestamp,
    contract_ends_at timestamp,
    department varchar,
    job_title varchar,
    manager_id varchar,                  -- worker_id, resolved by number, person id or e-mail
    last_seen_at timestamp               -- null: in a roster of this scan; else only known from an earlier scan
);

create table n_accounts (
    account_no integer not null,
    app varchar not null,
    account_id varchar not null,
    username varchar,
    email varchar,
    other_emails varchar[],
    display_name varchar,
    external_id varchar,
    employee_number varchar,
    department varchar,
    job_title varchar,
    manager varchar,                     -- as sent: an account id of the application, or a key of the person
    is_active boolean,
    user_type varchar,                   -- userType as sent
    declared_kind varchar,               -- from a mapped attribute: human | service | shared | break_glass | external
    owner varchar,                       -- from a mapped attribute
    created_at timestamp,
    deactivated_at timestamp,            -- exact, where the application says
    last_sign_in_at timestamp,
    last_activity_at timestamp,
    last_modified_at timestamp,
    mfa boolean,
    version varchar,
    origin varchar                       -- from a mapped attribute: scim | local | jit | import
);

create table n_entitlements (
    app varchar not null,
    entitlement varchar not null,        -- 'group:<id>', 'role:<value>', 'entitlement:<value>'
    name varchar,
    kind varchar not null                -- group | role | entitlement
);

create table n_grants (
    app varchar not null,
    account_id varchar not null,
    entitlement varchar not null,
    path varchar not null,               -- direct | nested
    source_side varchar                  -- user | group | both: where the membership was read
);

-- From the CSV inputs, by scanner.store.feeds; rows that name no known account or person are counted, not kept.
create table n_sign_ins (app varchar not null, account_id varchar not null, signed_in_at timestamp not null, interactive boolean);
create table n_mfa (app varchar not null, account_id varchar not null, mfa boolean not null);
create table n_assignments (app varchar not null, worker_id varchar not null, assigned_at timestamp);
create table n_approvals (
    app varchar not null,
    account_id varchar not null,
    entitlement varchar not null,
    granted_at timestamp,
    granted_by varchar,
    approved_by varchar,
    expires_at timestamp,
    granted_by_worker_id varchar,
    approved_by_worker_id varchar
);
create table n_reviews (
    campaign varchar not null,
    app varchar not null,
    account_id varchar not null,
    entitlement varchar,
    reviewer varchar not null,
    reviewer_worker_id varchar,
    decision varchar not null,           -- keep | revoke | undecided
    decided_at timestamp
);

-- HR keys that two people share; they match neither and are reported.
create temp table m_shared_keys (key_kind varchar not null, key varchar not null, workers integer not null);

create type match_method as enum (
    'link', 'employee_number', 'external_id', 'email', 'email_alias', 'username', 'name', 'none'
);
create type match_confidence as enum ('certain', 'probable', 'suggested', 'ambiguous', 'none');
create type account_kind as enum ('human', 'service', 'shared', 'break_glass', 'external', 'unknown');

create temp table m_matches (
    account_no integer not null,
    worker_no integer,                   -- null unless certain or probable
    match_method match_method not null,
    match_confidence match_confidence not null,
    kind account_kind not null
);

-- Who else it could be: every candidate of an ambiguous account, and name suggestions of unmatched ones.
create temp table m_candidates (account_no integer not null, worker_no integer not null, method varchar not null);
