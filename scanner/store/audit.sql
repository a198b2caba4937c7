-- The `audit` schema: what rules see, and the evidence. A public API: a change is versioned, in the changelog, and
-- compared with tests/audit_schema.txt. Tables first, then the named populations. All instants are UTC timestamps;
-- null means "the source did not say". $as_of of a rule equals settings.as_of.
create schema audit;
use audit;

create table settings (
    scan_id varchar,
    as_of timestamp,
    organization varchar,
    timezone varchar,
    is_baseline boolean default false,
    previous_scan_at timestamp,
    roster_complete boolean default true,
    offboarding_hours integer default 24,
    privileged_offboarding_hours integer default 4
);
comment on table settings is 'One row: the clock and the frame of this scan.';
comment on column settings.scan_id is 'Id of the scan.';
comment on column settings.as_of is 'The instant that the scan speaks about.';
comment on column settings.organization is 'Name from the configuration.';
comment on column settings.timezone is 'Time zone of the organisation (IANA name).';
comment on column settings.is_baseline is 'True for the first scan of a store: there is no history.';
comment on column settings.previous_scan_at is 'as_of of the scan before; null on a baseline.';
comment on column settings.roster_complete is 'True if every roster of this scan is complete.';
comment on column settings.offboarding_hours is 'Hours after the end of work within which access must end (parameter sla_hours of leaver-still-active).';
comment on column settings.privileged_offboarding_hours is 'The same for accounts with privilege (parameter privileged_sla_hours).';

create table workers (
    worker_id varchar,
    employee_numbers varchar[],
    full_name varchar,
    email varchar,
    other_emails varchar[],
    status varchar default 'active',
    worker_type varchar,
    hired_at timestamp,
    first_hired_at timestamp,
    terminated_at timestamp,
    termination_recorded_at timestamp,
    contract_ends_at timestamp,
    department varchar,
    job_title varchar,
    manager_id varchar,
    last_seen_at timestamp
);
comment on table workers is 'One row per person, over all rosters and employments; people who vanished from a complete roster stay.';
comment on column workers.worker_id is 'The person: person id of HR, else <roster>:<employee number or e-mail>.';
comment on column workers.employee_numbers is 'All employee numbers of the person, as text with leading zeros.';
comment on column workers.full_name is 'Name as HR writes it.';
comment on column workers.email is 'Work e-mail as HR writes it.';
comment on column workers.other_emails is 'Further addresses of the person.';
comment on column workers.status is 'pre_hire, active, on_leave, terminated or vanished at as_of; any active employment wins.';
comment on column workers.worker_type is 'employee, contractor, vendor, intern or external.';
comment on column workers.hired_at is 'Start of the employment that decides the status.';
comment on column workers.first_hired_at is 'Start of the earliest employment.';
comment on column workers.terminated_at is 'End of the local day on which work ended or will end; a future date on an active person is a planned leave.';
comment on column workers.termination_recorded_at is 'First scan that showed the termination; null if the first scan of the store already did.';
comment on column workers.contract_ends_at is 'End of the local day on which a contract ends.';
comment on column workers.department is 'Department.';
comment on column workers.job_title is 'Job title.';
comment on column workers.manager_id is 'worker_id of the manager.';
comment on column workers.last_seen_at is 'as_of of the last scan whose roster held the person.';

create table employments (
    worker_id varchar,
    roster varchar,
    employee_number varchar,
    status varchar,
    raw_status varchar,
    worker_type varchar,
    hired_at timestamp,
    terminated_at timestamp,
    contract_ends_at timestamp,
    department varchar,
    job_title varchar,
    manager_id varchar
);
comment on table employments is 'One row per roster row: a person may have several, at once or one after the other.';
comment on column employments.worker_id is 'The person.';
comment on column employments.roster is 'Source id of the roster.';
comment on column employments.employee_number is 'As text.';
comment on column employments.status is 'pre_hire, active, on_leave or terminated at as_of.';
comment on column employments.raw_status is 'The word that HR used.';
comment on column employments.worker_type is 'employee, contractor, vendor, intern or external.';
comment on column employments.hired_at is 'Start.';
comment on column employments.terminated_at is 'End of the local day on which it ended or will end.';
comment on column employments.contract_ends_at is 'End of the local day on which the contract ends.';
comment on column employments.department is 'Department.';
comment on column employments.job_title is 'Job title.';
comment on column employments.manager_id is 'worker_id of the manager.';

create table applications (
    app varchar,
    name varchar,
    owner varchar,
    data varchar[] default ['personal'],
    type varchar default 'scim',
    profile varchar default 'generic',
    coverage varchar default 'all',
    sso boolean,
    verdict varchar default 'complete',
    collected_at timestamp,
    unconnected_reason varchar,
    identity_provider boolean default false,
    groups_only boolean,
    separate_admin_accounts boolean,
    sign_in_grain_days integer default 0
);
comment on table applications is 'Every known application, unconnected ones included.';
comment on column applications.app is 'Id from the configuration.';
comment on column applications.name is 'Name for people.';
comment on column applications.owner is 'Who answers for it.';
comment on column applications.data is 'personal, financial, ephi, cardholder: the frameworks that it belongs to.';
comment on column applications.type is 'scim, scim_file, csv, database, ldap, rest ..., as the configuration calls it; none: known, not connected.';
comment on column applications.profile is 'Vendor profile.';
comment on column applications.coverage is 'Which accounts its list can show: all, provisioned_only, members_no_guests, one_domain or unknown.';
comment on column applications.sso is 'Whether people sign in through the identity provider.';
comment on column applications.verdict is 'complete, drift, short, capped, failed, unknown; null for type none.';
comment on column applications.collected_at is 'End of the collection in this scan.';
comment on column applications.sign_in_grain_days is
    'A last sign-in may have been up to so many days later than last_sign_in_at says; 0 where it is told exactly.';
