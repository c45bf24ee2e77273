-- A batch of a rotation reads about as many rows as it seals anew. Every sealed column has an index by the data key that a value is
-- under. Values under the key of a contact are not in it, so of the largest tables it holds next to nothing.
do $$
declare
    source platform.sealed_columns;
begin
    for source in select * from platform.sealed_columns s order by s.table_name, s.column_name loop
        -- These two have theirs since 0030.
        continue when (source.table_name, source.column_name) in (('messages', 'sealed_body'), ('contact_keys', 'wrapped_key'));
        execute format(
            'create index %I on misy.%I (tenant_id, misy.data_key_version(%I)) where misy.data_key_version(%I) is not null',
            source.table_name || '_' || source.column_name || '_under_data_key', source.table_name, source.column_name,
            source.column_name);
    end loop;
end
$$;

-- Up to so many sealed values of the tenant that are under an older data key. They are read in the order of their keys, and reading
-- ends at the first that is new: row-level security lets no index look for a version, as the function that tells it is not known to be
-- safe. Without sorts and scans of whole tables that order is the one of the index.
create or replace function misy.sealed_below(p_tenant text, p_version bigint, p_limit integer)
returns table (
    table_name text, column_name text, row_key jsonb, place_row text, contact_id text, sealed bytea)
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    source platform.sealed_columns;
    keys text;
    missing integer := p_limit;
    found_version bigint;
    oldest refcursor;
begin
    for source in select * from platform.sealed_columns s order by s.table_name, s.column_name loop
        select string_agg(format('t.%I', k.name), ', ' order by k.position) into keys
        from unnest(source.key_columns) with ordinality as k (name, position);
        open oldest no scroll for execute format(
            'select misy.data_key_version(t.%5$I), %1$L::text, %2$L::text, jsonb_build_array(%3$s), (%4$s)::text, (%6$s)::text, t.%5$I
             from misy.%7$I t
             where t.tenant_id = $1 and misy.data_key_version(t.%5$I) is not null and (%8$s)
             order by t.tenant_id, misy.data_key_version(t.%5$I)
             limit $2',
            source.table_name, source.column_name, keys, source.row_expression, source.column_name, source.contact_expression,
            source.table_name, source.condition)
            using p_tenant, missing;
        loop
            fetch oldest into found_version, table_name, column_name, row_key, place_row, contact_id, sealed;
            exit when not found or found_version >= p_version;
            return next;
            missing := missing - 1;
        end loop;
        close oldest;
        exit when missing <= 0;
    end loop;
end
$$;

-- Each row that is replaced is looked up by its key: a join by hashes would read the whole table for that.
alter function misy.reseal(text, text, text, jsonb, bytea[], bytea[]) set enable_seqscan = off;
alter function misy.reseal(text, text, text, jsonb, bytea[], bytea[]) set enable_bitmapscan = off;
alter function misy.reseal(text, text, text, jsonb, bytea[], bytea[]) set enable_hashjoin = off;
alter function misy.reseal(text, text, text, jsonb, bytea[], bytea[]) set enable_mergejoin = off;
