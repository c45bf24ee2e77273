-- Keys under keys: the root key wraps a tenant's data keys, a data key wraps the keys of its contacts and seals the few
-- things that are the tenant's own. What a contact says is sealed under the contact's key.

alter table misy.data_keys drop constraint data_keys_purpose_check;
alter table misy.data_keys add constraint data_keys_purpose_check
    check (purpose in ('data', 'signing_root', 'blind_index'));

-- Whoever deletes the row makes everything that is sealed under it unreadable, in every copy.
create table misy.contact_keys (
    tenant_id text collate "C" not null,
    contact_id text collate "C" not null,
    version integer not null default 1 check (version > 0),
    wrapped_key bytea not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, contact_id),
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade
);
call misy.protect('misy.contact_keys');
grant select, insert, update, delete on misy.contact_keys to misy_app, misy_system;
grant select, insert on misy.contact_keys to misy_worker;

-- The version of the data key that sealed these bytes; null for what is sealed under another key. See `seal` in the code.
create function misy.data_key_version(sealed bytea) returns bigint
language sql immutable
return case when pg_catalog.length(sealed) >= 46 and pg_catalog.get_byte(sealed, 0) = 1 then
    (pg_catalog.get_byte(sealed, 2)::bigint << 24) | (pg_catalog.get_byte(sealed, 3)::bigint << 16)
    | (pg_catalog.get_byte(sealed, 4)::bigint << 8) | pg_catalog.get_byte(sealed, 5)::bigint
end;
grant execute on function misy.data_key_version(bytea) to misy_app, misy_worker, misy_system;

-- What is still to be sealed anew is found without reading all messages; new messages are not in this index.
create index messages_under_data_key on misy.messages (tenant_id, misy.data_key_version(sealed_body))
    where misy.data_key_version(sealed_body) is not null;
create index contact_keys_under_data_key on misy.contact_keys (tenant_id, misy.data_key_version(wrapped_key));

-- Every column that is sealed under a data key. A new one joins with a row here: which columns are the key of its table, how
-- the row is called in the associated data, and whose contact's key it belongs under, if a contact's. The texts are SQL
-- of these migrations, over the table as `t`.
create table platform.sealed_columns (
    table_name text not null,
    column_name text not null,
    key_columns text[] not null,
    row_expression text not null,
    contact_expression text not null default 'null',
    condition text not null default 'true',
    primary key (table_name, column_name)
);
grant select on platform.sealed_columns to misy_app, misy_worker, misy_system;
insert into platform.sealed_columns values
    ('data_keys', 'wrapped_key', '{purpose,version}', 't.purpose || ''/'' || t.version', 'null', 't.purpose <> ''data'''),
    ('contact_keys', 'wrapped_key', '{contact_id}', 't.contact_id', 'null', 'true'),
    ('tenant_secrets', 'sealed_secret', '{key_id}', 't.key_id', 'null', 'true'),
    ('idempotency_keys', 'sealed_response', '{scope,idempotency_key}', 't.scope || E''\n'' || t.idempotency_key', 'null', 'true'),
    ('sessions', 'sealed_metadata', '{session_id}', 't.session_id', 't.contact_id', 'true'),
    ('conversations', 'sealed_handoff', '{conversation_id}', 't.conversation_id', 't.contact_id', 'true'),
    ('conversations', 'sealed_wait', '{conversation_id}', 't.conversation_id', 't.contact_id', 'true'),
    ('messages', 'sealed_body', '{conversation_id,sequence}', 't.message_id || '' '' || t.role',
     '(select c.contact_id from misy.conversations c where c.tenant_id = t.tenant_id and c.conversation_id = t.conversation_id)', 'true');

-- A replica that was asleep while a key was retired must not seal anything under it: nobody could open that again. The lock
-- keeps the key from being retired until the transaction ends.
create function misy.refuse_retired_key() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    sealed pg_catalog.bytea;
begin
    execute format('select ($1).%I', tg_argv[0]) into sealed using new;
    perform from misy.data_keys k
    where k.tenant_id = new.tenant_id and k.purpose = 'data' and k.version = misy.data_key_version(sealed)
        and k.retired_at is null
    for key share;
    if not found then
        raise exception 'sealed under a retired key' using errcode = 'serialization_failure';
    end if;
    return null;
end
$$;
create trigger refuse_retired_key after insert or update of wrapped_key on misy.contact_keys
    for each row when (misy.data_key_version(new.wrapped_key) is not null)
    execute function misy.refuse_retired_key('wrapped_key');