comment on column applications.unconnected_reason is 'Why it is not connected, for type none.';
comment on column applications.identity_provider is 'Whether it is the identity provider itself, by the configuration.';
comment on column applications.groups_only is 'Whether access is given by groups only, by the policy input role_policy; null if that was not supplied.';
comment on column applications.separate_admin_accounts is 'Whether privilege belongs on a second account of the person, by the policy input role_policy; null if that was not supplied.';

create table accounts (
    app varchar,
    account_id varchar,
    username varchar,
    email varchar,
    display_name varchar,
    external_id varchar,
    department varchar,
    job_title varchar,
    manager_worker_id varchar,
    is_active boolean,
    kind varchar default 'human',
    created_at timestamp,
    deactivated_at timestamp,
    last_sign_in_at timestamp,
    last_activity_at timestamp,
    mfa boolean,
    owner_worker_id varchar,
    origin varchar,
    worker_id varchar,
    match_method varchar default 'none',
    match_confidence varchar default 'none'
);
comment on table accounts is 'Every account that this scan collected, active or not.';
comment on column accounts.app is 'Application.';
comment on column accounts.account_id is 'Id that the application gave it; unique within the application.';
comment on column accounts.username is 'Sign-in name as sent.';
comment on column accounts.email is 'Primary e-mail as sent.';
comment on column accounts.display_name is 'Display name as sent.';
comment on column accounts.external_id is 'externalId as sent.';
comment on column accounts.department is 'Department as sent.';
comment on column accounts.job_title is 'Job title as sent.';
comment on column accounts.manager_worker_id is 'The person whom the application calls the manager, if exactly one answers to it.';
comment on column accounts.is_active is 'Whether it can be used; null if the application did not say.';
comment on column accounts.kind is 'human, service, shared, break_glass, external or unknown. A worker''s account is human unless a register or pattern says otherwise.';
comment on column accounts.created_at is 'When the application created it.';
comment on column accounts.deactivated_at is 'When it was deactivated, where the application says so exactly.';
comment on column accounts.last_sign_in_at is 'Last sign-in that the application reports. null is not "never".';
comment on column accounts.last_activity_at is 'Last other use that the application reports.';
comment on column accounts.mfa is 'Whether a second factor is set up; null if unknown.';
comment on column accounts.owner_worker_id is 'Person who answers for a service, shared or break-glass account.';
comment on column accounts.origin is 'scim, local, jit or import, where the application says; scim_only: its SCIM list shows the account, its own list does not.';
comment on column accounts.worker_id is 'The person it belongs to; set for certain and probable matches only.';
comment on column accounts.match_method is 'link, employee_number, external_id, email, email_alias, username, name or none.';
comment on column accounts.match_confidence is 'certain, probable, suggested, ambiguous or none.';

create table match_candidates (
    app varchar,
    account_id varchar,
    worker_id varchar,
    method varchar
);
comment on table match_candidates is 'People that an ambiguous or unmatched account could belong to.';
comment on column match_candidates.app is 'Application.';
comment on column match_candidates.account_id is 'Account.';
comment on column match_candidates.worker_id is 'Candidate.';
comment on column match_candidates.method is 'The key that names the candidate; `name`, and `username` of an account with a foreign address, are suggestions only.';

create table shared_keys (
    key_kind varchar,
    key varchar,
    workers integer
);
comment on table shared_keys is 'HR keys that two or more people share; they match nobody.';
comment on column shared_keys.key_kind is 'employee_number, person_id, email, email_alias or username.';
comment on column shared_keys.key is 'The key.';
comment on column shared_keys.workers is 'How many people share it.';

create table entitlements (
    app varchar,
    entitlement varchar,
    name varchar,
    kind varchar default 'group',
    is_privileged boolean,
    functions varchar[]
);
comment on table entitlements is 'Groups, roles and licences of each application.';
comment on column entitlements.app is 'Application.';
comment on column entitlements.entitlement is 'group:<id>, role:<value> or entitlement:<value>.';
comment on column entitlements.name is 'Name for people.';
comment on column entitlements.kind is 'group, role or entitlement.';
comment on column entitlements.is_privileged is 'By the policy input privileged_entitlements, or by the catalogue of the application; null if neither was supplied.';
comment on column entitlements.functions is 'Business functions it gives, by policy; null if not supplied.';

create table grants (
    app varchar,
    account_id varchar,
    entitlement varchar,
    path varchar default 'direct',
    is_privileged boolean,
    granted_at timestamp,
    granted_by varchar,
    approved_by varchar,
    expires_at timestamp,
    granted_by_worker_id varchar,
    approved_by_worker_id varchar
);
comment on table grants is 'Which account holds which entitlement.';
comment on column grants.app is 'Application.';
comment on column grants.account_id is 'Account.';
comment on column grants.entitlement is 'Entitlement.';
comment on column grants.path is 'direct, group (given by a group) or nested (through a group within a group).';
comment on column grants.is_privileged is 'That of the entitlement.';
comment on column grants.granted_at is 'When it was granted, by the policy input grant_approvals.';
comment on column grants.granted_by is 'Who granted it, as written there.';
comment on column grants.approved_by is 'Who approved it, as written there.';
comment on column grants.expires_at is 'When it ends by itself.';
comment on column grants.granted_by_worker_id is 'The person who granted it, if exactly one answers to granted_by.';
comment on column grants.approved_by_worker_id is 'The person who approved it, if exactly one answers to approved_by.';

