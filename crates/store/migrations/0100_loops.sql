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

-- Removes rows that have been over for an hour, at most so many of each table; says how many. Both clocks must say so, that of
-- the program (`p_now`) and this one: a revocation that is forgotten because a clock was wrong is none. Mails that were given
-- up stay for thirty days, so that somebody may still revive them. What people are told of an end stays with those who tell.
create function platform.remove_expired(p_now timestamptz, p_limit integer) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant timestamptz := least(p_now, pg_catalog.clock_timestamp());
    target text;
    over text;
    removed bigint;
    total bigint := 0;
begin
    for target, over in values
        ('idempotency_keys', 'expires_at < $1 - interval ''1 hour'''),
        ('revoked_tokens', 'expires_at < $1 - interval ''1 hour'''),
        ('token_renewals', 'expires_at < $1 - interval ''1 hour'''),
        ('user_devices', 'expires_at < $1 - interval ''1 hour'''),
        ('mails', 'dead_at < $1 - interval ''30 days'''),
        -- Files that nobody sent, and those whose bytes never came. Their bytes follow.
        ('attachments', 'message_id is null and created_at < $1 - interval ''1 day'''),
        -- Times that nobody decided on, and what was said of bookings that nobody made.
        ('bookings', 'held_until < $1 - interval ''1 hour'''),
        ('booking_forms', 'created_at < $1 - interval ''7 days''')
    loop
        execute format(
            -- Tenant by tenant, as each index begins with the tenant.
            'delete from misy.%1$I where ctid = any (array(
                 select gone.ctid from misy.tenants t cross join lateral (
                     select e.ctid from misy.%1$I e where e.tenant_id = t.tenant_id and e.%2$s limit $2 for update skip locked
                 ) as gone limit $2))',
            target, over)
            using present, p_limit;
        get diagnostics removed = row_count;
        total := total + removed;
    end loop;
    return total;
end
$$;
revoke execute on function platform.remove_expired(timestamptz, integer) from public;
grant execute on function platform.remove_expired(timestamptz, integer) to misy_system;
