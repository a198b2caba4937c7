-- Account -> worker: n_workers and n_accounts in, m_matches, m_candidates and m_shared_keys out.
--
-- A `hit` is what one key of an account found: a worker_no (0 or more) where the key names one person, or a negative
-- number that stands for the group of people who share the key. Keys are made unique first, so that one pass of left
-- joins cannot multiply rows. Accounts whose keys all say the same are settled in that pass; the others, few, go the
-- slow way over one row per key. Tiers: 1 link, 2 employee_number, 3 external_id, 4 email, 5 email_alias, 6 username.
--
-- An account is somebody's only if every key of it that HR knows names that one person. A shared key beside a unique
-- one leaves a doubt: otherwise a newcomer who brings both could silently take over the account of another person.
--
-- Two things are evidence against what an address or a user name alone says: the account is older than the person's
-- first employment, so that somebody else had it before; and beside a bare user name, an address of a foreign domain.

-- Letter case is folded, accents and look-alikes are kept. A dotted capital I would fold to a bare i: keep its dot.
-- The plain case comes first: most text is ASCII without a blank.
create or replace temp macro match_trim(x) as if(contains(x, ' '), trim(x), x);
create or replace temp macro match_fold(x) as
    if(strlen(x) = length(x) and not contains(x, ' '), lower(x), lower(replace(nfc_normalize(trim(x)), 'İ', 'i̇')));
create or replace temp macro match_is_word(x) as
    not regexp_matches(x, '(?i)^([^\p{L}\p{N}]|0)*$|^(n/a|na|n\.a\.|none|null|nil|nan|unknown|undefined|tbd)$');
create or replace temp macro match_is_address(x) as
    regexp_matches(x, '^[^@]*[\p{L}\p{N}][^@]*@[^@]*[\p{L}\p{N}][^@]*$')
    and not regexp_matches(
        x, '^(([^@\p{L}\p{N}]|0)+|n/a|na|none|null|nil|nan|unknown)@(([^@\p{L}\p{N}]|0)+|(n/a|na|none|null|nil|nan|unknown)(\.[^@]*)?)$'
    );
create or replace temp macro match_tier(number_hit, external_hit, mail_hit, is_alias, login_hit) as
    case
        when mail_hit is null and number_hit is null and external_hit is null then if(login_hit is null, 8, 6)
        when number_hit is not null then 2
        when external_hit is not null then 3
        when is_alias then 5
        else 4
    end::utinyint;
create or replace temp macro match_agreeing(number_hit, external_hit, mail_hit, login_hit) as
    (number_hit is not null)::utinyint
    + (external_hit is not null)::utinyint
    + (mail_hit is not null)::utinyint
    + (login_hit is not null)::utinyint;
-- As in the rule reused-identity: accounts are often made some weeks before the first day.
create or replace temp macro match_is_older(created_at, first_hired_at) as created_at < first_hired_at - to_days(30);
create or replace temp macro match_before_at(x) as left(x, instr(x, '@') - 1);
create or replace temp macro match_after_at(x) as substr(x, instr(x, '@') + 1);
create or replace temp macro match_without_tag(x) as
    if(contains(x, '+'), regexp_replace(x, '\+[^@]*@', '@'), x);
create or replace temp macro match_address(x, main_domain) as
    if(main_domain is null, match_without_tag(x), match_before_at(match_without_tag(x)) || '@' || main_domain);

create temp table match_domains as
select match_fold(alias) as alias, min(match_fold(domain)) as domain
from domain_aliases
group by match_fold(alias);

-- HR keys. After the update, `hit` is negative where two people share the key; its last two bits tell the table.
-- `hired_at` is the latest first day of those whom the key names.
create temp table match_numbers as
select key, min(worker_no) as hit, max(worker_no) as last_hit
from (select worker_no, trim(unnest(employee_numbers)) as key from n_workers)
where match_is_word(key)
group by key;
update match_numbers set hit = -4 - 4 * rowid where hit <> last_hit;

