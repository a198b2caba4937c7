-- The company into the staging tables, as normalize.sql would leave them.
insert into n_workers
select
    worker_no, worker_id, employee_numbers, full_name, email, other_emails, status, worker_type, hired_at, hired_at,
    terminated_at, null, department, null, null, null
from read_parquet(getvariable('company') || '/workers.parquet');

insert into n_accounts
select
    account_no, app, account_id, username, email, other_emails, display_name, external_id, employee_number, is_active,
    null, null, null, created_at, null, last_sign_in_at, null, null, null, null
from read_parquet(getvariable('company') || '/accounts.parquet');

insert into n_grants
select app, account_id, entitlement, 'direct', 'user'
from read_parquet(getvariable('company') || '/grants.parquet');

insert into n_entitlements
select app, entitlement, entitlement, 'group'
from read_parquet(getvariable('company') || '/entitlements.parquet');

insert into application_settings
select app, external_id, 'complete', map()
from read_parquet(getvariable('company') || '/settings.parquet');

insert into links
select app, account_id, worker, 'steward', null, 'checked'
from read_parquet(getvariable('company') || '/links.parquet');

insert into service_register
select app, account_id, null, kind, null, null, 'batch'
from read_parquet(getvariable('company') || '/register.parquet');
