-- Words and shapes that sources use, in one place. Temporary: they live as long as the connection.

-- A value that says nothing is null.
create or replace temp macro said(x) as
    case
        when x is null then null
        when lower(trim(x)) in (
            '', '-', '--', 'n/a', 'na', 'n.a.', '#n/a', '#ref!', '#value!', '#name?', 'none', 'null', 'nil', 'nan',
            'unknown', 'undefined', 'tbd'
        ) then null
        else trim(x)
    end;
-- Nothing but zeros and punctuation is nobody's number.
create or replace temp macro names_somebody(x) as
    said(x) is not null and not regexp_full_match(x, '([^\p{L}\p{N}]|0)*');
-- A word of a vocabulary: letter case, hyphens and repeated blanks do not matter.
create or replace temp macro word(x) as
    nullif(trim(regexp_replace(lower(nfc_normalize(x)), '[\s_\-]+', ' ', 'g')), '');

-- SCIM values -----------------------------------------------------------------------------------------------------

create or replace temp macro scim_boolean(x) as
    case
        when lower(trim(x)) in ('true', '1', '1.0', 'yes', 'y', 'on', 'enabled') then true
        when lower(trim(x)) in ('false', '0', '0.0', 'no', 'n', 'off', 'disabled') then false
    end;

-- ISO 8601 with any fraction, offset or none (UTC); Java's [Zone] behind it; seconds or milliseconds since 1970.
create or replace temp macro scim_moment(x) as
    case
        when x is null then null
        -- The usual spelling needs no calendar, which would be slower.
        when regexp_full_match(x, '\d{4}-\d{2}-\d{2}T[\d:.]+Z') then try_cast(x as timestamp)
        when regexp_matches(x, '^\s*\d{4}-\d{2}-\d{2}') then coalesce(
            try_cast(x as timestamptz),
            try_cast(regexp_replace(upper(trim(regexp_replace(x, '\[.*\]\s*$', ''))), '\s+([+-])', '\1') as timestamptz)
        ) at time zone 'UTC'
        when regexp_full_match(x, '\d{12,13}(\.\d*)?') then make_timestamp(try_cast(x as double)::bigint * 1000)
        when regexp_full_match(x, '\d{9,10}(\.\d*)?') then make_timestamp((try_cast(x as double) * 1000000)::bigint)
    end;
-- 0001-01-01, 1601-01-01, 1970-01-01 and the like mean "never set"; what lies in the future has not happened.
create or replace temp macro scim_instant(x, as_of) as
    case when scim_moment(x) between timestamp '1970-01-02' and as_of + interval 1 day then scim_moment(x) end;

create or replace temp macro scim_kind(x) as
    case when replace(word(x), ' ', '_') in ('human', 'service', 'shared', 'break_glass', 'external')
        then replace(word(x), ' ', '_')
    end;

-- Lists of values: objects as RFC 7643 wants them, and in practice also texts, numbers, one bare object, JSON in a text.
-- All become a list of structs. The quick way transforms the usual shape; the slow way is taken by odd rows only.
create or replace temp macro scim_quick(j) as
    from_json(j, '[{"value":"VARCHAR","type":"VARCHAR","primary":"VARCHAR","display":"VARCHAR","$ref":"VARCHAR"}]');
create or replace temp macro scim_is_odd(quick, j) as
    (quick is null and j is not null)
    or len(list_filter(quick, lambda e: e is null or e.value is null or e.value[1] in ('{', '['))) > 0;
create or replace temp macro scim_inner(j) as
    case
        when json_type(j) = 'VARCHAR' and left(ltrim(j ->> '$'), 1) in ('[', '{') and json_valid(j ->> '$')
            then try((j ->> '$')::json)
        else j
    end;
create or replace temp macro scim_elements(j) as
    case json_type(j)
        when 'ARRAY' then json_extract(j, '$[*]')
        when 'NULL' then []::json[]
        else [j]
    end;