create temp table match_worker_addresses as
with mail as (
    select worker_no, match_fold(email) as address, true as is_work, first_hired_at as hired_at
    from n_workers
    where contains(email, '@')
    union all
    select worker_no, match_fold(unnest(other_emails)), false, first_hired_at
    from n_workers
    where len(other_emails) > 0
),
folded as (
    select m.worker_no, m.hired_at, m.address, m.is_work, match_address(m.address, d.domain) as main_address
    from mail m
    left join match_domains d on d.alias = match_after_at(m.address)
)
select
    worker_no,
    hired_at,
    if(is_work, address, main_address) as key,
    is_work,
    not is_work or address = main_address as is_alias,
    if(is_work and address <> main_address, main_address, null) as other_key
from folded
where match_is_address(key);

insert into match_worker_addresses
select worker_no, hired_at, other_key, false, true, null
from match_worker_addresses
where match_is_address(other_key);

create temp table match_addresses as
select
    key,
    min(worker_no) filter (is_work) as hit,
    max(worker_no) filter (is_work) as last_hit,
    min(worker_no) filter (is_alias) as alias_hit,
    max(worker_no) filter (is_alias) as last_alias_hit,
    max(hired_at) as hired_at
from match_worker_addresses
group by key;
update match_addresses set hit = -5 - 4 * rowid where hit <> last_hit;
update match_addresses set alias_hit = -6 - 4 * rowid where alias_hit <> last_alias_hit;

create temp table match_locals as
select key, min(worker_no) as hit, max(worker_no) as last_hit, max(hired_at) as hired_at
from (select worker_no, hired_at, match_before_at(key) as key from match_worker_addresses where is_work)
where match_is_word(key)
group by key;
update match_locals set hit = -7 - 4 * rowid where hit <> last_hit;

-- Who stands behind a shared key; `place` orders them without regard to the order of the input.
create temp table match_sharers as
select
    s.key_kind,
    s.key,
    s.hit,
    s.worker_no,
    row_number() over (partition by s.hit order by w.worker_id) as place
from (
    select distinct 'employee_number' as key_kind, n.key, n.hit, w.worker_no
    from (select worker_no, trim(unnest(employee_numbers)) as key from n_workers) w
    join match_numbers n on n.key = w.key and n.hit < 0
    union all
    select distinct 'email', a.key, a.hit, w.worker_no
    from match_worker_addresses w
    join match_addresses a on a.key = w.key and a.hit < 0
    where w.is_work
    union all
    select distinct 'email_alias', a.key, a.alias_hit, w.worker_no
    from match_worker_addresses w
    join match_addresses a on a.key = w.key and a.alias_hit < 0
    where w.is_alias
    union all
    select distinct 'username', l.key, l.hit, w.worker_no
    from match_worker_addresses w
    join match_locals l on l.key = match_before_at(w.key) and l.hit < 0
    where w.is_work
) s
join n_workers w on w.worker_no = s.worker_no;

-- Reported once, under the strongest kind: people who share an address share its alias and its local part anyway.
insert into m_shared_keys
with counted as (
    select key_kind, key, hit, count(*) as workers
    from match_sharers
    group by key_kind, key, hit
)
select c.key_kind, c.key, c.workers
from counted c
left join counted e on e.key_kind = 'email' and c.key_kind = 'email_alias' and e.key = c.key and e.workers = c.workers
left join (
    select match_before_at(key) as key, max(workers) as workers
    from counted
    where key_kind = 'email'
    group by match_before_at(key)
) u on c.key_kind = 'username' and u.key = c.key and u.workers = c.workers
where e.key is null and u.key is null;

-- A user name that only repeats the local part of the account's own address says nothing new. In a company with
-- several domains it would point at the namesake: jo@acme.example is not jo@acme-labs.example.
create temp table match_own_domains as
select match_after_at(key) as domain
from match_worker_addresses
where is_work
union
select match_fold(domain)
from approved_domains
where source = 'organization';

-- Every address also has the hit of its main form, so that one look-up says whether the aliases name somebody else.
update match_addresses
set alias_hit = m.alias_hit
from (
    select s.key, m.alias_hit
    from match_addresses s
    left join match_domains d on d.alias = match_after_at(s.key)
    join match_addresses m on m.key = match_address(s.key, d.domain)
    where s.alias_hit is null
) m
where m.key = match_addresses.key;
update match_addresses set hit = alias_hit where hit >= 0 and alias_hit < 0;

