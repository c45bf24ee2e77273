-- Messages that a vendor told of and was refused, and sends again: what their writers wrote later waits for them, also when it comes in
-- another body. See `channels::expected`.
create table misy.expected_messages (
    tenant_id text collate "C" not null,
    account_id text collate "C" not null,
    -- A keyed hash of the id that the message has on the account.
    external_id text collate "C" not null check (external_id ~ '^[A-Za-z0-9_-]{43}$'),
    -- Who wrote it, as in `contact_identities`.
    writer_index bytea not null check (octet_length(writer_index) = 32),
    -- When it was written, by the vendor's clock.
    sent_at timestamptz,
    -- When it was refused first, and its place among those that were refused then.
    noted_at timestamptz not null default pg_catalog.clock_timestamp(),
    place integer not null,
    -- Since when it waits for what its writer wrote before.
    held_since timestamptz,
    primary key (tenant_id, account_id, external_id),
    foreign key (tenant_id, account_id) references misy.channel_accounts on delete cascade
);
create index expected_messages_writer on misy.expected_messages (tenant_id, account_id, writer_index);
call misy.protect('misy.expected_messages');
grant select, insert, update (held_since), delete on misy.expected_messages to misy_app;
grant select on misy.expected_messages to misy_worker, misy_system;
