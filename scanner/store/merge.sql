-- What this scan saw becomes row versions of the store. Runs in the working database, with the copy of the store
-- attached as `store`, and one row in this_scan (scan_no, as_of, roster_complete). Per table: close what changed, close
-- what a complete source no longer shows, add what has no open version.

create temp table complete_apps as
select app
from application_settings
where verdict = 'complete';

create temp table now_accounts as
select
    a.account_no,
    a.app,
    a.account_id,
    a.username,
    a.email,
    a.display_name,
    a.external_id,
    a.department,
    a.job_title,
    a.manager,
    a.is_active,
    m.kind,
    a.created_at,
    a.deactivated_at,
    coalesce(f.mfa, a.mfa) as mfa,
    o.worker_id as owner_worker_id,
    w.worker_id,
    m.match_method,
    m.match_confidence,
    greatest(a.last_sign_in_at, s.signed_in_at) as last_sign_in_at,
    a.last_activity_at,
    a.last_modified_at,
    a.version,
    a.origin
from n_accounts a
join m_matches m on m.account_no = a.account_no
left join n_workers w on w.worker_no = m.worker_no
left join account_owners o on o.account_no = a.account_no
left join n_mfa f on f.app = a.app and f.account_id = a.account_id
left join (
    select app, account_id, max(signed_in_at) as signed_in_at
    from n_sign_ins
    -- Background synchronisation is not a person.
    where interactive is distinct from false
    group by app, account_id
) s on s.app = a.app and s.account_id = a.account_id;

create temp table now_entitlements as
select
    e.app,
    e.entitlement,
    e.name,
    e.kind,
    case
        when c.is_privileged then true
        when (select count(*) from policy_inputs where name = 'privileged_entitlements') = 0 then c.is_privileged
        else p.entitlement is not null
    end as is_privileged
from n_entitlements e
left join catalogue c on c.app = e.app and c.entitlement = e.entitlement
left join (
    select distinct n.app, n.entitlement
    from n_entitlements n
    join privileged_entitlements g
        on lower(n.app) glob g.app
        and (lower(n.name) glob g.entitlement or lower(n.entitlement) glob g.entitlement)
) p on p.app = e.app and p.entitlement = e.entitlement;

-- workers

update store.worker_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'changed'
from n_workers n
where v.valid_to_scan is null
    and n.last_seen_at is null
    and n.worker_id = v.worker_id
    and (
        n.employee_numbers is distinct from v.employee_numbers
        or n.full_name is distinct from v.full_name
        or n.email is distinct from v.email
        or n.other_emails is distinct from v.other_emails
        or n.status is distinct from v.status
        or n.worker_type is distinct from v.worker_type
        or n.hired_at is distinct from v.hired_at
        or n.first_hired_at is distinct from v.first_hired_at
        or n.terminated_at is distinct from v.terminated_at
        or n.contract_ends_at is distinct from v.contract_ends_at
        or n.department is distinct from v.department
        or n.job_title is distinct from v.job_title
        or n.manager_id is distinct from v.manager_id
    );

update store.worker_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'absent'
where v.valid_to_scan is null
    and (select roster_complete from this_scan)
    and not exists (
        select 1
        from n_workers n
        where n.worker_id = v.worker_id and n.last_seen_at is null
    );

insert into store.worker_versions
select
    n.worker_id,
    n.employee_numbers,
    n.full_name,
    n.email,
    n.other_emails,
    n.status,
    n.worker_type,
    n.hired_at,
    n.first_hired_at,
    n.terminated_at,
    n.contract_ends_at,
    n.department,
    n.job_title,
    n.manager_id,
    (select scan_no from this_scan),
    null,
    null
from n_workers n
where n.last_seen_at is null
    and not exists (
        select 1
        from store.worker_versions v
        where v.worker_id = n.worker_id and v.valid_to_scan is null
    )
order by n.worker_id;

-- accounts