drop table match_worker_addresses;

create temp table match_apps as
select (row_number() over ())::usmallint as app_no, a.app, s.external_id
from (select distinct app from n_accounts) a
left join application_settings s on s.app = a.app;

create temp table match_persons as
select worker_id as key, worker_no as hit
from n_workers
where exists (select 1 from match_apps where external_id = 'person_id') and match_is_word(worker_id);

-- The pass over all accounts. What it cannot settle alone is `is_open`: keys that disagree or are shared, no key that
-- anybody has, further addresses to look up, or an account that is older than its person.
create temp table match_first as
with folded as (
    select
        a.account_no,
        p.app_no,
        match_trim(a.employee_number) as number,
        if(p.external_id = 'employee_number', match_trim(a.external_id), null) as number_outside,
        if(p.external_id = 'person_id', match_trim(a.external_id), null) as person_outside,
        match_fold(a.email) as mail,
        -- Most user names are the address once more: that is folded once.
        coalesce(a.username = a.email and contains(a.email, '@'), false) as is_mail,
        if(is_mail, null, match_fold(a.username)) as login,
        len(a.other_emails) > 0 as has_more,
        a.created_at
    from n_accounts a
    join match_apps p on p.app = a.app
),
keyed as (
    select
        account_no,
        app_no,
        number,
        number_outside,
        person_outside,
        case when contains(mail, '@') then mail when contains(login, '@') then login end as address,
        is_mail or contains(mail, '@') and login = mail as is_login_address,
        if(contains(login, '@'), null, login) as local_part,
        has_more,
        created_at,
        contains(mail, '@') and contains(login, '@') and login <> mail as has_login_address
    from folded
),
found as (
    select
        k.account_no,
        k.app_no,
        n.hit as number_hit,
        coalesce(x.hit, w.hit) as external_hit,
        coalesce(e.hit, e.alias_hit) as mail_hit,
        e.hit is null as is_alias,
        if(k.is_login_address, e.hit, l.hit) as login_hit,
        coalesce(k.has_more, false)
            or coalesce(k.has_login_address, false)
            or (k.address is not null and e.hit is null and e.alias_hit is null) as has_more,
        match_is_older(k.created_at, greatest(e.hired_at, l.hired_at)) as is_older
    from keyed k
    left join match_numbers n on n.key = k.number
    left join match_numbers x on x.key = k.number_outside
    left join match_persons w on w.key = k.person_outside
    left join match_addresses e on e.key = k.address
    left join match_locals l on l.key = k.local_part
)
select
    account_no,
    app_no,
    coalesce(
        has_more or is_older or hit < 0 or external_hit <> hit or mail_hit <> hit or login_hit <> hit,
        hit is null
    ) as is_open,
    has_more,
    number_hit,
    external_hit,
    mail_hit,
    is_alias,
    login_hit
from (
    select *, coalesce(number_hit, external_hit, mail_hit, login_hit) as hit
    from found
);

-- Manual links. The account is named by its id or else by its user name; the worker by id, number or address.
create temp table match_links as
select row_number() over () as link_no, app, trim(account_id) as account, trim(worker) as worker
from links;

-- What names an account by its id, a link or a register entry, in one search.
create temp table match_named as
select n.link_no, n.kind, a.account_no
from (
    select link_no, null as kind, app, account
    from match_links
    union all
    select null, kind, app, account_id
    from service_register
    where account_id is not null
) n
join n_accounts a on a.app = n.app and a.account_id = n.account;

create temp table match_link_accounts as
select link_no, account_no
from match_named
where link_no is not null;

create temp table match_links_by_name as
select link_no, app, match_fold(account) as login
from match_links
where link_no not in (select link_no from match_link_accounts);

insert into match_link_accounts
select l.link_no, a.account_no
from match_links_by_name l
join (select account_no, app, match_fold(username) as login from n_accounts) a on a.app = l.app and a.login = l.login;

