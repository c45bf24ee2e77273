-- Where messages come from and go to beside the tenant's own sites. A conversation belongs to a contact; a session of the
-- web is one kind of origin of its messages, a thread on a channel account the other.

-- The ids by which vendors know accounts, for what comes from a vendor and names no tenant. Whoever has an id has it alone.
create table platform.channel_accounts (
    channel text collate "C" not null,
    vendor_account_id text collate "C" not null,
    tenant_id text collate "C" not null,
    -- Our own id of the account: what stands in the address that the vendor calls.
    account_id text collate "C" not null unique,
    primary key (channel, vendor_account_id)
);

create function platform.tenant_of_channel_account(p_channel text, p_vendor_account text) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select tenant_id from platform.channel_accounts
    where channel = p_channel and vendor_account_id = p_vendor_account
$$;
-- The same by our own id, which the vendor calls.
create function platform.tenant_of_account(p_channel text, p_account text) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select tenant_id from platform.channel_accounts where channel = p_channel and account_id = p_account
$$;
grant execute on function platform.tenant_of_channel_account(text, text), platform.tenant_of_account(text, text) to misy_app;

-- An account on a channel.
create table misy.channel_accounts (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    account_id text collate "C" not null,
    channel text collate "C" not null check (channel in ('whatsapp', 'instagram', 'messenger', 'email', 'api', 'crm')),
    vendor_account_id text collate "C" not null,
    name text not null,
    -- What is paused takes messages and sends none; what is disabled does neither.
    status text not null default 'active' check (status in ('active', 'paused', 'disabled')),
    -- Why the program itself paused or disabled it.
    disabled_reason text,
    -- What turns of its conversations may use.
    permissions text[] not null,
    -- Where deliveries go, on channels where the account says so.
    callback_url text,
    -- What deliveries are signed with, and what they were signed with before, for as long as both count.
    sealed_secret bytea not null,
    sealed_old_secret bytea,
    old_secret_until timestamptz,
    -- With a vendor: the business that the account belongs to there, what proves us to the vendor and the vendor to us, and the
    -- template that asks a contact to write again.
    business_account_id text,
    sealed_credentials bytea,
    reopening jsonb,
    -- Whether the vendor has approved that people of the tenant answer up to seven days later.
    human_agent boolean not null default false,
    -- While what waited here is made due, some threads at a time: the last conversation that was.
    wakes_after text collate "C",
    made_by text collate "C" not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, account_id),
    unique (tenant_id, channel, vendor_account_id)
);

create index channel_accounts_wake on misy.channel_accounts (tenant_id, account_id) where wakes_after is not null;

create function platform.follow_channel_accounts() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.channel_accounts values (new.channel, new.vendor_account_id, new.tenant_id, new.account_id);
    else
        delete from platform.channel_accounts r
        where r.channel = old.channel and r.vendor_account_id = old.vendor_account_id and r.tenant_id = old.tenant_id;
    end if;
    return null;
end
$$;
create trigger follow_channel_accounts after insert or delete on misy.channel_accounts
    for each row execute function platform.follow_channel_accounts();

-- An id is given up by deleting its account, not by renaming it.
create function misy.keep_vendor_account() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'an account stays what it is' using errcode = 'insufficient_privilege';
end
$$;
create trigger keep_vendor_account before update of tenant_id, account_id, channel, vendor_account_id on misy.channel_accounts
    for each row execute function misy.keep_vendor_account();

-- Who a contact is on a channel. A contact may have several. `scope` is the account where a vendor names people differently
-- for each account, and empty where it has one name for a person. Found by blind index, sealed under the contact's key.
create table misy.contact_identities (
    tenant_id text collate "C" not null,
    identity_id text collate "C" not null,
    channel text collate "C" not null,
    scope text collate "C" not null default '',
    identity_index bytea not null check (octet_length(identity_index) = 32),
    contact_id text collate "C" not null,
    sealed_identity bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, identity_id),
    unique (tenant_id, channel, scope, identity_index),
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade
);
create index contact_identities_contact on misy.contact_identities (tenant_id, contact_id);

