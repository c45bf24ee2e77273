-- How much there may be of anything that calls make. This is the one table of it, and the database keeps it, so that no race
-- and no forgotten check passes it; a test fails on a table that is not here and has no other bound.

-- Refuses what is one too many of its holder: the tenant, or what a column names within it. The lock on the row
-- of the person or the tenant lets one come after another until its transaction is over, so that each counts those before it.
create function misy.keep_cap() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    most constant bigint := tg_argv[0];
    things constant text := tg_argv[1];
    holder constant text := tg_argv[2];
    counts constant text := tg_argv[3];
    whose constant text := to_jsonb(new) ->> holder;
    taken bigint;
begin
    if holder = 'user_id' then
        perform from misy.users u where u.tenant_id = new.tenant_id and u.user_id = whose for no key update;
    else
        perform from misy.tenants t where t.tenant_id = new.tenant_id for no key update;
    end if;
    execute format('select count(*) from misy.%I where tenant_id = $1 and %I = $2 and %s', tg_table_name, holder, counts)
    into taken using new.tenant_id, whose;
    if taken > most then
        raise exception using errcode = 'MC001',
            message = format('There are %s %s already, and there can be no more.', most, things);
    end if;
    return null;
end
$$;

-- Lets the oldest go where a new one must always find room.
create function misy.keep_newest() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    most constant bigint := tg_argv[0];
    holder constant text := tg_argv[2];
    age constant text := tg_argv[3];
    whose constant text := to_jsonb(new) ->> holder;
begin
    if holder = 'user_id' then
        perform from misy.users u where u.tenant_id = new.tenant_id and u.user_id = whose for no key update;
    else
        perform from misy.tenants t where t.tenant_id = new.tenant_id for no key update;
    end if;
    execute format(
        'delete from misy.%1$I where tenant_id = $1 and %2$I = $2 and ctid in (
             select t.ctid from misy.%1$I t where t.tenant_id = $1 and t.%2$I = $2
             order by t.%3$I desc offset $3)', tg_table_name, holder, age)
    using new.tenant_id, whose, most;
    return null;
end
$$;
revoke execute on function misy.keep_cap(), misy.keep_newest() from public;

do $$
declare
    cap record;
begin
    for cap in
        select * from (values
            -- table, how it is kept, how many, what they are, of whom, which of them count or which are the oldest
            ('sites', 'keep_cap', 100, 'sites', 'tenant_id', 'true'),
            ('site_origins', 'keep_cap', 100, 'origins of a site', 'site_id', 'true'),
            ('api_keys', 'keep_cap', 100, 'keys', 'tenant_id', 'revoked_at is null and (expires_at is null or expires_at > now())'),
            ('tenant_secrets', 'keep_cap', 20, 'tenant secrets', 'tenant_id', 'revoked_at is null and (expires_at is null or expires_at > now())'),
            ('certificates', 'keep_cap', 100, 'certificates', 'tenant_id', 'revoked_at is null'),
            ('email_domains', 'keep_cap', 50, 'domains', 'tenant_id', 'true'),
            ('rate_limits', 'keep_cap', 500, 'limits', 'tenant_id', 'true'),
            ('roles', 'keep_cap', 100, 'roles', 'tenant_id', 'true'),
            ('users', 'keep_cap', 2000, 'people', 'tenant_id', 'true'),
            ('personal_tokens', 'keep_cap', 50, 'personal tokens', 'user_id', 'revoked_at is null and expires_at > now()'),
            ('passkeys', 'keep_cap', 10, 'passkeys', 'user_id', 'true'),
            ('federated_identities', 'keep_cap', 20, 'accounts of providers', 'user_id', 'true'),
            ('context_packs', 'keep_newest', 100, 'versions of the context pack', 'tenant_id', 'version'),
            ('user_sessions', 'keep_newest', 50, 'sessions', 'user_id', 'last_seen_at'),
            ('user_devices', 'keep_newest', 50, 'browsers', 'user_id', 'last_used_at'),
            ('user_tickets', 'keep_newest', 50, 'links', 'user_id', 'created_at')
        ) as caps (relation, how, most, things, holder, detail)
    loop
        execute format('create trigger cap after insert on misy.%I for each row execute function misy.%I(%L, %L, %L, %L)',
                       cap.relation, cap.how, cap.most, cap.things, cap.holder, cap.detail);
    end loop;
end
$$;

-- Secrets that ended stand in the snapshot of their tenant while a token of theirs may be renewed.
create trigger cap_of_ended after insert on misy.tenant_secrets for each row execute function misy.keep_cap(
    '1000', 'tenant secrets of a month', 'tenant_id',
    'coalesce(least(revoked_at, expires_at), now()) > now() - interval ''32 days''');
