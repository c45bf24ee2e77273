-- Files that contacts send. What is known of each stands here; its bytes lie in an object store, under a name made of the tenant
-- and the file, sealed under the key of the contact (see `store::files`).

create table misy.attachments (
    tenant_id text collate "C" not null,
    file_id text collate "C" not null,
    -- Whose it is. A message of this conversation can carry it, and no other.
    conversation_id text collate "C" not null,
    contact_id text collate "C" not null,
    -- What its bytes say that it is, and how many there are. Nobody's word.
    media_type text collate "C" not null,
    size bigint not null check (size > 0),
    -- What it is called, sealed under the contact's key.
    sealed_name bytea,
    -- Since when its bytes are durable; before that it is not there for anybody.
    stored_at timestamptz,
    -- The message that carries it: one, once.
    message_id text collate "C",
    created_at timestamptz not null default now(),
    primary key (tenant_id, file_id),
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade,
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade
);
create index attachments_conversation on misy.attachments (tenant_id, conversation_id);
create index attachments_contact on misy.attachments (tenant_id, contact_id);
create index attachments_message on misy.attachments (tenant_id, message_id) where message_id is not null;
-- What nobody sends is swept after a day.
create index attachments_loose on misy.attachments (tenant_id, created_at) where message_id is null;

call misy.protect('misy.attachments');
grant select, insert, update (stored_at, message_id, sealed_name) on misy.attachments to misy_app;
grant select on misy.attachments to misy_worker;
-- The sweep locks what it removes, for which it must be able to change something.
grant select, delete, update (stored_at) on misy.attachments to misy_system;

create trigger cap after insert on misy.attachments
    for each row execute function misy.keep_cap('200', 'files in this conversation', 'conversation_id', 'true');
create trigger cap_of_loose after insert on misy.attachments
    for each row execute function misy.keep_cap('2000', 'files that no message carries', 'tenant_id', 'message_id is null');

insert into platform.sealed_columns values
    ('attachments', 'sealed_name', '{file_id}', 't.file_id', 't.contact_id', 't.sealed_name is not null');
create trigger refuse_retired_key after insert or update of sealed_name on misy.attachments
    for each row when (misy.data_key_version(new.sealed_name) is not null)
    execute function misy.refuse_retired_key('sealed_name');

-- Files whose rows are gone, and whose bytes are to follow. A row goes in many ways: swept, with its conversation or its contact,
-- with its tenant. Each of them leaves a line here in the same transaction, and the sweep takes it away with the bytes. So
-- whoever is killed in between loses nothing but time. It outlives the tenant, and no role reads it.
create table platform.removed_files (
    tenant_id text collate "C" not null,
    file_id text collate "C" not null,
    primary key (tenant_id, file_id)
);

create function platform.follow_attachments() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into platform.removed_files values (old.tenant_id, old.file_id) on conflict do nothing;
    return null;
end
$$;
create trigger follow_attachments after delete on misy.attachments
    for each row execute function platform.follow_attachments();

-- Some files whose bytes are to go: the next ones after a file, so that what cannot be removed keeps nobody from the rest.
create function platform.files_to_remove(p_after_tenant text, p_after_file text, p_limit integer)
returns table (tenant_id text, id text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.tenant_id, r.file_id from platform.removed_files r
    where (r.tenant_id, r.file_id) > (p_after_tenant collate "C", p_after_file collate "C")
    order by r.tenant_id, r.file_id limit p_limit
$$;

-- Their bytes are gone.
create function platform.files_are_removed(p_tenants text[], p_files text[]) returns boolean
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    with gone as (
        delete from platform.removed_files r
        using unnest(p_tenants, p_files) as g (tenant_id, file_id)
        where r.tenant_id = g.tenant_id and r.file_id = g.file_id
        returning 1)
    select exists (select from gone)
$$;
revoke execute on function
    platform.follow_attachments(), platform.files_to_remove(text, text, integer), platform.files_are_removed(text[], text[]) from public;
grant execute on function platform.files_to_remove(text, text, integer), platform.files_are_removed(text[], text[]) to misy_system;

-- As ingest_counted, with the files that the message carries, if any. They must be there, of its conversation, and carried by no other message:
-- else nothing of it is done (MF001). The rows of the files are the lock: of two messages with the same file one is stored.
create function misy.ingest_with_files(
    p_tenant text, p_session text, p_site text, p_family text, p_channel text, p_account text, p_conversation text,
    p_external_id text, p_message_id text, p_sealed_body bytea, p_sent_at timestamptz, p_now timestamptz, p_key text,
    p_quota bigint, p_files text[],
    out outcome text, out message_id text, out conversation_id text, out sequence bigint, out created_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    carried bigint;
begin
    select i.outcome, i.message_id, i.conversation_id, i.sequence, i.created_at
    into outcome, message_id, conversation_id, sequence, created_at
    from misy.ingest_counted(p_tenant, p_session, p_site, p_family, p_channel, p_account, p_conversation, p_external_id,
                             p_message_id, p_sealed_body, p_sent_at, p_now, p_key, p_quota) i;
    if ingest_with_files.outcome <> 'stored' or cardinality(p_files) = 0 then
        return;
    end if;
    update misy.attachments a
    set message_id = p_message_id
    where a.tenant_id = p_tenant and a.file_id = any (p_files) and a.conversation_id = ingest_with_files.conversation_id
        and a.stored_at is not null and a.message_id is null;
    get diagnostics carried = row_count;
    if carried <> cardinality(p_files) then
        raise exception 'not all files can be sent' using errcode = 'MF001';
    end if;
end
$$;
revoke execute on function misy.ingest_with_files(
    text, text, text, text, text, text, text, text, text, bytea, timestamptz, timestamptz, text, bigint, text[]) from public;
grant execute on function misy.ingest_with_files(
    text, text, text, text, text, text, text, text, text, bytea, timestamptz, timestamptz, text, bigint, text[]) to misy_app;
