-- Rows as they were read, typed no further than their JSON shape. Dropped at the end of normalisation.

create temp table n_notes (source_id varchar not null, note varchar not null, n bigint not null);

create temp table raw_workers (
    roster varchar,
    line bigint,
    employee_number varchar,
    person_id varchar,
    full_name varchar,
    first_name varchar,
    last_name varchar,
    email varchar,
    other_emails varchar,
    status varchar,
    worker_type varchar,
    hire_date varchar,
    termination_date varchar,
    last_day_worked varchar,
    contract_end varchar,
    department varchar,
    job_title varchar,
    manager varchar,
    time_zone varchar,
    hire_date_parsed date,
    termination_date_parsed date,
    last_day_worked_parsed date,
    contract_end_parsed date
);

create temp table raw_users (
    app varchar,
    id varchar,
    username varchar,
    display_name varchar,
    external_id varchar,
    active varchar,
    user_type varchar,
    name struct(formatted varchar, "givenName" varchar, "familyName" varchar),
    flat_name varchar,
    meta struct(created varchar, "lastModified" varchar, version varchar),
    emails struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[],
    roles struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[],
    entitlements struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[],
    groups struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[],
    last_sign_in_at varchar,
    last_activity_at varchar,
    mfa varchar,
    kind varchar,
    created_at varchar,
    deactivated_at varchar,
    employee_number varchar,
    department varchar,
    job_title varchar,
    manager varchar,
    owner varchar,
    origin varchar
);

create temp table raw_groups (
    app varchar,
    id varchar,
    display_name varchar,
    members struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[]
);
