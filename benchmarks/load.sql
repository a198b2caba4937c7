-- The company into the staging tables, as normalize.sql would leave them.
insert into n_workers by name
select
    worker_no, worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at,
    hired_at as first_hired_at, terminated_at, department, job_title
from read_parquet(getvariable('company') || '/workers.parquet');

insert into n_accounts by name
select
    account_no, app, account_id, username, email, other_emails, display_name, external_id, employee_number, is_active,
    created_at, last_sign_in_at
from read_parquet(getvariable('company') || '/accounts.parquet');

insert into n_grants by name
select app, account_id, entitlement, 'direct' as path, 'user' as source_side
from read_parquet(getvariable('company') || '/grants.parquet');

insert into n_entitlements by name
select app, entitlement, entitlement as name, 'group' as kind
from read_parquet(getvariable('company') || '/entitlements.parquet');

insert into application_settings by name
select app, external_id, 'complete' as verdict, map() as attributes
from read_parquet(getvariable('company') || '/settings.parquet');

insert into links by name
select app, account_id, worker, 'steward' as decided_by, 'checked' as reason
from read_parquet(getvariable('company') || '/links.parquet');

insert into service_register by name
select app, account_id, kind, 'batch' as purpose
from read_parquet(getvariable('company') || '/register.parquet');
