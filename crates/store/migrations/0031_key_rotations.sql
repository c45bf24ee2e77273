-- Rotations of data keys: leased work (see 0011), one at a time for a tenant.

create table misy.key_rotations (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    rotation_id text collate "C" not null,
    to_version integer not null check (to_version > 1),
    requested_by text not null,
    rows_total bigint not null,
    rows_done bigint not null default 0,
    created_at timestamptz not null default pg_catalog.clock_timestamp(),
    updated_at timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    primary key (tenant_id, rotation_id)
);
create unique index key_rotations_running on misy.key_rotations (tenant_id) where finished_at is null;
call misy.protect('misy.key_rotations');
-- A rotation that began goes on, whatever becomes of the tenant.
call misy.lease('misy.key_rotations', 'key_rotation', 'rotation_id', only_active => false);
grant select, insert, update, delete on misy.key_rotations to misy_app, misy_system;

-- Which tenants have a new data key, for replicas that hold the old one in memory.
create function misy.new_data_keys() returns table (tenant_id text, version integer)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.tenant_id, r.to_version
    from misy.key_rotations r
    where r.finished_at is null or r.finished_at > pg_catalog.clock_timestamp() - interval '1 minute'
$$;

-- Up to so many sealed values of the tenant that are under an older data key.
create function misy.sealed_below(p_tenant text, p_version bigint, p_limit integer)
returns table (
    table_name text, column_name text, row_key jsonb, place_row text, contact_id text, sealed bytea)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    source platform.sealed_columns;
    keys text;
    missing integer := p_limit;
    found_rows integer;
begin
    for source in select * from platform.sealed_columns s order by s.table_name, s.column_name loop
        exit when missing <= 0;
        select string_agg(format('t.%I', k.name), ', ' order by k.position) into keys
        from unnest(source.key_columns) with ordinality as k (name, position);
        return query execute format(
            'select %L::text, %L::text, jsonb_build_array(%s), (%s)::text, (%s)::text, t.%I
             from misy.%I t
             where t.tenant_id = $1 and misy.data_key_version(t.%I) < $2 and (%s)
             limit $3',
            source.table_name, source.column_name, keys, source.row_expression, source.contact_expression,
            source.column_name, source.table_name, source.column_name, source.condition)
            using p_tenant, p_version, missing;
        get diagnostics found_rows = row_count;
        missing := missing - found_rows;
    end loop;
end
$$;

-- Replaces sealed values of one column by others, where nobody else changed them; tells how many.
create function misy.reseal(
    p_tenant text, p_table text, p_column text, p_keys jsonb, p_old bytea[], p_new bytea[])
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    source platform.sealed_columns;
    same_row text;
    changed bigint;
begin
    select * into strict source from platform.sealed_columns s
    where s.table_name = p_table and s.column_name = p_column;
    select string_agg(
        format('t.%I = (r.key ->> %s)::%s', k.name, k.position - 1, format_type(a.atttypid, a.atttypmod)), ' and ')
    into strict same_row
    from unnest(source.key_columns) with ordinality as k (name, position)
    join pg_catalog.pg_attribute a
        on a.attrelid = format('misy.%I', source.table_name)::regclass and a.attname = k.name;
    execute format(
        'update misy.%I t set %I = r.new
         from (select k.value as key, ($3)[k.at] as old, ($4)[k.at] as new
               from jsonb_array_elements($2) with ordinality as k (value, at)) r
         where t.tenant_id = $1 and %s and t.%I = r.old',
        source.table_name, source.column_name, same_row, source.column_name)
        using p_tenant, p_keys, p_old, p_new;
    get diagnostics changed = row_count;
    return changed;
end
$$;

-- How many sealed values are under each data key; of each column 50,000 are looked at, so that it takes about a second at most
-- however many there are.
create function misy.sealed_counts(p_tenant text)
returns table (table_name text, version bigint, sealed_rows bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    source platform.sealed_columns;
begin
    for source in select * from platform.sealed_columns s order by s.table_name, s.column_name loop
        return query execute format(
            'select %L::text, s.version, count(*)
             from (select misy.data_key_version(t.%I) as version from misy.%I t
                   where t.tenant_id = $1 and (%s) limit 50000) s
             where s.version is not null
             group by 2',
            source.table_name, source.column_name, source.table_name, source.condition)
            using p_tenant;
    end loop;
end
$$;

revoke execute on function
    misy.new_data_keys(), misy.sealed_below(text, bigint, integer),
    misy.reseal(text, text, text, jsonb, bytea[], bytea[]), misy.sealed_counts(text)
    from public;
grant execute on function misy.new_data_keys() to misy_worker;
grant execute on function
    misy.sealed_below(text, bigint, integer), misy.reseal(text, text, text, jsonb, bytea[], bytea[]),
    misy.sealed_counts(text)
    to misy_app;

-- The root keys that a key management service has wrapped. With a file or the environment there is none. Anybody who has the
-- public half of a service's key can wrap something, so a row is believed for what vouches for it: the root keys that were in
-- force when it was made. Whoever writes here only adds behind what is there; and takes away what they hold the key of.
create table platform.root_keys (
    provider text not null,
    -- Counts up.
    generation bigint not null check (generation > 0),
    -- The fingerprint of the key.
    version bigint not null,
    wrapped_key text not null check (octet_length(wrapped_key) <= 16384),
    -- Keyed hashes of the row: under the key itself, and of that under those before it.
    seal bytea not null check (length(seal) = 32),
    links bytea[] not null check (cardinality(links) <= 16),
    -- The SHA-256 of a word that follows from the key.
    release bytea not null check (length(release) = 32),
    created_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (provider, generation)
);
grant select on platform.root_keys to misy_app, misy_worker, misy_system;

create function platform.add_root_key(
    p_provider text, p_generation bigint, p_version bigint, p_wrapped text, p_seal bytea, p_links bytea[], p_release bytea)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    lock table platform.root_keys in share row exclusive mode;
    if p_generation <> (select coalesce(max(r.generation), 0) + 1 from platform.root_keys r where r.provider = p_provider)
        or (select count(*) from platform.root_keys) >= 100 then
        return false;
    end if;
    insert into platform.root_keys (provider, generation, version, wrapped_key, seal, links, release)
    values (p_provider, p_generation, p_version, p_wrapped, p_seal, p_links, p_release);
    return true;
end
$$;

create function platform.drop_root_key(p_provider text, p_generation bigint, p_word bytea)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from platform.root_keys r
    where r.provider = p_provider and r.generation = p_generation and r.release = sha256(p_word);
    return found;
end
$$;
revoke execute on function platform.add_root_key(text, bigint, bigint, text, bytea, bytea[], bytea),
    platform.drop_root_key(text, bigint, bytea) from public;
grant execute on function platform.add_root_key(text, bigint, bigint, text, bytea, bytea[], bytea),
    platform.drop_root_key(text, bigint, bytea) to misy_system;