-- What a contact and an account say to each other: an origin of messages, as a session is.
create table misy.channel_threads (
    tenant_id text collate "C" not null,
    account_id text collate "C" not null,
    identity_id text collate "C" not null,
    conversation_id text collate "C" not null,
    -- What the contact prefers to read.
    locale text,
    created_at timestamptz not null,
    primary key (tenant_id, account_id, identity_id),
    unique (tenant_id, conversation_id, account_id),
    foreign key (tenant_id, account_id) references misy.channel_accounts on delete cascade,
    foreign key (tenant_id, identity_id) references misy.contact_identities on delete cascade,
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade
);
create index channel_threads_identity on misy.channel_threads (tenant_id, identity_id);

-- What leaves on a thread: one for each message that the contact is to get there.
create table misy.deliveries (
    tenant_id text collate "C" not null,
    delivery_id text collate "C" not null,
    account_id text collate "C" not null,
    conversation_id text collate "C" not null,
    sequence bigint not null,
    message_id text collate "C" not null,
    status text not null default 'queued' check (status in ('queued', 'sent', 'delivered', 'read')),
    -- The id that the vendor gave it.
    vendor_message_id text collate "C",
    created_at timestamptz not null,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    primary key (tenant_id, delivery_id),
    unique (tenant_id, conversation_id, account_id, sequence),
    foreign key (tenant_id, conversation_id, account_id)
        references misy.channel_threads (tenant_id, conversation_id, account_id) on delete cascade
);
create index deliveries_queued on misy.deliveries (tenant_id, conversation_id, account_id, sequence) where status = 'queued';
create index deliveries_account on misy.deliveries (tenant_id, account_id, delivery_id);

do $$
declare
    name text;
begin
    foreach name in array array['channel_accounts', 'contact_identities', 'channel_threads', 'deliveries'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_system', name);
        execute format('grant select on misy.%I to misy_worker', name);
    end loop;
end
$$;

-- The worker queues and makes deliveries, and disables an account whose receiver is gone. Whose a thread is, is not its to change:
-- it may update one harmless column, as else it could not lock the row.
grant insert, update (status, vendor_message_id, sent_at, delivered_at, read_at) on misy.deliveries to misy_worker;
grant update (status, disabled_reason, version, updated_at) on misy.channel_accounts to misy_worker;
grant update (locale) on misy.channel_threads to misy_worker;

-- Raises an alert when the program itself has an account send nothing more: everything there waits for a person. The occurrence is
-- random, as with work that is given up (0011).
create function misy.tell_of_pause() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, subject, detail, raised_at)
    values (new.tenant_id, misy.new_id('alr'), 'channel_paused', gen_random_uuid()::text, 'critical', new.account_id,
            jsonb_build_object('channel', new.channel, 'reason', new.disabled_reason), new.updated_at);
    return null;
end
$$;
revoke execute on function misy.tell_of_pause() from public;
create trigger tell_of_pause after update of status on misy.channel_accounts
    for each row when (old.status = 'active' and new.status <> 'active' and new.disabled_reason is not null)
    execute function misy.tell_of_pause();

create trigger cap after insert on misy.channel_accounts
    for each row execute function misy.keep_cap('100', 'channel accounts', 'tenant_id', 'true');

insert into platform.sealed_columns values
    ('channel_accounts', 'sealed_secret', '{account_id}', 't.account_id', 'null', 'true'),
    ('channel_accounts', 'sealed_old_secret', '{account_id}', 't.account_id', 'null', 't.sealed_old_secret is not null'),
    ('channel_accounts', 'sealed_credentials', '{account_id}', 't.account_id', 'null', 't.sealed_credentials is not null'),
    ('contact_identities', 'sealed_identity', '{identity_id}', 't.identity_id', 't.contact_id', 'true');
create trigger refuse_retired_key after insert or update of sealed_secret on misy.channel_accounts
    for each row when (misy.data_key_version(new.sealed_secret) is not null)
    execute function misy.refuse_retired_key('sealed_secret');
create trigger refuse_retired_key after insert or update of sealed_identity on misy.contact_identities
    for each row when (misy.data_key_version(new.sealed_identity) is not null)
    execute function misy.refuse_retired_key('sealed_identity');
create trigger refuse_retired_key_of_credentials after insert or update of sealed_credentials on misy.channel_accounts
    for each row when (misy.data_key_version(new.sealed_credentials) is not null)
    execute function misy.refuse_retired_key('sealed_credentials');
