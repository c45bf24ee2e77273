-- Work is a lease on the conversation itself. Three columns tell everything: `work_at` is when it is due, or, while
-- somebody works on it, when the lease runs out; `lease_owner` is who works on it; `fence` grows with every claim, so that
-- a holder that was too slow cannot write. All times are the database's own: the clocks of the replicas do not count.

create index conversations_dead on misy.conversations (tenant_id, dead_at) where dead_at is not null;

-- Claims up to so many due conversations of one tenant, the longest due first. A part of claim_conversations.
create function misy.claim_of_tenant(
    p_tenant text, p_worker text, p_batch integer, p_present timestamptz, p_lease interval, p_most_attempts integer)
returns table (tenant_id text, conversation_id text, fence bigint, attempts integer)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        with due as materialized (
            select c.conversation_id
            from misy.conversations c
            where c.tenant_id = p_tenant and c.work_at <= p_present
            order by c.work_at
            limit p_batch
            for no key update skip locked
        ), claimed as (
            update misy.conversations c
            set fence = c.fence + 1,
                attempts = c.attempts + 1,
                lease_owner = case when c.attempts < p_most_attempts then p_worker end,
                work_at = case when c.attempts < p_most_attempts then p_present + p_lease end,
                dead_at = case when c.attempts < p_most_attempts then null else p_present end,
                last_error = case when c.attempts < p_most_attempts then c.last_error else 'worker_lost' end
            from due
            where c.tenant_id = p_tenant and c.conversation_id = due.conversation_id
            returning c.conversation_id, c.fence, c.attempts, c.dead_at
        )
        select p_tenant, claimed.conversation_id, claimed.fence, claimed.attempts
        from claimed
        where claimed.dead_at is null;
end
$$;

-- Claims due conversations, fairly between tenants: it walks the tenants that have work from the one after
-- `p_after_tenant`, once around, and takes one due conversation of each; only if the batch is not full then, it takes more
-- of those, up to `p_most_of_tenant` of each. Tenants in `p_full` hold their share already and are passed over: one tenant
-- must not occupy a whole worker. It answers with the claimed rows and a last row without a conversation, whose tenant is where the next claim
-- goes on; no tenant there means that all tenants were looked at, and the next claim may start where this one did.
--
-- Each step is one descent of the index on (tenant_id, work_at), however many conversations wait. Tenants that have
-- nothing due (all in progress, waiting to be tried again, or suspended) cost a step each; a claim makes at most
-- 4 · batch + 64 of them and leaves the rest to the next.
--
-- What was claimed `p_most_attempts` times without an end takes its worker down with it: it is given up here.
create function misy.claim_conversations(
    p_worker text, p_batch integer, p_lease interval, p_after_tenant text, p_most_attempts integer,
    p_most_of_tenant integer, p_full text[])
returns table (tenant_id text, conversation_id text, fence bigint, attempts integer)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- Statistics of a young table make a scan of all of it look cheap, and the plan is kept.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
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
    while missing > 0 and steps > 0 loop
        steps := steps - 1;
        select c.tenant_id, c.work_at into candidate
        from misy.conversations c
        where c.work_at is not null and c.tenant_id > cursor_tenant
        order by c.tenant_id, c.work_at
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
            or not exists (select from misy.tenants t where t.tenant_id = cursor_tenant and t.status = 'active')
        then
            continue;
        end if;
        return query select * from misy.claim_of_tenant(cursor_tenant, p_worker, 1, present, p_lease, p_most_attempts);
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
            return query select * from misy.claim_of_tenant(
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
    conversation_id := null;
    fence := null;
    attempts := null;
    return next;
end
$$;

-- Prolongs leases that are still held and answers with those that are lost, each with the fence that was asked for: the
-- worker may hold the conversation under a higher one by now.
create function misy.extend_leases(
    p_worker text, p_tenants text[], p_conversations text[], p_fences bigint[], p_lease interval)
returns table (tenant_id text, conversation_id text, fence bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
    return query
        with held as materialized (
            select h.tenant_id, h.conversation_id, h.fence
            from unnest(p_tenants, p_conversations, p_fences) as h (tenant_id, conversation_id, fence)
        ), extended as (
            update misy.conversations c
            set work_at = pg_catalog.clock_timestamp() + p_lease
            from held
            where c.tenant_id = held.tenant_id and c.conversation_id = held.conversation_id
                and c.fence = held.fence and c.lease_owner = p_worker
            returning c.tenant_id, c.conversation_id, c.fence
        )
        select held.tenant_id, held.conversation_id, held.fence
        from held
        where not exists (
            select from extended
            where extended.tenant_id = held.tenant_id and extended.conversation_id = held.conversation_id
                and extended.fence = held.fence);
end
$$;

-- Gives back a conversation that nobody has begun to work on: due at once, as if it had not been claimed.
create function misy.release_conversation(p_tenant text, p_conversation text, p_worker text, p_fence bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    update misy.conversations c
    set work_at = pg_catalog.clock_timestamp(), lease_owner = null, attempts = greatest(c.attempts - 1, 0)
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation
        and c.fence = p_fence and c.lease_owner = p_worker;
    return found;
end
$$;

-- Ends a claim that failed: `retry` after the delay; `dead` after the last attempt, until a new message or an operator
-- revives it; `lost` when the lease belongs to somebody else.
create function misy.fail_conversation(
    p_tenant text, p_conversation text, p_worker text, p_fence bigint, p_error text, p_delay interval,
    p_most_attempts integer)
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
    update misy.conversations c
    set work_at = case when c.attempts < p_most_attempts then present + p_delay end,
        dead_at = case when c.attempts < p_most_attempts then null else present end,
        lease_owner = null,
        last_error = p_error
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation
        and c.fence = p_fence and c.lease_owner = p_worker
    returning case when c.dead_at is null then 'retry' else 'dead' end into outcome;
    return coalesce(outcome, 'lost');
end
$$;

-- An operator gives a conversation that was given up another chance.
create function misy.revive_conversation(p_tenant text, p_conversation text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update misy.conversations c
    set dead_at = null, attempts = 0, work_at = pg_catalog.clock_timestamp()
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation and c.dead_at is not null;
    return found;
end
$$;

revoke execute on function
    misy.claim_of_tenant(text, text, integer, timestamptz, interval, integer),
    misy.claim_conversations(text, integer, interval, text, integer, integer, text[]),
    misy.extend_leases(text, text[], text[], bigint[], interval),
    misy.release_conversation(text, text, text, bigint),
    misy.fail_conversation(text, text, text, bigint, text, interval, integer),
    misy.revive_conversation(text, text)
    from public;
grant execute on function
    misy.claim_conversations(text, integer, interval, text, integer, integer, text[]),
    misy.extend_leases(text, text[], text[], bigint[], interval),
    misy.release_conversation(text, text, text, bigint),
    misy.fail_conversation(text, text, text, bigint, text, interval, integer)
    to misy_worker;
grant execute on function misy.revive_conversation(text, text) to misy_app, misy_system;