create table account_history (
    app varchar,
    account_id varchar,
    is_active boolean,
    worker_id varchar,
    first_seen_at timestamp,
    last_seen_at timestamp,
    ended_at timestamp,
    ended_by varchar
);
comment on table account_history is 'Versions of each account over all scans of this store, this scan included.';
comment on column account_history.app is 'Application.';
comment on column account_history.account_id is 'Account.';
comment on column account_history.is_active is 'State during this version.';
comment on column account_history.worker_id is 'Person it was matched to during this version.';
comment on column account_history.first_seen_at is 'as_of of the first scan that showed this version.';
comment on column account_history.last_seen_at is 'as_of of the last complete scan of the application that showed it.';
comment on column account_history.ended_at is 'as_of of the scan that showed something else; null while it stands.';
comment on column account_history.ended_by is 'changed, absent or erased (on request of the person); null while it stands.';

create table grant_history (
    app varchar,
    account_id varchar,
    entitlement varchar,
    path varchar,
    first_seen_at timestamp,
    ended_at timestamp,
    ended_by varchar
);
comment on table grant_history is 'Versions of each grant over all scans of this store.';
comment on column grant_history.app is 'Application.';
comment on column grant_history.account_id is 'Account.';
comment on column grant_history.entitlement is 'Entitlement.';
comment on column grant_history.path is 'direct, group or nested.';
comment on column grant_history.first_seen_at is 'as_of of the first scan that showed it.';
comment on column grant_history.ended_at is 'as_of of the first complete scan without it; null while it stands.';
comment on column grant_history.ended_by is 'changed, absent or erased; null while it stands.';

create table worker_history (
    worker_id varchar,
    status varchar,
    department varchar,
    job_title varchar,
    manager_id varchar,
    terminated_at timestamp,
    first_seen_at timestamp,
    ended_at timestamp,
    ended_by varchar
);
comment on table worker_history is 'Versions of each person over all scans of this store.';
comment on column worker_history.worker_id is 'The person.';
comment on column worker_history.status is 'Status during this version.';
comment on column worker_history.department is 'Department.';
comment on column worker_history.job_title is 'Job title.';
comment on column worker_history.manager_id is 'Manager.';
comment on column worker_history.terminated_at is 'End of work as known then.';
comment on column worker_history.first_seen_at is 'as_of of the first scan that showed it.';
comment on column worker_history.ended_at is 'as_of of the scan that showed something else.';
comment on column worker_history.ended_by is 'changed or absent.';

create table sign_ins (
    app varchar,
    account_id varchar,
    signed_in_at timestamp,
    interactive boolean
);
comment on table sign_ins is 'Single sign-in events, by the policy input sign_ins or an identity provider; of the latter one an hour for each account.';
comment on column sign_ins.app is 'Application.';
comment on column sign_ins.account_id is 'Account.';
comment on column sign_ins.signed_in_at is 'When.';
comment on column sign_ins.interactive is 'By a person at a screen; null if unknown.';

create table sources (
    source_id varchar,
    kind varchar,
    type varchar,
    verdict varchar default 'complete',
    stated bigint,
    collected bigint default 0,
    duplicates bigint default 0,
    rejected bigint default 0,
    coverage varchar default 'all',
    detail varchar,
    started_at timestamp,
    finished_at timestamp,
    pages integer,
    query varchar,
    sha256 varchar,
    previous_collected bigint,
    last_complete_at timestamp
);
comment on table sources is 'One row per roster and connected application: the completeness of this scan.';
comment on column sources.source_id is 'Roster id or application id.';
comment on column sources.kind is 'roster or application.';
comment on column sources.type is 'scim, scim_file, csv, database, ldap, rest ..., as the configuration calls it.';
comment on column sources.verdict is 'complete, drift, short, capped, failed or unknown.';
comment on column sources.stated is 'Rows that the source said it has; null if it did not say.';
comment on column sources.collected is 'Distinct rows read.';
comment on column sources.duplicates is 'Rows read again under an id already seen.';
comment on column sources.rejected is 'Rows that could not be used.';
comment on column sources.coverage is 'Which accounts the list can show.';
comment on column sources.detail is 'Why it is not complete.';
comment on column sources.started_at is 'Start of the collection.';
comment on column sources.finished_at is 'End of the collection.';
comment on column sources.pages is 'Pages read.';
comment on column sources.query is 'What was asked.';
comment on column sources.sha256 is 'Of the raw bytes, in the order read.';
comment on column sources.previous_collected is 'Rows of the last complete scan before this one; null if there was none.';
comment on column sources.last_complete_at is 'as_of of the last complete scan, this one included; null if there was none.';

