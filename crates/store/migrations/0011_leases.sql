-- Leased work, for any table. Work is a lease on the row itself: `work_at` says when the row is due or, while somebody
-- works on it, when the lease runs out; `lease_owner` is who works on it; `fence` grows with every claim, so a holder that
-- was too slow cannot write. All times are the database's own: the clocks of the replicas do not count.

-- The leased tables. Only `misy.lease` writes here, when the schema is made.
create table platform.leased_tables (
    -- What the API calls one row.
    kind text collate "C" primary key,
    table_name text collate "C" not null unique,
    key_column text collate "C" not null,
    -- Whether the row is more than its work: then it stays when somebody drops the work.
    keeps_row boolean not null
);
grant select on platform.leased_tables to misy_app, misy_worker, misy_system;

-- A fresh identifier, of the shape that the program gives its own: 48 bits of milliseconds and 80 random bits.
create function misy.new_id(prefix text) returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
    select prefix || '_' || string_agg(
        substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + substring(id.bits from 5 * digit + 1 for 5)::integer, 1), ''
        order by digit)
    from (
        select b'00' || ('x' || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
                         || left(encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 20))::bit(128) as bits
    ) id, generate_series(0, 25) digit
$$;

-- Raises an alert when work is given up, in the transaction that gives it up: one for each kind and cause within an hour.
-- Only an open alert that says the same keeps it from being raised. The occurrence is random: the database has no key to hash
-- one with, and whoever could foretell it would put something else there first.
create function misy.tell_of_dead_work() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    kind constant text := tg_argv[0];
    key_column constant text := tg_argv[1];
    told constant jsonb := jsonb_build_object('kind', kind, 'error', new.last_error);
begin
    if exists (
        select from misy.alerts a
        where a.tenant_id = new.tenant_id and a.rule = 'work_dead' and a.severity = 'warning' and a.detail = told
            and a.acknowledged_at is null
            and a.raised_at between new.dead_at - interval '1 hour' and new.dead_at + interval '1 minute')
    then
        return null;
    end if;
    insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, subject, detail, raised_at)
    values (new.tenant_id, misy.new_id('alr'), 'work_dead', gen_random_uuid()::text, 'warning',
            to_jsonb(new) ->> key_column, told, new.dead_at);
    return null;
end
$$;
revoke execute on function misy.new_id(text), misy.tell_of_dead_work() from public;
grant execute on function misy.new_id(text) to misy_app, misy_worker, misy_system;

-- Makes a table leased work: columns, indexes, and the functions claim_T, extend_T, postpone_T and fail_T for a table T.
-- Each table gets functions of its own, so that their plans are made once. What they must do is written here once.
-- `only_active`: the work of suspended and closed tenants waits. `keeps_row`: see `platform.leased_tables`.
create procedure misy.lease(
    target regclass, kind text, key_column text, only_active boolean default true, keeps_row boolean default false)
language plpgsql
set search_path = pg_catalog, pg_temp
as $procedure$
declare
    relation constant text := (select c.relname from pg_class c where c.oid = target);
    template text;
