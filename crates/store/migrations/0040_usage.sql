-- Monthly quotas and the metering of usage. Months are those of UTC.
--
-- One row to count in would make all messages of a tenant wait for each other, until each is on disk. So the month of a
-- tenant has 16 rows, and each may count up to what it was given of the quota (`allowed`). Who finds its row used up locks
-- all of them in order, adds up, and shares out again what is left; so exactly the quota passes. What is shared out ends one
-- short of 80 % and of 100 %: whoever takes that unit does so under all locks and leaves the warning.

-- Quotas that differ from the plan's.
create table misy.quotas (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    kind text collate "C" not null check (kind in ('messages', 'bookings', 'ai_tokens')),
    monthly bigint not null check (monthly >= 0),
    primary key (tenant_id, kind)
);

-- No reference to the tenant in the following: each message would lock the row that all of them share. They go with the
-- tenant by a trigger.
create table misy.usage_slots (
    tenant_id text collate "C" not null,
    kind text collate "C" not null check (kind in ('messages', 'bookings', 'ai_tokens')),
    month date not null,
    slot smallint not null check (slot between 0 and 15),
    used bigint not null default 0,
    allowed bigint not null default 0,
    -- The quota that `allowed` is a share of; -1 before the first.
    quota bigint not null default -1,
    primary key (tenant_id, kind, month, slot)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- One row for each thing that was counted: what bills are made of.
create table misy.usage_events (
    tenant_id text collate "C" not null,
    month date not null,
    kind text collate "C" not null check (kind in ('messages', 'bookings', 'ai_tokens')),
    -- The message, the booking, the call of a model.
    subject text collate "C" not null,
    at timestamptz not null,
    amount bigint not null check (amount >= 0),
    slot smallint not null,
    -- The publishable key or tenant secret that the caller's token was made with.
    key_id text collate "C",
    site_id text collate "C",
    channel text,
    -- False while an amount is only reserved.
    settled boolean not null default true,
    primary key (tenant_id, month, kind, subject)
);

-- Written when 80 % and 100 % of a quota are reached, once for each quota; alerts are made of it.
create table misy.quota_events (
    tenant_id text collate "C" not null,
    kind text collate "C" not null,
    month date not null,
    percent smallint not null check (percent in (80, 100)),
    quota bigint not null,
    at timestamptz not null,
    used bigint not null,
    primary key (tenant_id, kind, month, percent, quota)
);

-- Refused calls of a tenant by reason and day.
create table misy.refusals (
    tenant_id text collate "C" not null,
    day date not null,
    reason text collate "C" not null,
    count bigint not null check (count > 0),
    primary key (tenant_id, day, reason)
);

do $$
declare
    name text;
begin
    foreach name in array array['quotas', 'usage_slots', 'usage_events', 'quota_events', 'refusals'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_worker, misy_system', name);
    end loop;
end
$$;

create function misy.forget_usage() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from misy.usage_slots u where u.tenant_id = old.tenant_id;
    delete from misy.usage_events u where u.tenant_id = old.tenant_id;
    delete from misy.quota_events u where u.tenant_id = old.tenant_id;
    delete from misy.refusals u where u.tenant_id = old.tenant_id;
    return null;
end
$$;
create trigger forget_usage after delete on misy.tenants for each row execute function misy.forget_usage();

-- Messages are counted by who takes them in, and by nobody else: the worker settles what turns used, and resets no messages.
create function misy.refuse_the_worker() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_user = 'misy_worker' and (new.kind = 'messages' or (tg_op = 'UPDATE' and old.kind = 'messages')) then
        raise exception 'the worker counts no messages' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
revoke execute on function misy.refuse_the_worker() from public;
create trigger refuse_the_worker before insert or update on misy.usage_slots
for each row execute function misy.refuse_the_worker();
create trigger refuse_the_worker before insert or update on misy.usage_events
for each row execute function misy.refuse_the_worker();

-- The first day of the month that a time is in.
create function misy.month_of(p_at timestamptz) returns date
language sql immutable
return pg_catalog.date_trunc('month', p_at at time zone 'UTC')::pg_catalog.date;

-- Counts under all locks, and shares out what is left. A part of take_usage.
create function misy.share_out_usage(
    p_tenant text, p_kind text, p_month date, p_slot smallint, p_amount bigint, p_quota bigint, p_now timestamptz)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 80 %, rounded up.
    warning constant bigint := p_quota - p_quota / 5;
    before bigint;
    later bigint;
    rest bigint;
begin
    -- Most refusals need no lock: what was used does not come back but by an amount that is settled.
    select coalesce(pg_catalog.sum(u.used), 0) into before from misy.usage_slots u
    where u.tenant_id = p_tenant and u.kind = p_kind and u.month = p_month;
    if before >= p_quota then
        insert into misy.quota_events (tenant_id, kind, month, percent, quota, at, used)
        values (p_tenant, p_kind, p_month, 100, p_quota, p_now, before)
        on conflict do nothing;
        return false;
    end if;

    insert into misy.usage_slots (tenant_id, kind, month, slot)
    select p_tenant, p_kind, p_month, n from pg_catalog.generate_series(0, 15) n
    order by n
    on conflict do nothing;
    perform from misy.usage_slots u
    where u.tenant_id = p_tenant and u.kind = p_kind and u.month = p_month
    order by u.slot
    for no key update;
    select coalesce(pg_catalog.sum(u.used), 0) into before from misy.usage_slots u
    where u.tenant_id = p_tenant and u.kind = p_kind and u.month = p_month;
    later := before + p_amount;
    if later > p_quota then
        return false;
    end if;

    insert into misy.quota_events (tenant_id, kind, month, percent, quota, at, used)
    select p_tenant, p_kind, p_month, t.percent, p_quota, p_now, later
    from (values (80::smallint, warning), (100::smallint, p_quota)) as t (percent, threshold)
    where before < t.threshold and later >= t.threshold
    on conflict do nothing;

    rest := case when later < warning then warning - 1 - later when later < p_quota then p_quota - 1 - later else 0 end;
    update misy.usage_slots u
    set used = u.used + case when u.slot = p_slot then p_amount else 0 end,
        allowed = u.used + case when u.slot = p_slot then p_amount else 0 end
                  + rest / 16 + case when u.slot < rest % 16 then 1 else 0 end,
        quota = p_quota
    where u.tenant_id = p_tenant and u.kind = p_kind and u.month = p_month;
    return true;
end
$$;

-- Takes an amount of the month's quota, or nothing of it: answers with the slot it was counted in, or null. No quota is
-- no limit.
create function misy.take_usage(
    p_tenant text, p_kind text, p_amount bigint, p_quota bigint, p_now timestamptz)
returns smallint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    month_now constant date := misy.month_of(p_now);
    most constant bigint := coalesce(p_quota, 1::bigint << 60);
    mine constant smallint := pg_catalog.floor(pg_catalog.random() * 16)::smallint;
begin
    -- A row that was used up by somebody else at this moment stays locked although it is not updated. Who holds it and then
    -- wants all of them in order would stand in the way of others who do: the savepoint lets go of it.
    begin
        update misy.usage_slots u
        set used = u.used + p_amount
        where u.tenant_id = p_tenant and u.kind = p_kind and u.month = month_now and u.slot = mine
            and u.quota = most and u.used + p_amount <= u.allowed;
        if not found then
            raise sqlstate 'MQ001';
        end if;
        return mine;
    exception when sqlstate 'MQ001' then
        null;
    end;
    if misy.share_out_usage(p_tenant, p_kind, month_now, mine, p_amount, most, p_now) then
        return mine;
    end if;
    return null;
end
$$;

-- As ingest_message, and counts what was stored, in the same round trip and transaction. `quota_exceeded`: the month's
-- messages are used up; what was stored before is answered as it was then.
create function misy.ingest_counted(
    p_tenant text, p_session text, p_site text, p_family text, p_channel text, p_account text, p_conversation text,
    p_external_id text, p_message_id text, p_sealed_body bytea, p_sent_at timestamptz, p_now timestamptz, p_key text,
    p_quota bigint,
    out outcome text, out message_id text, out conversation_id text, out sequence bigint, out created_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
    taken smallint;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    taken := misy.take_usage(p_tenant, 'messages', 1, p_quota, p_now);
    if taken is null and not exists (
        select from misy.messages m
        where m.tenant_id = p_tenant and coalesce(m.account_id, m.session_id) = coalesce(p_account, p_session)
            and m.external_id = p_external_id and m.role = 'contact')
    then
        outcome := 'quota_exceeded';
        return;
    end if;
    select i.outcome, i.message_id, i.conversation_id, i.sequence, i.created_at
    into outcome, message_id, conversation_id, sequence, created_at
    from misy.ingest_message(p_tenant, p_session, p_site, p_family, p_channel, p_account, p_conversation, p_external_id,
                             p_message_id, p_sealed_body, p_sent_at, p_now) i;
    if ingest_counted.outcome = 'stored' then
        -- A null here (the duplicate was erased a moment ago) is refused by the table, and all is undone.
        insert into misy.usage_events (tenant_id, month, kind, subject, at, amount, slot, key_id, site_id, channel)
        values (p_tenant, misy.month_of(p_now), 'messages', p_message_id, p_now, 1, taken, p_key, p_site, p_channel);
    elsif taken is not null then
        update misy.usage_slots u
        set used = u.used - 1
        where u.tenant_id = p_tenant and u.kind = 'messages' and u.month = misy.month_of(p_now) and u.slot = taken;
    end if;
end
$$;

-- Reserves an amount for something that is about to happen: `reserved`; `known` if that was done before under the same
-- subject; `exceeded`, and nothing is reserved.
create function misy.reserve_usage(
    p_tenant text, p_kind text, p_subject text, p_amount bigint, p_quota bigint, p_key text, p_site text, p_channel text,
    p_now timestamptz)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    taken smallint;
begin
    if exists (
        select from misy.usage_events e
        where e.tenant_id = p_tenant and e.kind = p_kind and e.subject = p_subject
            and e.month in (misy.month_of(p_now), misy.month_of(p_now - interval '1 month')))
    then
        return 'known';
    end if;
    taken := misy.take_usage(p_tenant, p_kind, p_amount, p_quota, p_now);
    if taken is null then
        -- Somebody else may have reserved the last of it for the same subject meanwhile.
        return case when exists (
            select from misy.usage_events e
            where e.tenant_id = p_tenant and e.month = misy.month_of(p_now) and e.kind = p_kind and e.subject = p_subject)
            then 'known' else 'exceeded' end;
    end if;
    insert into misy.usage_events (tenant_id, month, kind, subject, at, amount, slot, key_id, site_id, channel, settled)
    values (p_tenant, misy.month_of(p_now), p_kind, p_subject, p_now, p_amount, taken, p_key, p_site, p_channel, false)
    on conflict do nothing;
    if not found then
        update misy.usage_slots u
        set used = u.used - p_amount
        where u.tenant_id = p_tenant and u.kind = p_kind and u.month = misy.month_of(p_now) and u.slot = taken;
        return 'known';
    end if;
    return 'reserved';
end
$$;

-- Says what really was used of a reservation; 0 gives all of it back. What was used counts, even beyond the quota. Once;
-- answers whether there was a reservation to settle.
create function misy.settle_usage(p_tenant text, p_kind text, p_subject text, p_amount bigint, p_now timestamptz)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    reserved misy.usage_events;
begin
    select * into reserved from misy.usage_events e
    where e.tenant_id = p_tenant and e.kind = p_kind and e.subject = p_subject and not e.settled
        and e.month in (misy.month_of(p_now), misy.month_of(p_now - interval '1 month'))
    for no key update;
    if not found then
        return false;
    end if;
    update misy.usage_events e
    set amount = p_amount, settled = true
    where e.tenant_id = p_tenant and e.month = reserved.month and e.kind = p_kind and e.subject = p_subject;
    if p_amount > reserved.amount then
        -- More than was shared out: whoever comes next must share out anew.
        perform from misy.usage_slots u
        where u.tenant_id = p_tenant and u.kind = p_kind and u.month = reserved.month
        order by u.slot
        for no key update;
        update misy.usage_slots u
        set quota = -1
        where u.tenant_id = p_tenant and u.kind = p_kind and u.month = reserved.month;
    end if;
    update misy.usage_slots u
    set used = u.used + p_amount - reserved.amount
    where u.tenant_id = p_tenant and u.kind = p_kind and u.month = reserved.month and u.slot = reserved.slot;
    return true;
end
$$;

-- The messages of the month, for the snapshot that is read with them.
create function misy.messages_used(tenant text, at timestamptz) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    answer bigint;
begin
    perform pg_catalog.set_config('app.tenant_id', tenant, true);
    select coalesce(sum(u.used), 0)::bigint into answer from misy.usage_slots u
    where u.tenant_id = tenant and u.kind = 'messages' and u.month = misy.month_of(at);
    return answer;
end
$$;

-- The quotas of a tenant that differ from its plan's, for the snapshot that is read with them.
create function misy.quota_overrides(tenant text) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
begin
    perform pg_catalog.set_config('app.tenant_id', tenant, true);
    select jsonb_object_agg(q.kind, q.monthly) into answer from misy.quotas q where q.tenant_id = tenant;
    return coalesce(answer, '{}');
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'forget_usage()', 'month_of(timestamptz)',
        'share_out_usage(text, text, date, smallint, bigint, bigint, timestamptz)',
        'take_usage(text, text, bigint, bigint, timestamptz)',
        'ingest_counted(text, text, text, text, text, text, text, text, text, bytea, timestamptz, timestamptz, text, bigint)',
        'reserve_usage(text, text, text, bigint, bigint, text, text, text, timestamptz)',
        'settle_usage(text, text, text, bigint, timestamptz)', 'quota_overrides(text)',
        'messages_used(text, timestamptz)'] loop
        execute format('revoke execute on function misy.%s from public', name);
        execute format('grant execute on function misy.%s to misy_app, misy_worker, misy_system', name);
    end loop;
end
$$;