create table policy_inputs (
    name varchar,
    sha256 varchar,
    entries bigint,
    approved_by varchar,
    approved_at timestamp,
    needs_approval boolean default false,
    unmatched bigint
);
comment on table policy_inputs is 'Policy files that were supplied, and lists that an identity provider supplied in their place. A rule that needs another one is unable to test.';
comment on column policy_inputs.name is 'privileged_entitlements, service_register, approved_domains ...';
comment on column policy_inputs.sha256 is 'Of the file, or of what an identity provider said.';
comment on column policy_inputs.entries is 'Entries in the file.';
comment on column policy_inputs.approved_by is 'Who approved it, where the file says so.';
comment on column policy_inputs.approved_at is 'From when it is approved.';
comment on column policy_inputs.needs_approval is 'Whether nothing may be judged by it before it is approved.';
comment on column policy_inputs.unmatched is 'Rows that name no account or person of this scan, for lists from other systems.';

create table service_register (
    app varchar,
    account_id varchar,
    kind varchar,
    owner varchar,
    owner_worker_id varchar,
    attested_at timestamp,
    purpose varchar,
    interactive boolean
);
comment on table service_register is 'Registered service, shared and break-glass accounts that this scan found.';
comment on column service_register.app is 'Application.';
comment on column service_register.account_id is 'Account.';
comment on column service_register.kind is 'service, shared or break_glass.';
comment on column service_register.owner is 'Owner as written in the register.';
comment on column service_register.owner_worker_id is 'The owner, if exactly one person answers to it.';
comment on column service_register.attested_at is 'When the owner last confirmed it.';
comment on column service_register.purpose is 'What it is for.';
comment on column service_register.interactive is 'Whether people may sign in with it at a screen; null if the register does not say.';

create table approved_domains (
    domain varchar,
    source varchar,
    reason varchar
);
comment on table approved_domains is 'E-mail domains that accounts may have.';
comment on column approved_domains.domain is 'Lower case.';
comment on column approved_domains.source is 'organization or policy.';
comment on column approved_domains.reason is 'Why a foreign domain is approved.';

create table role_policy (
    app varchar,
    entitlement varchar,
    department varchar,
    job_title varchar,
    is_birthright boolean default false,
    may_be_direct boolean default false
);
comment on table role_policy is 'Who may hold which entitlement. An entitlement without a row is not governed by the policy.';
comment on column role_policy.app is 'Application.';
comment on column role_policy.entitlement is 'Entitlement.';
comment on column role_policy.department is 'Pattern over departments (glob, lower case); * stands for all.';
comment on column role_policy.job_title is 'Pattern over job titles (glob, lower case); * stands for all.';
comment on column role_policy.is_birthright is 'Given with the job, without a request of its own.';
comment on column role_policy.may_be_direct is 'May be given without a group, where others may not.';

create table duty_conflicts (
    conflict varchar,
    function_a varchar,
    function_b varchar,
    risk varchar,
    compensating_control varchar
);
comment on table duty_conflicts is 'Functions that no one person may hold together; entitlements.functions says what gives them.';
comment on column duty_conflicts.conflict is '<function_a>/<function_b>.';
comment on column duty_conflicts.function_a is 'One function, the first by name.';
comment on column duty_conflicts.function_b is 'The other function.';
comment on column duty_conflicts.risk is 'What one person could do with both.';
comment on column duty_conflicts.compensating_control is 'What limits the risk; it does not end the conflict.';

create table idp_assignments (
    app varchar,
    worker_id varchar,
    assigned_at timestamp
);
comment on table idp_assignments is 'Which people the identity provider lets into which application.';
comment on column idp_assignments.app is 'Application.';
comment on column idp_assignments.worker_id is 'The person.';
comment on column idp_assignments.assigned_at is 'When.';

create table review_items (
    campaign varchar,
    app varchar,
    account_id varchar,
    entitlement varchar,
    reviewer varchar,
    reviewer_worker_id varchar,
    decision varchar,
    decided_at timestamp
);
comment on table review_items is 'Results of access reviews, one decision a row.';
comment on column review_items.campaign is 'Name of the review.';
comment on column review_items.app is 'Application.';
comment on column review_items.account_id is 'Account; as written, if this scan does not know it.';
comment on column review_items.entitlement is 'Entitlement; null for the account as a whole.';
comment on column review_items.reviewer is 'Who decides, as written.';
comment on column review_items.reviewer_worker_id is 'The person, if exactly one answers to it.';
comment on column review_items.decision is 'keep, revoke or undecided.';
comment on column review_items.decided_at is 'When it was decided.';

create table erasure_schedule (
    app varchar,
    keep_days integer,
    basis varchar
);
comment on table erasure_schedule is 'How long an application may keep the account of a person who left.';
comment on column erasure_schedule.app is 'Application.';
comment on column erasure_schedule.keep_days is 'Days after the end of work; null: as the parameter of the rule says.';
comment on column erasure_schedule.basis is 'The law or the policy that says so.';

create table legal_holds (
    worker_id varchar,
    worker varchar,
    reason varchar
);
comment on table legal_holds is 'People whose data must not be erased for now.';
comment on column legal_holds.worker_id is 'The person, if exactly one answers to it.';
comment on column legal_holds.worker is 'As written.';
comment on column legal_holds.reason is 'Reference of the matter.';

create table suppressions (
    kind varchar,
    entries bigint,
    previous_entries bigint
);
comment on table suppressions is 'Everything that can keep a finding from being raised, counted.';
comment on column suppressions.kind is 'links, service_register, kind_patterns, approved_domains, role_policy, birthrights, separate_admin_accounts, interactive_services, retentions, legal_holds, mfa_overrides, disabled_rules, changed_parameters.';
comment on column suppressions.entries is 'How many there are now.';
comment on column suppressions.previous_entries is 'How many there were in the scan before; null on a baseline.';

