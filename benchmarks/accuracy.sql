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
    -- The keys name one person, wrongly, and the account was given to nobody.
    m.match_confidence = 'ambiguous' and c.people = 1 and not c.has_owner
        or m.match_confidence = 'suggested' and m.match_method = 'username' and not c.has_owner as is_withheld,
    coalesce(c.has_owner, false) as is_candidate
from m_matches m
join truth t on t.account_no = m.account_no
left join n_workers w on w.worker_no = m.worker_no
left join (
    select
        c.account_no,
        count(distinct c.worker_no) as people,
        bool_or(n.worker_id is not distinct from t.worker_id) as has_owner
    from m_candidates c
    join n_workers n on n.worker_no = c.worker_no
    join truth t on t.account_no = c.account_no
    group by c.account_no
) c on c.account_no = m.account_no;