create temp table match_hits as
select a.account_no, 1::utinyint as tier, r.hit::integer as hit
from match_link_accounts a
join (
    select l.link_no, w.worker_no as hit
    from match_links l
    join n_workers w on w.worker_id = l.worker
    union all
    select l.link_no, n.hit
    from match_links l
    join match_numbers n on n.key = l.worker
    union all
    select l.link_no, coalesce(e.hit, e.alias_hit)
    from match_links l
    join match_addresses e on e.key = match_fold(l.worker)
) r on r.link_no = a.link_no;

update match_first set is_open = true where account_no in (select account_no from match_hits);

create temp table match_open as
select
    account_no,
    app_no,
    has_more,
    number_hit,
    external_hit,
    mail_hit,
    is_alias,
    if(is_repeat, null, login_hit) as login_hit,
    coalesce(number_hit, external_hit, mail_hit, if(is_repeat, null, login_hit)) as hit,
    mail,
    login,
    other_emails,
    display_name,
    created_at
from (
    select
        *,
        login_hit is distinct from mail_hit
            and login = match_before_at(mail)
            and match_after_at(mail) in (select domain from match_own_domains) as is_repeat
    from (
        select
            f.*,
            match_fold(a.email) as mail,
            match_fold(a.username) as login,
            a.other_emails,
            a.created_at,
            if(coalesce(f.number_hit, f.external_hit, f.mail_hit) is null, a.display_name, null) as display_name
        from match_first f
        join n_accounts a on a.account_no = f.account_no
        where f.is_open
    )
);

-- The further addresses of the accounts that have some; an alias that repeats what the address says adds nothing.
insert into match_hits
with addresses as (
    select account_no, 5 as tier, if(contains(mail, '@'), mail, login) as address, mail_hit
    from match_open
    where has_more and mail_hit is null
    union all
    select account_no, 5, match_fold(unnest(other_emails)), mail_hit
    from match_open
    where has_more and len(other_emails) > 0
    union all
    select account_no, 6, login, null
    from match_open
    where has_more and contains(mail, '@') and contains(login, '@') and login <> mail
),
folded as (
    select s.account_no, s.tier, if(s.tier = 6, s.address, match_address(s.address, d.domain)) as key, s.mail_hit
    from addresses s
    left join match_domains d on d.alias = match_after_at(s.address)
    where contains(s.address, '@')
)
select f.account_no, f.tier, if(f.tier = 6, e.hit, e.alias_hit) as hit
from folded f
join match_addresses e on e.key = f.key
where if(f.tier = 6, e.hit, e.alias_hit) is not null and e.alias_hit is distinct from f.mail_hit;

-- One row per key of the accounts that the pass did not settle. Of a linked account, the link is all that counts.
create temp table match_keys as
select account_no, tier, hit
from match_hits
union all
select account_no, tier, hit
from (
    select
        account_no,
        unnest([2, 3, if(is_alias, 5, 4), 6])::utinyint as tier,
        unnest([number_hit, external_hit, mail_hit, login_hit]) as hit
    from match_open
    where account_no in (select account_no from match_hits)
        or hit < 0
        or least(number_hit, external_hit, mail_hit, login_hit) <> greatest(number_hit, external_hit, mail_hit, login_hit)
        or least(number_hit, external_hit, mail_hit, login_hit) < 0
)
where hit is not null;

delete from match_keys
where tier > 1 and account_no in (select account_no from match_hits where tier = 1);

create temp table match_decided as
select
    account_no,
    if(min(hit) >= 0 and min(hit) = max(hit), min(hit), null) as worker_no,
    min(tier) as tier,
    bit_count(bit_or(1 << if(tier = 5, 4, tier)))::utinyint as agreeing
from match_keys
group by account_no;

-- A key that very many people share is no key of a person: a hundred candidates of each are kept.
insert into m_candidates
select
    account_no,
    worker_no,
    case min(tier)
        when 1 then 'link'
        when 2 then 'employee_number'
        when 3 then 'external_id'
        when 4 then 'email'
        when 5 then 'email_alias'
        else 'username'
    end
