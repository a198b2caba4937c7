select
    a.id,
    a.username as "userName",
    a.display_name as "displayName",
    a.external_id as "externalId",
    a.user_type as "userType",
    a.is_active as active,
    if(a.email is null, null, [{'value': a.email, 'type': 'work', 'primary': 'true'}]) as emails,
    h.roles,
    h.groups,
    h.entitlements,
    a.employee_number,
    a.department,
    a.job_title,
    a.manager,
    a.kind,
    a.owner,
    a.created_at,
    a.deactivated_at,
    a.last_sign_in_at,
    a.last_activity_at,
    a.mfa,
    a.origin
from accounts a
left join held h on h.id = a.id
where not a.names_several
