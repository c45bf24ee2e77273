-- The way in and the way to be read again, each one round trip: the tenant is set within the function, for the statement
-- that calls it and no longer. Row-level security applies as everywhere.

-- What the token that opened the session allows; a turn may use no more, nor more than the site still allows.
alter table misy.sessions add column permissions text[] not null default '{}';

-- Each message updates its conversation: room on the page keeps most updates out of the indexes, and frequent small
-- vacuums keep the queue of work short to read.
alter table misy.conversations set (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.05);

-- Stores what a contact wrote and marks the conversation as having work. It is written in a session, which must be there for
-- this site, token family and channel, or on the thread of a conversation on a channel account. `stored` and `duplicate` tell
-- where the message stands; `not_found` is an origin that is not there; `expired` a session that is over or an account that
-- is disabled. The lock of the conversation makes sequences gapless and ordered; the unique key of the outside id decides,
-- under that lock, whether the message is known.
create function misy.ingest_message(
    p_tenant text, p_session text, p_site text, p_family text, p_channel text, p_account text, p_conversation text,
    p_external_id text, p_message_id text, p_sealed_body bytea, p_sent_at timestamptz, p_now timestamptz,
    out outcome text, out message_id text, out conversation_id text, out sequence bigint, out created_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
    is_over boolean;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);

    if p_account is null then
        select c.conversation_id, c.last_sequence + 1, s.ended_at is not null or s.expires_at <= p_now
        into conversation_id, sequence, is_over
        from misy.sessions s
        join misy.conversations c on c.tenant_id = s.tenant_id and c.conversation_id = s.conversation_id
        where s.tenant_id = p_tenant and s.session_id = p_session and s.site_id = p_site and s.token_family = p_family
            and s.channel = p_channel
        for no key update of c;
    else
        select c.conversation_id, c.last_sequence + 1, a.status = 'disabled'
        into conversation_id, sequence, is_over
        from misy.channel_threads t
        join misy.channel_accounts a on a.tenant_id = t.tenant_id and a.account_id = t.account_id
        join misy.conversations c on c.tenant_id = t.tenant_id and c.conversation_id = t.conversation_id
        where t.tenant_id = p_tenant and t.conversation_id = p_conversation and t.account_id = p_account
            and a.channel = p_channel
        for no key update of c;
    end if;
    if not found then
        outcome := 'not_found';
        return;
    end if;
    if is_over then
        -- What was stored before that is still known: whoever sends it again hears where it stands.
        select 'duplicate', m.message_id, m.conversation_id, m.sequence, m.created_at
        into outcome, message_id, conversation_id, sequence, created_at
        from misy.messages m
        where m.tenant_id = p_tenant and coalesce(m.account_id, m.session_id) = coalesce(p_account, p_session)
            and m.external_id = p_external_id and m.role = 'contact';
        outcome := coalesce(outcome, 'expired');
        return;
    end if;

    insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, account_id, role, sealed_body,
                               external_id, sent_at, created_at)
    values (p_tenant, ingest_message.conversation_id, ingest_message.sequence, p_message_id,
            case when p_account is null then p_session end, p_account, 'contact', p_sealed_body, p_external_id, p_sent_at,
            p_now)
    on conflict (tenant_id, coalesce(account_id, session_id), external_id)
        where external_id is not null and role = 'contact' do nothing;
    if not found then
        outcome := 'duplicate';
        select m.message_id, m.conversation_id, m.sequence, m.created_at
        into message_id, conversation_id, sequence, created_at
        from misy.messages m
        where m.tenant_id = p_tenant and coalesce(m.account_id, m.session_id) = coalesce(p_account, p_session)
            and m.external_id = p_external_id and m.role = 'contact';
        return;
    end if;

    update misy.conversations c
    set last_sequence = ingest_message.sequence,
        last_inbound_sequence = ingest_message.sequence,
        active_at = pg_catalog.clock_timestamp(),
        -- Who writes again is answered again, by the assistant.
        status = case when c.status = 'closed' then 'active' else c.status end,
        handling = c.handling + (c.status = 'closed')::integer,
        -- While a lease is held or a failure waits, the work is due already, and minutes ahead at most: what is further is
        -- from a clock that was wrong.
        work_at = case
            -- A turn that waits goes on with what the contact has to say.
            when c.waits_for is not null and c.lease_owner is null and c.attempts = 0 then pg_catalog.clock_timestamp()
            else least(coalesce(c.work_at, pg_catalog.clock_timestamp()),
                       pg_catalog.clock_timestamp() + interval '5 minutes')
        end,
        attempts = case when c.dead_at is null then c.attempts else 0 end,
        dead_at = null
    where c.tenant_id = p_tenant and c.conversation_id = ingest_message.conversation_id;

    outcome := 'stored';
    message_id := p_message_id;
    created_at := p_now;
end
$$;

-- The messages of a conversation after a sequence, in order.
create function misy.messages_since(p_tenant text, p_conversation text, p_after bigint, p_limit integer)
returns table (
    message_id text, session_id text, account_id text, sequence bigint, role text, agent_name text, sealed_body bytea,
    external_id text, created_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    return query
        select m.message_id, m.session_id, m.account_id, m.sequence, m.role, m.agent_name, m.sealed_body, m.external_id, m.created_at
        from misy.messages m
        where m.tenant_id = p_tenant and m.conversation_id = p_conversation and m.sequence > p_after
        order by m.sequence
        limit p_limit;
end
$$;

revoke execute on function
    misy.ingest_message(text, text, text, text, text, text, text, text, text, bytea, timestamptz, timestamptz),
    misy.messages_since(text, text, bigint, integer)
    from public;
grant execute on function
    misy.ingest_message(text, text, text, text, text, text, text, text, text, bytea, timestamptz, timestamptz),
    misy.messages_since(text, text, bigint, integer)
    to misy_app;