-- Populations. excluded_because is null for a row that is tested; other rows are counted as excluded.

create view active_accounts as
select
    app, account_id, username, email, display_name, external_id, is_active, kind, created_at, deactivated_at,
    last_sign_in_at, last_activity_at, mfa, owner_worker_id, origin, worker_id, match_method, match_confidence,
    null::varchar as excluded_because
from accounts
where is_active is distinct from false;
comment on view active_accounts is 'Accounts that can be used, or of which the application does not say.';

create view human_accounts as
select
    app, account_id, username, email, display_name, external_id, is_active, kind, created_at, deactivated_at,
    last_sign_in_at, last_activity_at, mfa, owner_worker_id, origin, worker_id, match_method, match_confidence,
    case when kind in ('service', 'shared', 'break_glass', 'external') then kind end as excluded_because
from accounts
where is_active is distinct from false;
comment on view human_accounts is 'Active accounts; registered service, shared, break-glass and external ones are excluded and counted.';

create view service_accounts as
select
    app, account_id, username, email, display_name, external_id, is_active, kind, created_at, deactivated_at,
    last_sign_in_at, last_activity_at, mfa, owner_worker_id, origin, worker_id, match_method, match_confidence,
    null::varchar as excluded_because
from accounts
where is_active is distinct from false
    and kind in ('service', 'shared', 'break_glass');
comment on view service_accounts is 'Active service, shared and break-glass accounts.';

create view inactive_accounts as
select
    app, account_id, username, email, display_name, external_id, is_active, kind, created_at, deactivated_at,
    last_sign_in_at, last_activity_at, mfa, owner_worker_id, origin, worker_id, match_method, match_confidence,
    null::varchar as excluded_because
from accounts
where is_active = false;
comment on view inactive_accounts is 'Accounts that the application calls inactive.';

create view matched_accounts as
select
    app, account_id, username, email, display_name, external_id, department, job_title, manager_worker_id, is_active,
    kind, created_at, deactivated_at, last_sign_in_at, last_activity_at, mfa, owner_worker_id, origin, worker_id,
    match_method, match_confidence,
    null::varchar as excluded_because
from accounts
where match_confidence in ('certain', 'probable');
comment on view matched_accounts is 'Accounts, active or not, that belong to a known person.';

create view claimed_accounts as
with sole as (
    select app, account_id, min(worker_id) as worker_id
    from match_candidates
    group by app, account_id
    having count(distinct worker_id) = 1
)
select app, account_id, username, is_active, created_at, worker_id, match_method, match_confidence, excluded_because
from matched_accounts
union all
select a.app, a.account_id, a.username, a.is_active, a.created_at, s.worker_id, a.match_method, a.match_confidence, null
from accounts a
join sole s on s.app = a.app and s.account_id = a.account_id
where a.match_confidence = 'ambiguous';
comment on view claimed_accounts is 'Accounts whose keys name one person: the matched ones, and those that are older than the person and so given to nobody.';

create view leavers as
select
    worker_id, employee_numbers, full_name, email, status, worker_type, hired_at, terminated_at,
    termination_recorded_at, contract_ends_at, department, job_title, manager_id, last_seen_at,
    null::varchar as excluded_because
from workers
where status = 'terminated';
comment on view leavers is 'People whose work has ended.';

create view leaver_accounts as
select
    a.app, a.account_id, a.username, a.email, a.is_active, a.kind, a.deactivated_at, a.last_sign_in_at,
    a.last_activity_at, a.match_confidence, a.worker_id, w.status as worker_status, w.terminated_at,
    w.termination_recorded_at, w.last_seen_at, w.manager_id,
    null::varchar as excluded_because
from accounts a
join workers w on w.worker_id = a.worker_id
where a.match_confidence in ('certain', 'probable')
    and w.status in ('terminated', 'vanished');
comment on view leaver_accounts is 'Accounts, active or not, of people whose work has ended or who vanished from HR.';

create view contractors as
select
    worker_id, full_name, status, worker_type, hired_at, terminated_at, contract_ends_at, manager_id,
    null::varchar as excluded_because
from workers
where worker_type in ('contractor', 'vendor', 'intern', 'external');
comment on view contractors is 'People who are not employees.';

create view contractor_accounts as
select
    a.app, a.account_id, a.username, a.is_active, a.kind, a.last_sign_in_at, a.worker_id, w.status as worker_status,
    w.worker_type, w.contract_ends_at, w.terminated_at, w.manager_id,
    null::varchar as excluded_because
from accounts a
join contractors w on w.worker_id = a.worker_id
where a.match_confidence in ('certain', 'probable')
    and a.is_active is distinct from false;
comment on view contractor_accounts is 'Active accounts of contractors, vendors, interns and externals.';

create view privileged_grants as
select
    g.app, g.account_id, g.entitlement, g.path, g.granted_at, g.granted_by, g.approved_by, g.expires_at,
    a.is_active, a.kind, a.worker_id, a.match_confidence, g.granted_by_worker_id, g.approved_by_worker_id,
    null::varchar as excluded_because
from grants g
join accounts a on a.app = g.app and a.account_id = g.account_id
where g.is_privileged;
comment on view privileged_grants is 'Grants of privileged entitlements, with the account that holds them.';