create trigger refuse_retired_old_key after insert or update of sealed_old_secret on misy.channel_accounts
    for each row when (misy.data_key_version(new.sealed_old_secret) is not null)
    execute function misy.refuse_retired_key('sealed_old_secret');

-- The thread of somebody on an account, in one round trip: `found`; `new` when there is none yet, or `quota_exceeded` when there
-- shall be none, because the month's messages are used up and so the first message would not be stored; `disabled` or
-- `not_found` when the account takes no messages or is not there.
create function misy.channel_thread(
    p_tenant text, p_account text, p_channel text, p_scope text, p_identity_index bytea, p_quota bigint, p_now timestamptz,
    out outcome text, out conversation_id text, out contact_id text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
    its_status text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    select a.status into its_status
    from misy.channel_accounts a
    where a.tenant_id = p_tenant and a.account_id = p_account and a.channel = p_channel;
    if not found then
        outcome := 'not_found';
        return;
    end if;
    if its_status = 'disabled' then
        outcome := 'disabled';
        return;
    end if;
    select t.conversation_id, i.contact_id into conversation_id, contact_id
    from misy.contact_identities i
    left join misy.channel_threads t
        on t.tenant_id = i.tenant_id and t.account_id = p_account and t.identity_id = i.identity_id
    where i.tenant_id = p_tenant and i.channel = p_channel and i.scope = p_scope and i.identity_index = p_identity_index;
    outcome := case
        when conversation_id is not null then 'found'
        when misy.messages_used(p_tenant, p_now) >= p_quota then 'quota_exceeded'
        else 'new'
    end;
end
$$;
-- Deliveries are leased work (see 0011). Those of a thread leave one after the other: only the first that has not left is due. The
-- thread's row is the lock under which it is decided which one that is; whoever decides looks again under it.
call misy.lease('misy.deliveries', 'delivery', 'delivery_id');

-- Makes the first delivery of a thread due that has neither left nor was given up, unless another of it is due or under way.
create function misy.wake_delivery(p_tenant text, p_account text, p_conversation text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from misy.channel_threads t
    where t.tenant_id = p_tenant and t.account_id = p_account and t.conversation_id = p_conversation
    for no key update;
    update misy.deliveries d
    set work_at = pg_catalog.clock_timestamp()
    where d.tenant_id = p_tenant and d.delivery_id = (
            select n.delivery_id from misy.deliveries n
            where n.tenant_id = p_tenant and n.account_id = p_account and n.conversation_id = p_conversation
                and n.status = 'queued' and n.dead_at is null
            order by n.sequence limit 1)
        and not exists (
            select from misy.deliveries n
            where n.tenant_id = p_tenant and n.account_id = p_account and n.conversation_id = p_conversation
                and n.status = 'queued' and n.dead_at is null and n.work_at is not null);
end
$$;

-- What has left, was given up or was dropped makes room for the next.
create function misy.wake_next_delivery() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform misy.wake_delivery(old.tenant_id, old.account_id, old.conversation_id);
    return null;
end
$$;
create trigger wake_next_delivery after update of status, dead_at on misy.deliveries
    for each row when (
        (old.status = 'queued' and new.status <> 'queued') or (old.dead_at is null and new.dead_at is not null))
    execute function misy.wake_next_delivery();
create trigger wake_next_delivery_after_this after delete on misy.deliveries
    for each row when (old.status = 'queued' and old.dead_at is null)
    execute function misy.wake_next_delivery();

-- What is revived is not due by itself: it takes its place in its thread. What comes after it and waits stands back, and what a
-- courier sends at this moment ends first. A row that somebody else holds is theirs: nobody waits for it here, since they may
-- wait for the thread.
create function misy.rest_revived_delivery() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.work_at := null;
    return new;
end
$$;
create function misy.wake_revived_delivery() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from misy.channel_threads t
    where t.tenant_id = new.tenant_id and t.account_id = new.account_id and t.conversation_id = new.conversation_id
    for no key update;
    update misy.deliveries d
    set work_at = null
    where d.tenant_id = new.tenant_id and d.delivery_id in (
        select n.delivery_id from misy.deliveries n
        where n.tenant_id = new.tenant_id and n.account_id = new.account_id and n.conversation_id = new.conversation_id
            and n.status = 'queued' and n.dead_at is null and n.work_at is not null and n.lease_owner is null
        for no key update skip locked);
    perform misy.wake_delivery(new.tenant_id, new.account_id, new.conversation_id);
    return null;
end
$$;
create trigger rest_revived_delivery before update of dead_at on misy.deliveries
    for each row when (old.dead_at is not null and new.dead_at is null)
    execute function misy.rest_revived_delivery();
create trigger wake_revived_delivery after update of dead_at on misy.deliveries
    for each row when (old.dead_at is not null and new.dead_at is null)
    execute function misy.wake_revived_delivery();

-- Makes some threads due of those that waited on an account while it sent nothing: there may be very many. Says how many.
create function misy.wake_account(p_tenant text, p_account text, p_limit integer) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    woken integer := 0;
    waiting text;
begin
    for waiting in
        select distinct d.conversation_id
        from misy.deliveries d
        join misy.channel_accounts a on a.tenant_id = d.tenant_id and a.account_id = d.account_id
        where d.tenant_id = p_tenant and d.account_id = p_account and d.status = 'queued' and d.dead_at is null
            and d.work_at is null and a.status = 'active' and d.conversation_id > a.wakes_after
        order by d.conversation_id
        limit p_limit
    loop
        perform misy.wake_delivery(p_tenant, p_account, waiting);
        woken := woken + 1;
    end loop;
    update misy.channel_accounts a
    set wakes_after = case when woken = p_limit then waiting end
    where a.tenant_id = p_tenant and a.account_id = p_account;
    return woken;
end
$$;

-- The same of accounts where threads wait for it: of some that chance names, so that none stands before another each time.
create function misy.wake_accounts(p_limit integer) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    its record;
    woken integer := 0;
begin
    for its in
        select a.tenant_id, a.account_id
        from misy.channel_accounts a
        where a.wakes_after is not null
        order by pg_catalog.random()
        limit 20
        for no key update skip locked
    loop
        woken := woken + misy.wake_account(its.tenant_id, its.account_id, p_limit);
    end loop;
    return woken;
end
$$;
revoke execute on function
    misy.wake_delivery(text, text, text), misy.wake_next_delivery(), misy.rest_revived_delivery(),
    misy.wake_revived_delivery(), misy.wake_account(text, text, integer), misy.wake_accounts(integer) from public;
grant execute on function misy.wake_delivery(text, text, text) to misy_app, misy_worker, misy_system;
grant execute on function misy.wake_account(text, text, integer) to misy_app, misy_system;
grant execute on function misy.wake_accounts(integer) to misy_system;

-- Whatever was said to the contact after a sequence, on accounts, is to be delivered. A part of what says it.
create function misy.enqueue_deliveries(p_tenant text, p_conversation text, p_after bigint, p_now timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Whoever decides which delivery of a thread is due holds its lock.
    perform from misy.channel_threads t
    where t.tenant_id = p_tenant and t.conversation_id = p_conversation
    order by t.account_id
    for no key update;
    -- A delivery has the identifier of its message, under a prefix of its own.
    insert into misy.deliveries (tenant_id, delivery_id, account_id, conversation_id, sequence, message_id, created_at)
    select p_tenant, 'dlv' || pg_catalog.substr(m.message_id, 4), m.account_id, p_conversation, m.sequence, m.message_id,
           p_now
    from misy.messages m
    where m.tenant_id = p_tenant and m.conversation_id = p_conversation and m.sequence > p_after
        and m.account_id is not null and m.role <> 'contact'
    on conflict do nothing;
    perform misy.wake_delivery(p_tenant, t.account_id, p_conversation)
    from misy.channel_threads t
    where t.tenant_id = p_tenant and t.conversation_id = p_conversation;
end
$$;
revoke execute on function misy.enqueue_deliveries(text, text, bigint, timestamptz) from public;
grant execute on function misy.enqueue_deliveries(text, text, bigint, timestamptz) to misy_app, misy_worker, misy_system;

revoke execute on function
    misy.channel_thread(text, text, text, text, bytea, bigint, timestamptz), misy.keep_vendor_account() from public;
grant execute on function misy.channel_thread(text, text, text, text, bytea, bigint, timestamptz) to misy_app;
