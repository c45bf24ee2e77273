-- People who answer. A conversation with the status `handoff` waits for a person while it has no assignee, and is held by one
-- while it has. Meanwhile turns say nothing.

alter table misy.conversations
    -- Where the contact writes from.
    add column channel text collate "C" not null default 'web',
    -- The person who holds it.
    add column assignee text collate "C",
    -- Since when it waits for a person to take it.
    add column waiting_since timestamptz,
    -- Grows with each change of who answers.
    add column handling bigint not null default 0,
    -- When something was said last; nothing before the first message.
    add column active_at timestamptz,
    add check (assignee is null or status = 'handoff'),
    add check (waiting_since is null or (status = 'handoff' and assignee is null));

create index conversations_active on misy.conversations (tenant_id, active_at, conversation_id) where active_at is not null;
create index conversations_waiting on misy.conversations (tenant_id, waiting_since) where waiting_since is not null;
create index conversations_assignee on misy.conversations (tenant_id, assignee) where assignee is not null;

-- The person who wrote it, of what people write. The ids that their clients give are their own: no contact takes one from them.
alter table misy.messages add column user_id text collate "C", add check (user_id is null or role = 'human');
create unique index messages_of_people on misy.messages (tenant_id, conversation_id, user_id, external_id) where role = 'human';

-- A page of the conversations of a tenant, those with the newest activity first. Conditions are put together from the ones
-- here, so that each page is one descent of an index.
create function misy.conversation_page(
    p_tenant text, p_state text, p_assignee text, p_channel text, p_before timestamptz, p_before_id text, p_limit integer)
returns setof misy.conversations
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    conditions constant text :=
        case p_state
            when 'assistant' then ' and c.status = ''active'''
            when 'waiting' then ' and c.waiting_since is not null'
            when 'person' then ' and c.assignee is not null'
            when 'closed' then ' and c.status = ''closed'''
            else ''
        end
        || case when p_assignee is not null then ' and c.assignee = $2' else '' end
        || case when p_channel is not null then ' and c.channel = $3' else '' end
        || case when p_before is not null then ' and (c.active_at, c.conversation_id) < ($4, $5)' else '' end;
begin
    return query execute
        'select c.* from misy.conversations c where c.tenant_id = $1 and c.active_at is not null' || conditions
        || ' order by c.active_at desc, c.conversation_id desc limit $6'
        using p_tenant, p_assignee, p_channel, p_before, p_before_id, p_limit;
end
$$;

-- Stores what a person writes to the contact, in the place where the contact wrote last, and has it delivered from there. The
-- person must hold the conversation. `duplicate`: they sent it before; `not_held`: somebody else holds it or nobody does;
-- `unheard`: the contact has written nothing.
create function misy.write_as_person(
    p_tenant text, p_conversation text, p_user text, p_client_id text, p_message_id text, p_sealed_body bytea,
    p_now timestamptz,
    out outcome text, out message_id text, out sequence bigint, out created_at timestamptz, out account_id text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    holder text;
    its_session text;
begin
    select c.last_sequence + 1, c.assignee into sequence, holder
    from misy.conversations c
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation
    for no key update;
    if not found then
        outcome := 'not_found';
        return;
    end if;
    select m.message_id, m.sequence, m.created_at into message_id, sequence, created_at
    from misy.messages m
    where m.tenant_id = p_tenant and m.conversation_id = p_conversation and m.user_id = p_user
        and m.external_id = p_client_id and m.role = 'human';
    if found then
        outcome := 'duplicate';
        return;
    end if;
    if holder is distinct from p_user then
        outcome := 'not_held';
        return;
    end if;
    select c.last_sequence + 1 into sequence
    from misy.conversations c
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation;
    select m.session_id, m.account_id into its_session, account_id
    from misy.messages m
    where m.tenant_id = p_tenant and m.conversation_id = p_conversation and m.role = 'contact'
    order by m.sequence desc limit 1;
    if not found then
        outcome := 'unheard';
        return;
    end if;
    insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, account_id, role, user_id,
                               sealed_body, external_id, created_at)
    values (p_tenant, p_conversation, write_as_person.sequence, p_message_id, its_session, write_as_person.account_id, 'human',
            p_user, p_sealed_body, p_client_id, p_now);
    update misy.conversations c
    set last_sequence = write_as_person.sequence, active_at = pg_catalog.clock_timestamp()
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation;
    if account_id is not null then
        perform misy.enqueue_deliveries(p_tenant, p_conversation, write_as_person.sequence - 1, p_now);
    end if;
    outcome := 'stored';
    message_id := p_message_id;
    created_at := p_now;