create view privilege_holders as
select distinct app, account_id
from grants
where is_privileged;
comment on view privilege_holders is 'Accounts, active or not, that hold a privileged entitlement.';

create view privileged_accounts as
select
    a.app, a.account_id, a.username, a.is_active, a.kind, a.mfa, a.last_sign_in_at, a.worker_id, a.match_confidence,
    case when a.kind in ('service', 'shared', 'break_glass') then a.kind end as excluded_because
from accounts a
semi join privilege_holders p on p.app = a.app and p.account_id = a.account_id
where a.is_active is distinct from false;
comment on view privileged_accounts is 'Active accounts that hold a privileged entitlement; service, shared and break-glass ones are excluded and counted.';

create view sign_in_accounts as
with reporting as (
    select app
    from accounts
    where is_active
    group by app
    -- Where hardly anybody has a last sign-in, the application does not keep it.
    having count(last_sign_in_at) * 2 >= count(*)
)
select
    h.app, h.account_id, h.username, h.is_active, h.kind, h.created_at, h.last_sign_in_at, h.last_activity_at,
    h.worker_id, r.app is not null or null as sign_ins_reported,
    h.excluded_because
from human_accounts h
left join reporting r on r.app = h.app;
comment on view sign_in_accounts is 'Human accounts; sign_ins_reported is null in applications that report a last sign-in of fewer than half of theirs.';

create view federated_accounts as
select
    h.app, h.account_id, h.username, h.is_active, h.kind, h.origin, h.created_at, h.worker_id, h.match_confidence,
    case
        when h.origin in ('local', 'scim_only') then false
        -- A list that does not speak of the application says nothing about its people.
        when c.app is not null and h.worker_id is not null then i.worker_id is not null
    end as idp_assigned,
    h.excluded_because
from human_accounts h
join applications p on p.app = h.app
left join (select distinct app from idp_assignments) c on c.app = h.app
left join (select distinct app, worker_id from idp_assignments) i on i.app = h.app and i.worker_id = h.worker_id
where p.sso
    and not p.identity_provider;
comment on view federated_accounts is 'Human accounts of applications that people enter through the identity provider; idp_assigned is null where idp_assignments do not speak of the application, or nobody is known to own the account.';

create view idp_people as
with held as (
    select
        a.worker_id,
        a.is_active,
        case
            when a.is_active then null
            else coalesce(
                a.deactivated_at,
                -- Seen active before, so that the first scan that saw it closed bounds the time.
                (select max(h.first_seen_at) from account_history h
                where h.app = a.app and h.account_id = a.account_id and h.is_active = false
                having count(*) > 0 and max(h.first_seen_at) > (select min(first_seen_at) from account_history))
            )
        end as closed_at
    from accounts a
    join applications p on p.app = a.app
    where p.identity_provider
        and a.match_confidence in ('certain', 'probable')
)
select
    worker_id,
    case
        when bool_or(is_active) then true
        when bool_and(is_active is not null) then false
    end as idp_active,
    max(closed_at) as idp_closed_at
from held
group by worker_id;
comment on view idp_people is 'People with an account in the identity provider, and whether one of theirs is active there.';

create view accounts_below_idp as
select
    a.app, a.account_id, a.username, a.is_active, a.kind, a.worker_id, a.match_confidence, i.idp_active,
    i.idp_closed_at,
    null::varchar as excluded_because
from accounts a
join applications p on p.app = a.app
left join idp_people i on i.worker_id = a.worker_id
where not p.identity_provider
    and a.is_active is distinct from false
    and a.match_confidence in ('certain', 'probable');
comment on view accounts_below_idp is 'Active accounts of known people outside the identity provider; idp_active is null for who has no account there.';

create view present_workers as
select
    worker_id, employee_numbers, full_name, email, status, worker_type, hired_at, terminated_at, department, job_title,
    manager_id,
    null::varchar as excluded_because
from workers
where status in ('active', 'on_leave', 'pre_hire');
comment on view present_workers is 'People at work, on leave or about to start.';

create view upcoming_leavers as
select
    w.worker_id, w.status, w.worker_type, w.terminated_at, w.department, w.job_title, w.manager_id,
    null::varchar as excluded_because
from workers w
cross join settings s
where w.status in ('active', 'on_leave', 'pre_hire')
    and w.terminated_at > s.as_of;
comment on view upcoming_leavers is 'People whose end of work is known and lies ahead.';

create view movers as
with several as (
    select worker_id
    from worker_history
    group by worker_id
    having count(*) > 1
),
steps as (
    select
        h.worker_id,
        h.department,
        h.job_title,
        h.first_seen_at,
        lag(h.department) over w as old_department,
        lag(h.job_title) over w as old_job_title
    from worker_history h
    semi join several s on s.worker_id = h.worker_id
    window w as (partition by h.worker_id order by h.first_seen_at)
),
moves as (
    select *
    from steps
    where department <> old_department or job_title <> old_job_title
    qualify row_number() over (partition by worker_id order by first_seen_at desc) = 1
),
renames as (
    -- A department that three or more leave together, for one other, with their jobs, and that is empty after it.
    select old_department, department, first_seen_at
    from moves
    where department <> old_department
        and job_title is not distinct from old_job_title
        and old_department not in (
            select department from workers where status in ('active', 'on_leave') and department is not null
        )
    group by old_department, department, first_seen_at
    having count(*) >= 3
)
select
    m.worker_id,
    w.status,
    m.old_department,
    m.old_job_title,
    w.department,
    w.job_title,
    m.first_seen_at as moved_at,
    case when r.department is not null and m.job_title is not distinct from m.old_job_title then 'department renamed' end
        as excluded_because