from (
    select k.account_no, coalesce(s.worker_no, k.hit) as worker_no, k.tier
    from match_keys k
    join match_decided d on d.account_no = k.account_no and d.worker_no is null
    left join match_sharers s on s.hit = k.hit and s.place <= 100
)
group by account_no, worker_no;

-- Names suggest, never match, and only where no key named anybody: accents, letter case and word order do not count.
create or replace temp macro match_bare(x) as lower(strip_accents(x));
create or replace temp macro match_tokens(x) as
    array_to_string(
        list_sort(
            string_split(
                if(
                    regexp_matches(x, '[^\p{L}\p{N}\p{M} ]|^ |  | $'),
                    trim(regexp_replace(x, '[^\p{L}\p{N}\p{M}]+', ' ', 'g')),
                    x
                ),
                ' '
            )
        ),
        ' '
    );

create temp table match_unnamed as
select account_no, if(bare in ('n/a', 'na', 'none', 'null', 'unknown'), null, name) as name, mail
from (
    select account_no, bare, match_tokens(bare) as name, mail
    from (
        select account_no, match_bare(display_name) as bare, mail
        from match_open
        where hit is null and account_no not in (select account_no from match_hits)
    )
);

create temp table match_namesakes as
select w.name, w.worker_no
from (select worker_no, worker_id, match_tokens(match_bare(full_name)) as name from n_workers) w
where w.name in (select name from match_unnamed where regexp_matches(name, '[^0 ]'))
qualify row_number() over (partition by w.name order by w.worker_id) <= 10;

insert into m_candidates
select u.account_no, n.worker_no, 'name'
from match_unnamed u
join match_namesakes n on n.name = u.name;

insert into match_decided
select account_no, null, 7, 0
from match_unnamed
where name in (select name from match_namesakes);

-- What the pass left open, as the keys say it, and what speaks against them. The older account of a newcomer may be
-- somebody else's: a person decides. That of a leaver is to be closed whoever had it before, but not by itself.
create temp table match_slow as
with decided as (
    select
        o.account_no,
        o.app_no,
        o.mail,
        o.login_hit is not null and contains(o.mail, '@') as has_login_beside_mail,
        o.created_at,
        if(d.account_no is null, o.hit, d.worker_no) as worker_no,
        if(d.account_no is null, match_tier(number_hit, external_hit, mail_hit, is_alias, login_hit), d.tier) as tier,
        if(d.account_no is null, match_agreeing(number_hit, external_hit, mail_hit, login_hit), d.agreeing) as agreeing
    from match_open o
    left join match_decided d on d.account_no = o.account_no
),
weighed as (
    select
        d.*,
        d.tier = 6
            and d.has_login_beside_mail
            and match_after_at(d.mail) not in (select domain from match_own_domains)
            and match_after_at(d.mail) not in (select alias from match_domains) as is_foreign,
        coalesce(d.tier between 4 and 6 and match_is_older(d.created_at, w.first_hired_at), false) as is_older,
        w.status in ('terminated', 'vanished') as has_left
    from decided d
    left join n_workers w on w.worker_no = d.worker_no
)
select
    account_no,
    app_no,
    mail,
    is_foreign or (is_older and not has_left) as is_undecided,
    if(is_undecided, null, worker_no) as worker_no,
    if(is_undecided, worker_no, null) as candidate_no,
    tier,
    if(is_foreign, 9, tier)::utinyint as told_tier,
    agreeing,
    is_older as is_doubted
from weighed;

insert into m_candidates
select account_no, candidate_no, case tier when 4 then 'email' when 5 then 'email_alias' else 'username' end
from match_slow
where candidate_no is not null;

create temp table match_settled as
select
    account_no,
    app_no,
    coalesce(number_hit, external_hit, mail_hit, login_hit) as worker_no,
    match_tier(number_hit, external_hit, mail_hit, is_alias, login_hit) as tier,
    match_agreeing(number_hit, external_hit, mail_hit, login_hit) as agreeing,
    false as is_doubted
from match_first
where not is_open
union all
select account_no, app_no, worker_no, told_tier, agreeing, is_doubted
from match_slow;