create trigger refuse_retired_key after insert or update of sealed_secret on misy.tenant_secrets
    for each row when (misy.data_key_version(new.sealed_secret) is not null)
    execute function misy.refuse_retired_key('sealed_secret');
create trigger refuse_retired_key after insert or update of sealed_response on misy.idempotency_keys
    for each row when (misy.data_key_version(new.sealed_response) is not null)
    execute function misy.refuse_retired_key('sealed_response');
create trigger refuse_retired_key after insert or update of sealed_metadata on misy.sessions
    for each row when (misy.data_key_version(new.sealed_metadata) is not null)
    execute function misy.refuse_retired_key('sealed_metadata');
create trigger refuse_retired_key after insert or update of sealed_handoff on misy.conversations
    for each row when (misy.data_key_version(new.sealed_handoff) is not null)
    execute function misy.refuse_retired_key('sealed_handoff');
create trigger refuse_retired_key_of_wait after insert or update of sealed_wait on misy.conversations
    for each row when (misy.data_key_version(new.sealed_wait) is not null)
    execute function misy.refuse_retired_key('sealed_wait');
create trigger refuse_retired_key after insert or update of sealed_body on misy.messages
    for each row when (misy.data_key_version(new.sealed_body) is not null)
    execute function misy.refuse_retired_key('sealed_body');

-- All keys of a tenant, in one round trip. A retired key may be needed a moment longer by what was read before.
create function misy.wrapped_keys(p_tenant text)
returns table (purpose text, version integer, wrapped_key bytea)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    return query
        select k.purpose, k.version, k.wrapped_key
        from misy.data_keys k
        where k.tenant_id = p_tenant
            and (k.retired_at is null or k.retired_at > pg_catalog.clock_timestamp() - interval '1 minute')
        order by k.version;
end
$$;

-- The key of the contact that a session or conversation belongs to. A contact without a key has null for it.
create function misy.contact_key(p_tenant text, p_subject text)
returns table (contact_id text, version integer, wrapped_key bytea)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    return query
        select c.contact_id, k.version, k.wrapped_key
        from (
            select s.contact_id from misy.sessions s where s.tenant_id = p_tenant and s.session_id = p_subject
            union all
            select v.contact_id from misy.conversations v
            where v.tenant_id = p_tenant and v.conversation_id = p_subject
            union all
            select o.contact_id from misy.contacts o where o.tenant_id = p_tenant and o.contact_id = p_subject
        ) c
        left join misy.contact_keys k on k.tenant_id = p_tenant and k.contact_id = c.contact_id;
end
$$;

-- Gives a contact that has no key one; the answer is the key that it has now.
create function misy.add_contact_key(p_tenant text, p_contact text, p_wrapped bytea)
returns table (contact_id text, version integer, wrapped_key bytea)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    insert into misy.contact_keys (tenant_id, contact_id, wrapped_key)
    values (p_tenant, p_contact, p_wrapped)
    on conflict (tenant_id, contact_id) do nothing;
    return query
        select k.contact_id, k.version, k.wrapped_key
        from misy.contact_keys k where k.tenant_id = p_tenant and k.contact_id = p_contact;
end
$$;

revoke execute on function
    misy.refuse_retired_key(), misy.wrapped_keys(text), misy.contact_key(text, text),
    misy.add_contact_key(text, text, bytea)
    from public;
grant execute on function
    misy.wrapped_keys(text), misy.contact_key(text, text), misy.add_contact_key(text, text, bytea)
    to misy_app, misy_worker;

-- Gives a tenant from before blind indexes had keys of their own such a key; the answer is the key that it has now.
create function misy.keep_blind_index(p_tenant text, p_sealed bytea)
returns bytea
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    insert into misy.data_keys (tenant_id, purpose, version, wrapped_key)
    values (p_tenant, 'blind_index', 1, p_sealed)
    on conflict (tenant_id, purpose, version) do nothing;
    return (select k.wrapped_key from misy.data_keys k
            where k.tenant_id = p_tenant and k.purpose = 'blind_index' and k.version = 1);
end
$$;
revoke execute on function misy.keep_blind_index(text, bytea) from public;
grant execute on function misy.keep_blind_index(text, bytea) to misy_app;
create trigger refuse_retired_key after insert or update of wrapped_key on misy.data_keys
    for each row when (new.purpose <> 'data' and misy.data_key_version(new.wrapped_key) is not null)
    execute function misy.refuse_retired_key('wrapped_key');
