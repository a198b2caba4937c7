-- own_told and scim_told (what each list says of an account) -> surest: the own account that each SCIM user means.
-- Kinds of keys, surest first: 1 an id, 2 the user name, 3 an e-mail address; a key meets keys of its own kind only.

create macro known_as(x) as nullif(trim(lower(nfc_normalize(x))), '');

create view own_keys as
select id, 1 as kind, known_as(unnest([id, external_id])) as key from own_told
union all
select id, 2, known_as(username) from own_told
union all
select id, 3, known_as(unnest(list_append(emails, username))) from own_told;

create view scim_keys as
select line, 1 as kind, known_as(unnest([id, external_id])) as key from scim_told
union all
select line, 2, known_as(username) from scim_told
union all
select line, 3, known_as(unnest(list_append(emails, username))) from scim_told;

-- First and last tell one account from several; pairs of all with all would have no bound where many share a key.
create table surest as
with own as (
    select kind, key, min(id) as first_id, max(id) as last_id
    from own_keys
    -- User names are often e-mail addresses, and only those are compared with addresses.
    where kind < 3 or contains(key, '@')
    group by kind, key
),
met as (
    select s.line, s.kind, min(o.first_id) as first_id, max(o.last_id) as last_id
    from scim_keys s
    join own o on o.kind = s.kind and o.key = s.key
    group by s.line, s.kind
)
select line, arg_min(first_id, kind) as id, arg_min(last_id, kind) <> arg_min(first_id, kind) as is_several
from met
group by line;

create view managed as select distinct id from surest where not is_several;
