-- The end of a tenant: closed, kept for a while, cleaned up.

alter table misy.tenants
    -- When the clean-up may begin; set while the tenant is closed.
    add column purge_at timestamptz,
    -- Since when there is no way back.
    add column purge_started_at timestamptz,
    add column purged_rows bigint not null default 0;
create index tenants_to_purge on misy.tenants (tenant_id, purge_at) where purge_at is not null;
-- Closed before there was a grace period.
update misy.tenants set purge_at = closed_at + interval '30 days' where closed_at is not null;

-- The tables of tenants that a clean-up empties, those first that others do not refer to. What only grows is the sealed
-- audit and stays; so does whatever is called audit, and a table whose comment says that it outlives its tenant.
create function platform.tables_to_purge() returns table (target regclass)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with recursive depth (oid, level) as (
        select c.oid, 0
        from pg_catalog.pg_class c
        where c.relnamespace = 'misy'::pg_catalog.regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        union
        select k.conrelid, d.level + 1
        from depth d
        join pg_catalog.pg_constraint k on k.confrelid = d.oid and k.contype = 'f' and k.conrelid <> k.confrelid
        where d.level < 20
    )
    select c.oid::pg_catalog.regclass
    from depth d join pg_catalog.pg_class c on c.oid = d.oid
    where c.oid <> 'misy.tenants'::pg_catalog.regclass and c.relname not like 'audit%' and not c.relispartition
        and pg_catalog.obj_description(c.oid, 'pg_class') is distinct from 'outlives its tenant'
        and not exists (
            select from pg_catalog.pg_trigger t
            where t.tgrelid = c.oid and t.tgfoid = 'misy.refuse_change()'::pg_catalog.regprocedure)
    group by c.oid, c.relname
    order by max(d.level) desc, c.relname
$$;

-- Removes some rows of a tenant whose grace period is over, and at the end the tenant itself; its id stays taken. Each
-- call is a transaction of its own, so whoever is killed between or within two of them loses nothing but time. The lock
-- of the tenant's row is the lease: where it is held, another replica is at work.
create function platform.purge_batch(
    p_tenant text, p_now timestamptz, p_limit integer, out outcome text, out removed bigint, out total bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    target pg_catalog.regclass;
    gone bigint;
begin
    removed := 0;
    select t.purged_rows into total
    from misy.tenants t
    where t.tenant_id = p_tenant and t.status = 'closed' and t.purge_at <= p_now and not t.is_owner
        and coalesce(t.purge_not_before, '-infinity') <= pg_catalog.clock_timestamp()
    for no key update skip locked;
    if not found then
        outcome := 'nothing';
        return;
    end if;

    for target in select p.target from platform.tables_to_purge() p loop
        execute format('delete from %s where ctid = any (array(select ctid from %s where tenant_id = $1 limit $2))',
                       target, target)
        using p_tenant, p_limit - removed;
        get diagnostics gone = row_count;
        removed := removed + gone;
        exit when removed >= p_limit;
    end loop;
    total := total + removed;

    if removed >= p_limit then
        update misy.tenants t
        set purged_rows = purge_batch.total, purge_started_at = coalesce(t.purge_started_at, least(p_now, pg_catalog.clock_timestamp()))
        where t.tenant_id = p_tenant;
        outcome := 'more';
    else
        delete from misy.tenants t where t.tenant_id = p_tenant;
        outcome := 'done';
    end if;
end
$$;

-- How many rows of the tenant a clean-up will remove, by table: the notice that is given when a tenant is closed.
-- SECURITY INVOKER: row-level security narrows it to the tenant that it sets.
create function misy.tenant_inventory(p_tenant text) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    target regclass;
    number bigint;
    answer jsonb := '{}';
begin
    perform pg_catalog.set_config('app.tenant_id', p_tenant, true);
    for target in select p.target from platform.tables_to_purge() p loop
        continue when not pg_catalog.has_table_privilege(target, 'select');
        execute format('select count(*) from %s where tenant_id = $1', target) into number using p_tenant;
        if number > 0 then
            answer := answer || jsonb_build_object(
                (select c.relname from pg_catalog.pg_class c where c.oid = target), number);
        end if;
    end loop;
    return answer;
end
$$;

revoke execute on function
    platform.tables_to_purge(), platform.purge_batch(text, timestamptz, integer), misy.tenant_inventory(text)
    from public;
grant execute on function platform.tables_to_purge() to misy_app;
grant execute on function platform.purge_batch(text, timestamptz, integer) to misy_system;
grant execute on function misy.tenant_inventory(text) to misy_app;

-- What happened to a tenant in its life: when, by whom and why, from the first. The audit trail tells the same among all
-- else, and stays when the tenant goes.
create table misy.tenant_events (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    number bigint not null check (number > 0),
    event text not null check (event in ('registered', 'suspended', 'activated', 'closed', 'tokens_revoked')),
    at timestamptz not null,
    actor text not null,
    reason text,
    -- Of `closed`: when the clean-up may begin.
    purge_at timestamptz,
    primary key (tenant_id, number)
);
call misy.protect('misy.tenant_events');
grant select, insert, delete on misy.tenant_events to misy_app, misy_system;
grant select on misy.tenant_events to misy_worker;