-- Of the accounts that one person has in one application, those on which fewer keys agree are probable at most. Few
-- people have two accounts in one: those whose applications, as bits, are fewer than their accounts.
set perfect_ht_threshold = 22;
create temp table match_several as
select worker_no
from match_settled
where worker_no is not null
group by worker_no
having bit_count(bit_or(1::ubigint << (app_no % 64))) < count(*);
reset perfect_ht_threshold;

create temp table match_rivals as
select app_no, worker_no, max(agreeing) as agreeing
from match_settled
where worker_no in (select worker_no from match_several)
group by app_no, worker_no
having min(agreeing) < max(agreeing);

-- What an account is for: the register, then the most exact pattern, then what the application says.
create temp table match_patterns as
select
    app,
    lower(pattern) as pattern,
    kind,
    row_number() over (order by app = '*', length(pattern) desc, pattern, kind) as place
from kind_patterns;

create temp table match_registered as
select app, match_fold(username) as login, kind
from service_register
where username is not null;

create temp table match_kinds as
select account_no, min_by(kind, place)::account_kind as kind
from (
    select account_no, kind, (-2, kind) as place
    from match_named
    where kind is not null
    union all
    select a.account_no, r.kind, (-1, r.kind)
    from match_registered r
    join (select account_no, app, match_fold(username) as login from n_accounts) a
        on a.app = r.app and a.login = r.login
    union all
    select a.account_no, p.kind, (p.place, p.kind)
    from match_patterns p
    join (select account_no, app, lower(username) as login from n_accounts) a
        on (p.app = '*' or p.app = a.app) and a.login glob p.pattern
    union all
    select account_no, declared_kind, (1000000, declared_kind)
    from n_accounts
    where declared_kind is not null
)
group by account_no;

-- Partners: accounts of nobody known, with an address in an approved foreign domain.
insert into match_kinds
select m.account_no, 'external'
from (
    select account_no, mail
    from match_unnamed
    union all
    select account_no, mail
    from match_slow
    where worker_no is null and tier < 7
) m
where match_after_at(m.mail) in (select match_fold(domain) from approved_domains where source = 'policy')
    and m.account_no not in (select account_no from match_kinds);

insert into m_matches
select
    s.account_no,
    s.worker_no,
    case s.tier
        when 4 then 'email'::match_method
        when 2 then 'employee_number'::match_method
        when 8 then 'none'::match_method
        when 5 then 'email_alias'::match_method
        when 6 then 'username'::match_method
        when 3 then 'external_id'::match_method
        when 7 then 'name'::match_method
        when 9 then 'username'::match_method
        else 'link'::match_method
    end,
    case
        when s.tier = 8 then 'none'::match_confidence
        when s.tier in (7, 9) then 'suggested'::match_confidence
        when s.worker_no is null then 'ambiguous'::match_confidence
        when s.tier = 1 then 'certain'::match_confidence
        when s.tier > 4 or s.is_doubted or s.agreeing < r.agreeing then 'probable'::match_confidence
        else 'certain'::match_confidence
    end,
    coalesce(k.kind, if(s.worker_no is null, 'unknown'::account_kind, 'human'::account_kind))
from match_settled s
left join match_rivals r on r.app_no = s.app_no and r.worker_no = s.worker_no
left join match_kinds k on k.account_no = s.account_no;

drop table match_settled;
drop table match_slow;
drop table match_domains;
drop table match_numbers;
drop table match_addresses;
drop table match_locals;
drop table match_sharers;
drop table match_apps;
drop table match_persons;
drop table match_first;
drop table match_open;
drop table match_named;
drop table match_own_domains;
drop table match_links;
drop table match_link_accounts;
drop table match_links_by_name;
drop table match_hits;
drop table match_keys;
drop table match_decided;
drop table match_unnamed;
drop table match_namesakes;
drop table match_several;
drop table match_rivals;
drop table match_patterns;
drop table match_registered;
drop table match_kinds;
drop macro match_trim;
drop macro match_fold;
drop macro match_is_word;
drop macro match_is_address;
drop macro match_tier;
drop macro match_agreeing;
drop macro match_is_older;
drop macro match_before_at;
drop macro match_after_at;
drop macro match_without_tag;
drop macro match_address;
drop macro match_bare;
drop macro match_tokens;
