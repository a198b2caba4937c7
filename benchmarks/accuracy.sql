-- What the matching said beside the truth, on the working database after match.sql; `truth` is attached as a view.
create temp table judged as
select
    t.keys,
    m.match_method::varchar as method,
    m.match_confidence::varchar as confidence,
    case
        when m.match_confidence not in ('certain', 'probable') then m.match_confidence::varchar
        when w.worker_id = t.worker_id then 'right'
        else 'wrong'
    end as outcome,
    t.worker_id is not null as has_owner,
    -- What the rule reused-identity flags, at its default.
    a.created_at < w.first_hired_at - to_days(30) as is_older,
    exists (
        select 1
        from m_candidates c
        join n_workers n on n.worker_no = c.worker_no
        where c.account_no = m.account_no and n.worker_id = t.worker_id
    ) as is_candidate
from m_matches m
join truth t on t.account_no = m.account_no
join n_accounts a on a.account_no = m.account_no
left join n_workers w on w.worker_no = m.worker_no;