end
$$;

-- Whoever is disabled or removed holds nothing any more: what they held waits for somebody else.
create function misy.release_conversations() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update misy.conversations c
    set assignee = null, waiting_since = pg_catalog.clock_timestamp(), handling = c.handling + 1
    where c.tenant_id = old.tenant_id and c.assignee = old.user_id;
    return null;
end
$$;
create trigger release_conversations after update of status on misy.users
    for each row when (old.status = 'active' and new.status <> 'active') execute function misy.release_conversations();
create trigger release_conversations_of_removed after delete on misy.users
    for each row execute function misy.release_conversations();

-- Raises an alert for each tenant in which somebody has waited for a person for so long, once an hour; says how many.
create function misy.tell_of_waiting(p_patience interval) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant timestamptz := pg_catalog.clock_timestamp();
    told bigint;
begin
    insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, subject, detail, raised_at)
    select t.tenant_id, misy.new_id('alr'), 'handoff_waiting', gen_random_uuid()::text, 'warning', w.conversation_id,
           jsonb_build_object('minutes', floor(extract(epoch from present - w.waiting_since) / 60)), present
    from misy.tenants t
    cross join lateral (
        select c.conversation_id, c.waiting_since
        from misy.conversations c
        where c.tenant_id = t.tenant_id and c.waiting_since < present - p_patience
        order by c.waiting_since limit 1) w
    where t.status = 'active'
        and not exists (
            select from misy.alerts a
            where a.tenant_id = t.tenant_id and a.rule = 'handoff_waiting' and a.raised_at > present - interval '1 hour');
    get diagnostics told = row_count;
    return told;
end
$$;

revoke execute on function
    misy.conversation_page(text, text, text, text, timestamptz, text, integer),
    misy.write_as_person(text, text, text, text, text, bytea, timestamptz),
    misy.release_conversations(), misy.tell_of_waiting(interval)
    from public;
grant execute on function
    misy.conversation_page(text, text, text, text, timestamptz, text, integer),
    misy.write_as_person(text, text, text, text, text, bytea, timestamptz)
    to misy_app;
grant execute on function misy.tell_of_waiting(interval) to misy_system;

-- What people of the tenant tell each other about a conversation. The contact never sees it.
create table misy.conversation_notes (
    tenant_id text collate "C" not null,
    note_id text collate "C" not null,
    conversation_id text collate "C" not null,
    -- Who wrote it.
    user_id text collate "C" not null,
    -- Sealed under the contact's key: it goes when the contact goes.
    sealed_note bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, note_id),
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade
);
create index conversation_notes_conversation on misy.conversation_notes (tenant_id, conversation_id, note_id);
call misy.protect('misy.conversation_notes');
grant select, insert, update (sealed_note) on misy.conversation_notes to misy_app;
grant select on misy.conversation_notes to misy_worker;
create trigger cap after insert on misy.conversation_notes
    for each row execute function misy.keep_cap('200', 'notes on this conversation', 'conversation_id', 'true');
insert into platform.sealed_columns values
    ('conversation_notes', 'sealed_note', '{note_id}', 't.note_id',
     '(select c.contact_id from misy.conversations c where c.tenant_id = t.tenant_id and c.conversation_id = t.conversation_id)',
     'true');
create trigger refuse_retired_key after insert or update of sealed_note on misy.conversation_notes
    for each row when (misy.data_key_version(new.sealed_note) is not null)
    execute function misy.refuse_retired_key('sealed_note');