from moves m
join workers w on w.worker_id = m.worker_id
left join renames r
    on r.old_department = m.old_department and r.department = m.department and r.first_seen_at = m.first_seen_at
where w.status in ('active', 'on_leave');
comment on view movers is 'People whose department or job title has changed since the first scan; moved_at is the scan that showed it. Renamed departments are excluded and counted.';

create view rehired_accounts as
with rehires as (
    -- A second job that ended is no departure: the person must have been away in between.
    select e.worker_id, max(e.terminated_at) as left_at, any_value(w.hired_at) as rehired_at
    from employments e
    join workers w on w.worker_id = e.worker_id
    where e.terminated_at < w.hired_at
        and w.status in ('active', 'on_leave', 'pre_hire')
    group by e.worker_id
)
select
    a.app, a.account_id, a.username, a.is_active, a.kind, a.created_at, a.worker_id, a.match_confidence, r.left_at,
    r.rehired_at,
    null::varchar as excluded_because
from accounts a
join rehires r on r.worker_id = a.worker_id
where a.match_confidence in ('certain', 'probable')
    and a.is_active is distinct from false;
comment on view rehired_accounts is 'Active accounts of people who left and came back.';

create view duty_holdings as
with giving as (
    select app, entitlement, unnest(functions) as function
    from entitlements
    where len(functions) > 0
)
select
    g.app,
    g.account_id,
    any_value(a.username) as username,
    any_value(a.is_active) as is_active,
    any_value(a.worker_id) as worker_id,
    any_value(a.match_confidence) as match_confidence,
    f.function,
    min(g.entitlement) as entitlement,
    null::varchar as excluded_because
from giving f
join grants g on g.app = f.app and g.entitlement = f.entitlement
join accounts a on a.app = g.app and a.account_id = g.account_id
where a.is_active is distinct from false
group by g.app, g.account_id, f.function;
comment on view duty_holdings is 'Which active account gives which business function, by the policy input duty_conflicts.';

create view duty_people as
select
    worker_id,
    count(distinct function) as functions,
    null::varchar as excluded_because
from duty_holdings
where worker_id is not null
group by worker_id;
comment on view duty_people is 'People who hold at least one business function.';

create view groups_only_grants as
select
    g.app, g.account_id, g.entitlement, g.path, e.kind as entitlement_kind, a.username, a.is_active, a.worker_id,
    case when a.kind in ('service', 'break_glass') then a.kind end as excluded_because
from grants g
join applications p on p.app = g.app and p.groups_only
join accounts a on a.app = g.app and a.account_id = g.account_id
join entitlements e on e.app = g.app and e.entitlement = g.entitlement
where a.is_active is distinct from false;
comment on view groups_only_grants is 'Grants in applications whose policy is to give access by groups only; service and break-glass accounts are excluded and counted.';

create view revocations as
select
    campaign, app, account_id, entitlement, reviewer_worker_id, decided_at,
    null::varchar as excluded_because
from review_items
where decision = 'revoke';
comment on view revocations is 'Items of access reviews that were decided against.';

create view connected_applications as
select
    app, name, owner, data, type, profile, coverage, sso, verdict, collected_at, unconnected_reason,
    null::varchar as excluded_because
from applications
where type <> 'none';
comment on view connected_applications is 'Applications that orphanscan collects.';

create view known_applications as
select
    app, name, owner, data, type, profile, coverage, sso, verdict, collected_at, unconnected_reason,
    null::varchar as excluded_because
from applications;
comment on view known_applications is 'All known applications, connected or not.';

create view all_sources as
select
    source_id, kind, type, verdict, stated, collected, duplicates, rejected, coverage, detail,
    previous_collected, last_complete_at,
    case when kind = 'application' then source_id end as app,
    null::varchar as excluded_because
from sources;
comment on view all_sources is 'Every collection of this scan; app is null for a roster.';

create view rosters as
select
    source_id, type, verdict, stated, collected, duplicates, rejected, detail, previous_collected, last_complete_at,
    null::varchar as excluded_because
from sources
where kind = 'roster';
comment on view rosters is 'The rosters of this scan.';

-- The ledger, first direction (applications -> HR): each account falls into exactly one bucket.
create view account_buckets as
select
    a.app,
    a.account_id,
    case
        when a.is_active = false then 'inactive'
        when w.status = 'terminated' then 'matched_leaver'
        when a.match_confidence = 'ambiguous' then 'ambiguous'
        when a.kind = 'break_glass' then 'break_glass'
        when a.kind = 'service' then 'service'
        when a.kind = 'shared' then 'shared'
        when w.status = 'on_leave' then 'matched_on_leave'
        when w.status = 'pre_hire' then 'matched_pre_hire'
        when w.status = 'vanished' then 'matched_vanished'
        when w.status = 'active' then 'matched_active_worker'
        when a.kind = 'external' then 'external'
        when s.roster_complete then 'unmatched'
        else 'undetermined'
    end as bucket
from accounts a
cross join settings s
left join workers w on w.worker_id = a.worker_id and a.match_confidence in ('certain', 'probable');
comment on view account_buckets is 'The one bucket of each account in the ledger.';