update store.account_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'changed'
from now_accounts n
where v.valid_to_scan is null
    and n.app = v.app
    and n.account_id = v.account_id
    and (
        n.username is distinct from v.username
        or n.email is distinct from v.email
        or n.display_name is distinct from v.display_name
        or n.external_id is distinct from v.external_id
        or n.department is distinct from v.department
        or n.job_title is distinct from v.job_title
        or n.manager is distinct from v.manager
        or n.is_active is distinct from v.is_active
        or n.kind is distinct from v.kind
        or n.created_at is distinct from v.created_at
        or n.deactivated_at is distinct from v.deactivated_at
        or n.mfa is distinct from v.mfa
        or n.owner_worker_id is distinct from v.owner_worker_id
        or n.worker_id is distinct from v.worker_id
        or n.match_method is distinct from v.match_method
        or n.match_confidence is distinct from v.match_confidence
    );

update store.account_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'absent'
where v.valid_to_scan is null
    and v.app in (select app from complete_apps)
    and not exists (
        select 1
        from now_accounts n
        where n.app = v.app and n.account_id = v.account_id
    );

insert into store.account_versions
select
    n.app,
    n.account_id,
    n.username,
    n.email,
    n.display_name,
    n.external_id,
    n.department,
    n.job_title,
    n.manager,
    n.is_active,
    n.kind,
    n.created_at,
    n.deactivated_at,
    n.mfa,
    n.owner_worker_id,
    n.worker_id,
    n.match_method,
    n.match_confidence,
    (select scan_no from this_scan),
    null,
    null
from now_accounts n
where not exists (
    select 1
    from store.account_versions v
    where v.app = n.app and v.account_id = n.account_id and v.valid_to_scan is null
)
order by n.app, n.account_id;

delete from store.account_volatile v
using now_accounts n
where n.app = v.app
    and n.account_id = v.account_id
    and (
        n.last_sign_in_at is distinct from v.last_sign_in_at
        or n.last_activity_at is distinct from v.last_activity_at
        or n.last_modified_at is distinct from v.last_modified_at
        or n.version is distinct from v.version
    );

insert into store.account_volatile
select
    n.app,
    n.account_id,
    n.last_sign_in_at,
    n.last_activity_at,
    n.last_modified_at,
    n.version
from now_accounts n
where not exists (
    select 1
    from store.account_volatile v
    where v.app = n.app and v.account_id = n.account_id
);

-- entitlements and grants

update store.entitlement_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'changed'
from now_entitlements n
where v.valid_to_scan is null
    and n.app = v.app
    and n.entitlement = v.entitlement
    and (
        n.name is distinct from v.name
        or n.kind is distinct from v.kind
        or n.is_privileged is distinct from v.is_privileged
    );

update store.entitlement_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'absent'
where v.valid_to_scan is null
    and v.app in (select app from complete_apps)
    and not exists (
        select 1
        from now_entitlements n
        where n.app = v.app and n.entitlement = v.entitlement
    );

insert into store.entitlement_versions
select
    n.app,
    n.entitlement,
    n.name,
    n.kind,
    n.is_privileged,
    (select scan_no from this_scan),
    null,
    null
from now_entitlements n
where not exists (
    select 1
    from store.entitlement_versions v
    where v.app = n.app and v.entitlement = n.entitlement and v.valid_to_scan is null
)
order by n.app, n.entitlement;

update store.grant_versions v
set valid_to_scan = (select scan_no from this_scan), ended_by = 'absent'
where v.valid_to_scan is null
    and v.app in (select app from complete_apps)
    and not exists (
        select 1
        from n_grants n
        where n.app = v.app and n.account_id = v.account_id and n.entitlement = v.entitlement and n.path = v.path
    );

insert into store.grant_versions
select
    n.app,
    n.account_id,
    n.entitlement,
    n.path,
    (select scan_no from this_scan),
    null,
    null
from n_grants n
where not exists (
    select 1
    from store.grant_versions v
    where v.app = n.app
        and v.account_id = n.account_id
        and v.entitlement = n.entitlement
        and v.path = n.path
        and v.valid_to_scan is null
)
order by n.app, n.account_id, n.entitlement;
