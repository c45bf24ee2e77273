-- Mail that waits to be sent. A row is work with a lease: `due_at` is when it is due or, while somebody sends it, when the
-- lease runs out; `fence` grows with every claim. A mail that was sent is deleted, and with it the link that is in it.

create table misy.mails (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    mail_id text collate "C" not null,
    sealed_mail bytea not null,
    due_at timestamptz,
    fence bigint not null default 0,
    attempts integer not null default 0,
    last_error text,
    -- Given up after too many attempts.
    dead_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, mail_id)
);
create index mails_due on misy.mails (tenant_id, due_at) where due_at is not null;
call misy.protect('misy.mails');
grant select, insert, update, delete on misy.mails to misy_app, misy_system;
grant select, update, delete on misy.mails to misy_worker;

-- Claims mail that is due, of whichever tenant, the longest due first.
create function misy.claim_mails(p_batch integer, p_lease interval)
returns table (tenant_id text, mail_id text, fence bigint)
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    update misy.mails m
    set fence = m.fence + 1, attempts = m.attempts + 1, due_at = pg_catalog.clock_timestamp() + p_lease
    from (
        select d.tenant_id, d.mail_id from misy.mails d
        where d.due_at <= pg_catalog.clock_timestamp()
        order by d.due_at limit p_batch
        for no key update skip locked
    ) due
    where m.tenant_id = due.tenant_id and m.mail_id = due.mail_id
    returning m.tenant_id, m.mail_id, m.fence
$$;
revoke execute on function misy.claim_mails(integer, interval) from public;
grant execute on function misy.claim_mails(integer, interval) to misy_worker;