-- The ledger, second direction (HR -> applications): each leaver has one outcome in each application.
create view leaver_closures as
with known as (
    -- Accounts of leavers; one that a complete list no longer shows was deleted, which closes it too.
    select a.app, a.account_id, a.username, a.worker_id, a.is_active, a.deactivated_at, null::timestamp as gone_at,
        a.match_confidence
    from accounts a
    join leavers l on l.worker_id = a.worker_id
    where a.match_confidence in ('certain', 'probable')
    union all
    select h.app, h.account_id, null, h.worker_id, false, null, h.ended_at, null
    from account_history h
    join leavers l on l.worker_id = h.worker_id
    where h.ended_by = 'absent'
        and not exists (
            select 1
            from accounts a
            where a.app = h.app and a.account_id = h.account_id
        )
    qualify row_number() over (partition by h.app, h.account_id order by h.ended_at desc) = 1
),
last_active as (
    select
        k.app,
        k.account_id,
        max(h.last_seen_at) as seen_at,
        max(h.first_seen_at) as since
    from known k
    join account_history h on h.app = k.app and h.account_id = k.account_id
    where h.is_active
    group by k.app, k.account_id
),
first_inactive as (
    -- A change of name while inactive makes a new version, but closes nothing again: the stretch counts.
    select
        k.app,
        k.account_id,
        min(h.first_seen_at) as seen_at
    from known k
    join account_history h on h.app = k.app and h.account_id = k.account_id
    left join last_active v on v.app = k.app and v.account_id = k.account_id
    where h.is_active = false
        and (v.since is null or h.first_seen_at > v.since)
    group by k.app, k.account_id
),
privileged as (
    -- A closed account may have lost its rights with it: those that it held when work ended count.
    select k.app, k.account_id
    from known k
    join grants g on g.app = k.app and g.account_id = k.account_id
    where g.is_privileged
    union
    select k.app, k.account_id
    from known k
    join leavers l on l.worker_id = k.worker_id
    join grant_history h on h.app = k.app and h.account_id = k.account_id
    join entitlements e on e.app = h.app and e.entitlement = h.entitlement
    where e.is_privileged
        and (h.ended_at is null or h.ended_at > l.terminated_at)
),
held as (
    select
        k.app,
        k.account_id,
        k.username,
        k.worker_id,
        k.is_active,
        k.match_confidence,
        l.terminated_at,
        l.termination_recorded_at,
        p.account_id is not null as is_privileged,
        l.terminated_at
            + to_hours(if(p.account_id is null, s.offboarding_hours, s.privileged_offboarding_hours)) as due_at,
        v.seen_at as seen_active_at,
        k.deactivated_at,
        coalesce(i.seen_at, k.gone_at) as seen_closed_at,
        s.as_of
    from known k
    join leavers l on l.worker_id = k.worker_id
    cross join settings s
    left join last_active v on v.app = k.app and v.account_id = k.account_id
    left join first_inactive i on i.app = k.app and i.account_id = k.account_id
    left join privileged p on p.app = k.app and p.account_id = k.account_id
)
select
    app,
    account_id,
    username,
    worker_id,
    is_active,
    match_confidence,
    terminated_at,
    termination_recorded_at,
    is_privileged,
    due_at,
    case when is_active is distinct from false then null when deactivated_at is null then seen_active_at end
        as closed_after,
    case when is_active is distinct from false then null else coalesce(deactivated_at, seen_closed_at, as_of) end
        as closed_by,
    case
        when is_active is distinct from false then null
        when deactivated_at is not null then 'exact'
        else 'bounded'
    end as basis,
    case
        when is_active and (due_at is null or as_of > due_at) then 'open'
        when is_active then 'not_due'
        when is_active is null then 'cannot_tell'
        when due_at is null then 'cannot_tell'
        when deactivated_at is not null then if(deactivated_at <= due_at, 'closed_in_time', 'closed_late')
        when coalesce(seen_closed_at, as_of) <= due_at then 'closed_in_time'
        when seen_active_at > due_at then 'closed_late'
        else 'cannot_tell'
    end as outcome,
    case when is_active is distinct from false then 'not closed' end as excluded_because
from held;
comment on view leaver_closures is 'When each account of a leaver was closed: exactly, or between two scans (closed_after, closed_by]. Open ones are excluded and counted.';

create view leaver_outcomes as
with worst as (
    select
        worker_id,
        app,
        case
            when bool_or(outcome = 'open') then 'open'
            when bool_or(outcome = 'closed_late') then 'closed_late'
            when bool_or(outcome = 'cannot_tell') then 'cannot_tell'
            when bool_or(outcome = 'not_due') then 'not_due'
            else 'closed_in_time'
        end as outcome
    from leaver_closures
    group by worker_id, app
)
select
    l.worker_id,
    p.app,
    case
        when o.outcome = 'open' then 'open'
        when o.outcome = 'closed_late' then 'closed_late'
        when p.verdict is distinct from 'complete' then 'cannot_tell'
        when o.outcome is not null then o.outcome
        when p.coverage <> 'all' then 'cannot_tell'
        when exists (
            select 1
            from match_candidates c
            where c.worker_id = l.worker_id and c.app = p.app and c.method <> 'name'
        ) then 'cannot_tell'
        else 'no_account'
    end as outcome
from leavers l
cross join applications p
left join worst o on o.worker_id = l.worker_id and o.app = p.app;
comment on view leaver_outcomes is 'What became of each leaver''s access in each application; the worst account wins.';
