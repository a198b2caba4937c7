-- Accounts that changed since a waiver about them was granted. Reads the row versions of the store, and the temporary
-- tables asked (waiver_no, app, account_id, granted_by) and this_scan (scan_no); one row for each waiver and account,
-- with the first thing that happened.
with based as (
    -- What was known when it was granted: the last scan by the end of that day, else the first of the store.
    select
        k.waiver_no,
        k.app,
        k.account_id,
        coalesce(
            (select max(c.scan_no) from scans c where c.as_of < k.granted_by),
            (select min(c.scan_no) from scans c)
        ) as base
    from asked k
),
accounts as (
    select
        v.app,
        v.account_id,
        v.is_active,
        v.worker_id,
        v.valid_from_scan,
        v.valid_to_scan,
        lag(v.is_active) over w as was_active,
        lag(v.ended_by) over w as ended_by
    from account_versions v
    semi join asked k on k.app = v.app and k.account_id = v.account_id
    window w as (partition by v.app, v.account_id order by v.valid_from_scan)
),
changes as (
    select b.waiver_no, b.app, b.account_id, a.valid_from_scan as scan_no, 'active' as what
    from based b
    join accounts a on a.app = b.app and a.account_id = b.account_id
    where a.valid_from_scan > b.base
        and a.is_active
        and (a.was_active = false or a.ended_by = 'absent')
    union all
    select b.waiver_no, b.app, b.account_id, a.valid_from_scan, 'person'
    from based b
    join accounts o
        on o.app = b.app
        and o.account_id = b.account_id
        and o.valid_from_scan <= b.base
        and (o.valid_to_scan is null or o.valid_to_scan > b.base)
    join accounts a on a.app = b.app and a.account_id = b.account_id and a.valid_from_scan > b.base
    where a.worker_id <> o.worker_id
    union all
    select b.waiver_no, b.app, b.account_id, g.valid_from_scan, 'privilege'
    from based b
    join grant_versions g on g.app = b.app and g.account_id = b.account_id and g.valid_from_scan > b.base
    join (
        select app, entitlement
        from entitlement_versions
        where valid_from_scan <= (select scan_no from this_scan)
        group by app, entitlement
        having max_by(is_privileged, valid_from_scan)
    ) e on e.app = g.app and e.entitlement = g.entitlement
    where not exists (
        select 1
        from grant_versions h
        where h.app = g.app
            and h.account_id = g.account_id
            and h.entitlement = g.entitlement
            and h.valid_from_scan <= b.base
            and (h.valid_to_scan is null or h.valid_to_scan > b.base)
    )
)
select
    x.waiver_no,
    x.app,
    x.account_id,
    min_by(x.what, (x.scan_no, x.what)) as what,
    min(c.as_of) as at
from changes x
join scans c on c.scan_no = x.scan_no
where x.scan_no <= (select scan_no from this_scan)
group by x.waiver_no, x.app, x.account_id;
