-- The accounts as n_accounts, m_matches and n_workers show them: the same columns as facts.sql reads from the evidence.
select
    a.app,
    a.account_id,
    a.username,
    a.email,
    a.display_name,
    a.external_id,
    a.is_active,
    m.kind::varchar as kind,
    strftime(a.last_sign_in_at, '%Y-%m-%dT%H:%M:%SZ') as last_sign_in_at,
    strftime(a.last_activity_at, '%Y-%m-%dT%H:%M:%SZ') as last_activity_at,
    m.match_method::varchar as match_method,
    m.match_confidence::varchar as match_confidence,
    w.worker_id,
    w.status as worker_status,
    strftime(w.terminated_at, '%Y-%m-%dT%H:%M:%SZ') as worker_terminated_at,
    w.worker_type,
    strftime(w.hired_at, '%Y-%m-%dT%H:%M:%SZ') as worker_hired_at,
    strftime(w.contract_ends_at, '%Y-%m-%dT%H:%M:%SZ') as worker_contract_ends_at,
    w.department as worker_department,
    w.job_title as worker_job_title,
    w.manager_id as worker_manager_id,
    list_filter(list_concat(coalesce(w.employee_numbers, []), [w.email], coalesce(w.other_emails, [])), lambda k: k is not null)
        as worker_keys,
    (
        select list(distinct g.entitlement order by g.entitlement)
        from n_grants g
        where g.app = a.app and g.account_id = a.account_id
    ) as rights
from n_accounts a
join m_matches m on m.account_no = a.account_no
left join n_workers w on w.worker_no = m.worker_no;