create or replace temp macro scim_value(e) as
    case
        when json_type(e) = 'OBJECT' then coalesce(
            e ->> '$.value', e ->> '$.Value', e ->> '$.id', e ->> '$.name', e ->> '$.displayName'
        )
        when json_type(e) in ('ARRAY', 'NULL', 'BOOLEAN') then null
        else e ->> '$'
    end;
-- Some servers put a whole object, as JSON text, into `value`.
create or replace temp macro scim_unwrapped(v) as
    if(left(v, 1) = '{' and json_valid(v), coalesce(try(scim_value(v::json)), v), v);
create or replace temp macro scim_slow(j) as
    list_transform(
        list_transform(scim_elements(scim_inner(j)), lambda e: scim_inner(e)),
        lambda e: struct_pack(
            value := coalesce(
                scim_unwrapped(scim_value(e)),
                nullif(regexp_extract(e ->> '$."$ref"', '[^/]+$'), ''),
                e ->> '$.display',
                e ->> '$.type'
            ),
            type := coalesce(e ->> '$.type', e ->> '$.Type'),
            "primary" := coalesce(e ->> '$.primary', e ->> '$.Primary'),
            display := coalesce(e ->> '$.display', e ->> '$.Display', e ->> '$.displayName'),
            "$ref" := e ->> '$."$ref"'
        )
    );
-- Elements that say something, in the order in which they were sent; `quick` is scim_quick(j).
create or replace temp macro scim_list(quick, j) as
    list_filter(if(scim_is_odd(quick, j), scim_slow(j), quick), lambda e: trim(e.value) <> '');

-- A list that was read in its usual shape; an error where the slow way might make something else of it: at values
-- that are missing, or begin with a blank, { or [. Comparisons are many times as fast as functions here.
create or replace temp macro scim_usual(list) as
    if(
        len(list_filter(list, lambda e:
            e.value is null or e.value < '!' or (e.value >= '[' and e.value < '\') or (e.value >= '{' and e.value < '|')
        )) > 0,
        error('an element of an unusual shape'),
        list
    );

create or replace temp macro scim_name(j) as
    if(
        json_type(j) = 'VARCHAR',
        struct_pack(formatted := j ->> '$', "givenName" := null, "familyName" := null),
        from_json(j, '{"formatted":"VARCHAR","givenName":"VARCHAR","familyName":"VARCHAR"}')
    );
create or replace temp macro scim_meta(j) as
    from_json(j, '{"created":"VARCHAR","lastModified":"VARCHAR","version":"VARCHAR"}');

-- Roster values ---------------------------------------------------------------------------------------------------

-- Dates are never guessed. With the default format, a time behind the date is let pass.
create or replace temp macro roster_date(x, format, lenient) as
    coalesce(
        try_strptime(x, format),
        if(lenient and regexp_matches(x, '^\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}'), try_strptime(left(ltrim(x), 10), '%Y-%m-%d'), null)
    )::date;
-- What systems write for "no date".
create or replace temp macro roster_is_no_date(x, parsed) as
    said(x) is null
    or regexp_matches(x, '^0000-00-00')
    or coalesce(
        year(parsed) >= 9000
        or parsed in (date '0001-01-01', date '1899-12-30', date '1899-12-31', date '1900-01-01'),
        false
    );
create or replace temp macro roster_day(x, parsed) as
    if(roster_is_no_date(x, parsed), null, parsed);
create or replace temp macro roster_is_bad_date(x, parsed) as
    not roster_is_no_date(x, parsed) and (parsed is null or year(parsed) < 1900);
-- Text that a person may have typed into a date column stays out of reasons.
create or replace temp macro roster_bad_date(name, x, format) as
    name || ' ' || if(regexp_full_match(x, '[\d./: TZ+-]{1,30}'), '''' || x || '''', 'with text')
    || ' does not match ' || format;
