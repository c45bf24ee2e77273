-- What every process does again and again in the background: one row for each loop, whichever process ran it last.
create table platform.loops (
    name text collate "C" primary key,
    -- The role of PostgreSQL that it works as.
    role text collate "C" not null,
    -- How long it rests between two rounds.
    period interval not null,
    last_run timestamptz not null,
    last_failure timestamptz,
    -- Why the last round failed, if it did.
    failure text
);
grant select, insert, update on platform.loops to misy_worker;

-- Removes rows that have been over for an hour, at most so many of each table; says how many. The hour is for clocks: who
-- decides that a row is over may have another than the database. What people are told of its end stays with those who tell.
create function platform.remove_expired(p_limit integer) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    target text;
    removed bigint;
    total bigint := 0;
begin
    foreach target in array array['idempotency_keys', 'revoked_tokens', 'token_renewals', 'user_devices'] loop
        execute format(
            'delete from misy.%1$I where ctid = any (array(
                 select ctid from misy.%1$I where expires_at < pg_catalog.clock_timestamp() - interval ''1 hour'' limit $1))',
            target)
            using p_limit;
        get diagnostics removed = row_count;
        total := total + removed;
    end loop;
    return total;
end
$$;
revoke execute on function platform.remove_expired(integer) from public;
grant execute on function platform.remove_expired(integer) to misy_system;
