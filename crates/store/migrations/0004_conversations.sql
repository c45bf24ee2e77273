-- Contacts, sessions, conversations and their messages. A conversation belongs to a contact and carries its own work: see
-- `misy.lease` (0011). Sessions are the web's own.

create table misy.contacts (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    contact_id text collate "C" not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, contact_id)
);

create table misy.conversations (
    tenant_id text collate "C" not null,
    conversation_id text collate "C" not null,
    contact_id text collate "C" not null,
    status text not null default 'active' check (status in ('active', 'handoff', 'closed')),
    language text,
    -- The sequence of the newest message, of the newest from the contact, and up to which the contact was answered.
    last_sequence bigint not null default 0,
    last_inbound_sequence bigint not null default 0,
    answered_sequence bigint not null default 0,
    unanswered_in_a_row smallint not null default 0,
    created_at timestamptz not null default now(),
    primary key (tenant_id, conversation_id),
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade
);
create index conversations_contact on misy.conversations (tenant_id, contact_id);

create table misy.sessions (
    tenant_id text collate "C" not null,
    session_id text collate "C" not null,
    site_id text collate "C" not null,
    conversation_id text collate "C" not null,
    contact_id text collate "C" not null,
    channel text not null,
    locale text,
    -- The chain of renewed tokens that may use it.
    token_family text collate "C" not null,
    sealed_metadata bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, session_id),
    foreign key (tenant_id, site_id) references misy.sites on delete cascade,
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade,
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade
);
create index sessions_conversation on misy.sessions (tenant_id, conversation_id);
create index sessions_contact on misy.sessions (tenant_id, contact_id);
create index sessions_site on misy.sessions (tenant_id, site_id);
create index sessions_family on misy.sessions (tenant_id, token_family);

create table misy.messages (
    tenant_id text collate "C" not null,
    conversation_id text collate "C" not null,
    sequence bigint not null check (sequence > 0),
    message_id text collate "C" not null,
    -- Where it comes from or goes to: a session of the web, or else a channel account.
    session_id text collate "C",
    account_id text collate "C",
    role text not null check (role in ('contact', 'agent', 'human', 'system')),
    agent_name text,
    -- Parts, sources and what it replies to, sealed under the tenant's data key.
    sealed_body bytea not null,
    -- The id that it has outside, and when it was sent there.
    external_id text collate "C",
    sent_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, conversation_id, sequence),
    check ((session_id is null) <> (account_id is null)),
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade
);

-- What came from outside is unique by where it came from and the id it had there. A session is a place of its own, so that
-- nobody can probe for the ids of others.
create unique index messages_external on misy.messages (tenant_id, coalesce(account_id, session_id), external_id)
    where external_id is not null and role = 'contact';

-- Why a turn went as it did. Holds ids, scores and rules, never the words of a contact.
create table misy.decisions (
    tenant_id text collate "C" not null,
    -- Every message of the turn, asked and answered, leads to its decision.
    message_id text collate "C" not null,
    conversation_id text collate "C" not null,
    record jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, message_id),
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade
);
create index decisions_conversation on misy.decisions (tenant_id, conversation_id);

do $$
declare
    name text;
begin
    foreach name in array array['contacts', 'conversations', 'sessions', 'messages', 'decisions'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_worker, misy_system', name);
    end loop;
end
$$;
