-- What one visitor, and one network, has booked in a day. Whoever proves nothing takes a part of what the tenant has left.

-- Whose shares the session takes from: its visitor and the networks that it was opened from, under the tenant's key of blind indexes.
alter table misy.sessions add column counts_as text[] collate "C" not null default '{}';

create table misy.booking_shares (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    -- "contact …", "visitor …", "host …", "home …" or "region …".
    whose text collate "C" not null,
    -- In UTC.
    day date not null,
    booked integer not null default 0,
    primary key (tenant_id, whose, day)
);
create index booking_shares_day on misy.booking_shares (tenant_id, day);
call misy.protect('misy.booking_shares');
grant select, insert, update (booked) on misy.booking_shares to misy_app, misy_worker;
grant select, update (booked), delete on misy.booking_shares to misy_system;

-- As before, and what was booked in days that are over.
create or replace function platform.remove_expired(p_now timestamptz, p_limit integer) returns bigint
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
        ('booking_forms', 'created_at < $1 - interval ''7 days'''),
        ('booking_shares', 'day < ($1 at time zone ''UTC'')::date - 1')
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