begin
    if not exists (
        select from pg_constraint k
        where k.conrelid = target and k.contype = 'p' and k.conkey = array[
            (select a.attnum from pg_attribute a where a.attrelid = target and a.attname = 'tenant_id'),
            (select a.attnum from pg_attribute a where a.attrelid = target and a.attname = key_column)])
    then
        raise exception 'leased work needs the primary key (tenant_id, %)', key_column;
    end if;
    insert into platform.leased_tables values (kind, relation, key_column, keeps_row);

    foreach template in array array[
        $sql$
alter table misy.{table}
    -- When the work is due, or when its lease runs out; nothing while the row rests.
    add column work_at timestamptz,
    add column lease_owner text collate "C",
    -- Grows with each claim; a result counts only while it is still the claim's.
    add column fence bigint not null default 0,
    add column attempts integer not null default 0,
    -- The code of the last failure.
    add column last_error text collate "C",
    -- Given up after too many attempts.
    add column dead_at timestamptz;
        $sql$, $sql$
create index {table}_work on misy.{table} (tenant_id, work_at) where work_at is not null;
        $sql$, $sql$
create index {table}_dead on misy.{table} (tenant_id, dead_at) where dead_at is not null;
        $sql$, $sql$
create trigger tell_of_dead_work after update of dead_at on misy.{table}
for each row when (old.dead_at is null and new.dead_at is not null)
execute function misy.tell_of_dead_work('{kind}', '{key}');
        $sql$, $sql$
-- Claims up to so many due rows of one tenant, the longest due first. A part of claim_{table}.
create function misy.claim_{table}_of(
    p_tenant text, p_worker text, p_batch integer, p_present timestamptz, p_lease interval, p_most_attempts integer)
returns table (tenant_id text, id text, fence bigint, attempts integer)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        with due as materialized (
            select w.{key} as id
            from misy.{table} w
            where w.tenant_id = p_tenant and w.work_at <= p_present
            order by w.work_at
            limit p_batch
            for no key update skip locked
        ), claimed as (
            update misy.{table} w
            set fence = w.fence + 1,
                attempts = w.attempts + 1,
                lease_owner = case when w.attempts < p_most_attempts then p_worker end,
                work_at = case when w.attempts < p_most_attempts then p_present + p_lease end,
                dead_at = case when w.attempts < p_most_attempts then null else p_present end,
                last_error = case when w.attempts < p_most_attempts then w.last_error else 'worker_lost' end
            from due
            where w.tenant_id = p_tenant and w.{key} = due.id
            returning due.id, w.fence, w.attempts, w.dead_at
        )
        select p_tenant, claimed.id, claimed.fence, claimed.attempts
        from claimed
        where claimed.dead_at is null;
end
$$;
        $sql$, $sql$
-- Claims due rows, fairly between tenants: it walks the tenants that have work from the one after `p_after_tenant`, once
-- around, and takes one due row of each; only if the batch is not full then, it takes more of those, up to
-- `p_most_of_tenant` of each. Tenants in `p_full` hold their share already and are passed over: one tenant must not occupy
-- a whole worker. It answers with the claimed rows and a last row without an id, whose tenant is where the next claim goes
-- on; no tenant there means that all tenants were looked at, and the next claim may start where this one did.
--
-- Each step is one descent of the index on (tenant_id, work_at), however many rows wait. Tenants that have nothing due
-- (all in progress, waiting to be tried again, or suspended) cost a step each; a claim makes at most 4 · batch + 64 of
-- them and leaves the rest to the next.
--
-- What was claimed `p_most_attempts` times without an end takes its worker down with it: it is given up here.
create function misy.claim_{table}(
    p_worker text, p_batch integer, p_lease interval, p_after_tenant text, p_most_attempts integer,
    p_most_of_tenant integer, p_full text[])
returns table (tenant_id text, id text, fence bigint, attempts integer)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- Statistics of a young table make a scan of all of it look cheap, and the plan is kept.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    only_active constant boolean := {only_active};
    present constant pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    steps integer := 4 * p_batch + 64;
    missing integer := p_batch;
    cursor_tenant pg_catalog.text := coalesce(p_after_tenant, '');
    wrapped boolean := cursor_tenant = '';
    complete boolean := false;
    candidate record;
    claimed integer;
    productive pg_catalog.text[] := '{}';
    still pg_catalog.text[];
    quota integer;
    given integer := 1;
begin
    -- A claim that a crash of the server takes back is made again, and nobody ends work by it: ending asks for the worker
    -- and its fence. So nobody waits for the disk here.
    perform pg_catalog.set_config('synchronous_commit', 'off', true);
    while missing > 0 and steps > 0 loop
        steps := steps - 1;
        select w.tenant_id, w.work_at into candidate
        from misy.{table} w
        where w.work_at is not null and w.tenant_id > cursor_tenant
        order by w.tenant_id, w.work_at
        limit 1;
        if not found or (wrapped and p_after_tenant <> '' and candidate.tenant_id > p_after_tenant) then
            if wrapped then
                complete := true;
                exit;
            end if;
            wrapped := true;
            cursor_tenant := '';
            continue;
        end if;
        cursor_tenant := candidate.tenant_id;
        if candidate.work_at > present or cursor_tenant = any (p_full)
            or only_active
                and not exists (select from misy.tenants t where t.tenant_id = cursor_tenant and t.status = 'active')
        then
            continue;
        end if;
        return query select * from misy.claim_{table}_of(
            cursor_tenant, p_worker, 1, present, p_lease, p_most_attempts);
        get diagnostics claimed = row_count;
        if claimed > 0 then
            missing := missing - claimed;
            productive := productive || cursor_tenant;
        end if;
    end loop;

    while complete and missing > 0 and cardinality(productive) > 0 loop
        -- Each of those that are left was given as much as the others.
        quota := least(ceil(missing::numeric / cardinality(productive)), p_most_of_tenant - given);
        exit when quota <= 0;
        given := given + quota;
        still := '{}';
        foreach cursor_tenant in array productive loop
            exit when missing = 0;
            return query select * from misy.claim_{table}_of(
                cursor_tenant, p_worker, least(quota, missing), present, p_lease, p_most_attempts);
            get diagnostics claimed = row_count;
            missing := missing - claimed;
            if claimed = quota then
                still := still || cursor_tenant;
            end if;
        end loop;
        productive := still;
    end loop;

    tenant_id := case when complete then null else cursor_tenant end;
    id := null;
    fence := null;
    attempts := null;
    return next;
end
$$;
        $sql$, $sql$
-- Prolongs leases that are still held and answers with those that are lost, each with the fence that was asked for: the
-- worker may hold the row under a higher one by now.
create function misy.extend_{table}(p_worker text, p_tenants text[], p_ids text[], p_fences bigint[], p_lease interval)
returns table (tenant_id text, id text, fence bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
    -- As with a claim.
    perform pg_catalog.set_config('synchronous_commit', 'off', true);
    return query
        with held as materialized (
            select h.tenant_id, h.id, h.fence from unnest(p_tenants, p_ids, p_fences) as h (tenant_id, id, fence)
        ), extended as (
            update misy.{table} w
            set work_at = pg_catalog.clock_timestamp() + p_lease
            from held
            where w.tenant_id = held.tenant_id and w.{key} = held.id
                and w.fence = held.fence and w.lease_owner = p_worker
            returning held.tenant_id, held.id, held.fence
        )
        select held.tenant_id, held.id, held.fence
        from held
        where not exists (
            select from extended
            where extended.tenant_id = held.tenant_id and extended.id = held.id and extended.fence = held.fence)
            -- Whoever ended the lease with their work did not lose it, and may be at what comes after. Where it ends at this
            -- moment, the next time tells.
            and not exists (
                select from misy.{table} w
                where w.tenant_id = held.tenant_id and w.{key} = held.id and w.fence = held.fence
                    and coalesce(w.lease_owner, p_worker) = p_worker);
end
$$;
        $sql$, $sql$
-- Gives back a row whose work was not done and did not fail: due again after the delay, as if it had not been claimed.
create function misy.postpone_{table}(p_tenant text, p_id text, p_worker text, p_fence bigint, p_delay interval)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    update misy.{table} w
    set work_at = pg_catalog.clock_timestamp() + p_delay, lease_owner = null, attempts = greatest(w.attempts - 1, 0)
    where w.tenant_id = p_tenant and w.{key} = p_id and w.fence = p_fence and w.lease_owner = p_worker;
    return found;
end
$$;
        $sql$, $sql$
-- Ends a claim that failed: `retry` after the delay; `dead` after the last attempt, until somebody revives it; `lost` when
-- the lease belongs to somebody else.
create function misy.fail_{table}(
    p_tenant text, p_id text, p_worker text, p_fence bigint, p_error text, p_delay interval, p_most_attempts integer)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    set_tenant text;
    present constant timestamptz := pg_catalog.clock_timestamp();
    outcome text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    update misy.{table} w
    set work_at = case when w.attempts < p_most_attempts then present + p_delay end,
        dead_at = case when w.attempts < p_most_attempts then null else present end,
        lease_owner = null,
        last_error = p_error
    where w.tenant_id = p_tenant and w.{key} = p_id and w.fence = p_fence and w.lease_owner = p_worker
    returning case when w.dead_at is null then 'retry' else 'dead' end into outcome;
    return coalesce(outcome, 'lost');
end
$$;
        $sql$, $sql$
revoke execute on function
    misy.claim_{table}_of(text, text, integer, timestamptz, interval, integer),
    misy.claim_{table}(text, integer, interval, text, integer, integer, text[]),
    misy.extend_{table}(text, text[], text[], bigint[], interval),
    misy.postpone_{table}(text, text, text, bigint, interval),
    misy.fail_{table}(text, text, text, bigint, text, interval, integer)
    from public;
        $sql$, $sql$
grant execute on function
    misy.claim_{table}(text, integer, interval, text, integer, integer, text[]),
    misy.extend_{table}(text, text[], text[], bigint[], interval),
    misy.postpone_{table}(text, text, text, bigint, interval),
    misy.fail_{table}(text, text, text, bigint, text, interval, integer)
    to misy_worker;
        $sql$, $sql$
grant select, update (work_at, lease_owner, attempts, last_error, dead_at) on misy.{table} to misy_worker;
        $sql$
    ] loop
        template := replace(template, '{table}', relation);
        template := replace(template, '{key}', key_column);
        template := replace(template, '{kind}', kind);
        execute replace(template, '{only_active}', only_active::text);
    end loop;
end
$procedure$;

-- A conversation stays when its work is dropped: only the retries end.
call misy.lease('misy.conversations', 'conversation', 'conversation_id', keeps_row => true);

-- Work of the tenant that was given up, the newest first; only what comes after the place that is given, if one is. Builds
-- its statement from the leased tables alone, never from what a caller says.
create function misy.dead_work(
    p_tenant text, p_kind text, p_before timestamptz, p_before_kind text, p_before_id text, p_limit integer)
returns table (kind text, id text, attempts integer, last_error text, dead_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    dead_of_each text;
begin
    select string_agg(format(
        '(select %1$L::text collate "C" as kind, w.%2$I as id, w.attempts, w.last_error, w.dead_at
          from misy.%3$I w
          where w.tenant_id = $1 and w.dead_at is not null
              and ($2 is null or (w.dead_at, %1$L::text collate "C", w.%2$I) < ($2, $3 collate "C", $4 collate "C"))
          order by w.dead_at desc, w.%2$I desc limit $5)', l.kind, l.key_column, l.table_name), ' union all ')
    into dead_of_each
    from platform.leased_tables l
    where p_kind is null or l.kind = p_kind;
    if dead_of_each is null then
        return;
    end if;
    return query execute format('select * from (%s) d order by d.dead_at desc, d.kind desc, d.id desc limit $5', dead_of_each)
        using p_tenant, p_before, p_before_kind, p_before_id, p_limit;
end
$$;

-- Gives work that was given up another chance; whether there was such work.
create function misy.revive_work(p_tenant text, p_kind text, p_id text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    leased platform.leased_tables;
    changed bigint;
begin
    select * into leased from platform.leased_tables l where l.kind = p_kind;
    if not found then
        return false;
    end if;
    execute format(
        'update misy.%I set dead_at = null, attempts = 0, work_at = pg_catalog.clock_timestamp()
         where tenant_id = $1 and %I = $2 and dead_at is not null', leased.table_name, leased.key_column)
        using p_tenant, p_id;
    get diagnostics changed = row_count;
    return changed > 0;
end
$$;

-- Lets go of work that was given up: the row goes, or rests where it is more than its work. Whether there was such work.
create function misy.drop_work(p_tenant text, p_kind text, p_id text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    leased platform.leased_tables;
    changed bigint;
begin
    select * into leased from platform.leased_tables l where l.kind = p_kind;
    if not found then
        return false;
    end if;
    execute format(
        case when leased.keeps_row
            then 'update misy.%I set dead_at = null, attempts = 0, last_error = null '
            else 'delete from misy.%I '
        end || 'where tenant_id = $1 and %I = $2 and dead_at is not null', leased.table_name, leased.key_column)
        using p_tenant, p_id;
    get diagnostics changed = row_count;
    return changed > 0;
end
$$;

revoke execute on function
    misy.dead_work(text, text, timestamptz, text, text, integer), misy.revive_work(text, text, text),
    misy.drop_work(text, text, text)
    from public;
grant execute on function
    misy.dead_work(text, text, timestamptz, text, text, integer), misy.revive_work(text, text, text),
    misy.drop_work(text, text, text)
    to misy_app, misy_system;
