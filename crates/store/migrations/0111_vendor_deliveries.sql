-- What leaves with a vendor, in the pieces that it is sent in, and how each of them fares. Vendors know no id of ours that makes a
-- call have its effect once: so it is noted before a piece is sent that it is, and a receipt tells whether it was.
create table misy.delivery_pieces (
    tenant_id text collate "C" not null,
    delivery_id text collate "C" not null,
    -- From 0; -1 is the template that asks a contact to write again.
    piece integer not null check (piece >= -1),
    account_id text collate "C" not null,
    -- The id that the vendor gave it.
    vendor_message_id text collate "C",
    -- `trying` until it is known what the vendor did with it, `refused` if the vendor did not take it.
    status text not null default 'trying' check (status in ('trying', 'refused', 'sent', 'delivered', 'read', 'failed')),
    -- Why it failed after it was taken.
    error text,
    -- When it was tried last, and how often: what comes back says of which try it tells.
    tried_at timestamptz not null,
    tries integer not null default 1,
    -- The sequence of the contact's newest message when it was tried last.
    heard bigint not null,
    primary key (tenant_id, delivery_id, piece),
    foreign key (tenant_id, delivery_id) references misy.deliveries on delete cascade
);
create index delivery_pieces_vendor on misy.delivery_pieces (tenant_id, account_id, vendor_message_id)
    where vendor_message_id is not null;
call misy.protect('misy.delivery_pieces');
grant select, update (status, vendor_message_id, error) on misy.delivery_pieces to misy_app;
grant select, insert, update (status, vendor_message_id, error, tried_at, tries, heard) on misy.delivery_pieces to misy_worker;

-- Whether a piece is to be sent now: `go`; `done` if the vendor has it; `unsure` while it is not known what came of the try before;
-- `lost` if the delivery is somebody else's by now.
create function misy.begin_piece(
    p_tenant text, p_delivery text, p_piece integer, p_worker text, p_fence bigint, p_unsure interval,
    out outcome text, out attempt integer)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant timestamptz := pg_catalog.clock_timestamp();
    its_status text;
begin
    insert into misy.delivery_pieces as p (tenant_id, delivery_id, piece, account_id, tried_at, heard)
    select d.tenant_id, d.delivery_id, p_piece, d.account_id, present, c.last_inbound_sequence
    from misy.deliveries d
    join misy.conversations c on c.tenant_id = d.tenant_id and c.conversation_id = d.conversation_id
    where d.tenant_id = p_tenant and d.delivery_id = p_delivery and d.fence = p_fence and d.lease_owner = p_worker
    on conflict (tenant_id, delivery_id, piece) do update
    set status = 'trying', tried_at = present, tries = p.tries + 1, heard = excluded.heard, vendor_message_id = null,
        error = null
    where p.status in ('refused', 'failed') or (p.status = 'trying' and p.tried_at < present - p_unsure)
    returning p.tries into attempt;
    if found then
        outcome := 'go';
        return;
    end if;
    select p.status into its_status
    from misy.delivery_pieces p
    join misy.deliveries d on d.tenant_id = p.tenant_id and d.delivery_id = p.delivery_id
    where p.tenant_id = p_tenant and p.delivery_id = p_delivery and p.piece = p_piece and d.fence = p_fence
        and d.lease_owner = p_worker;
    outcome := case when its_status is null then 'lost' when its_status = 'trying' then 'unsure' else 'done' end;
end
$$;

-- Brings a delivery that has left to where its pieces are: as far as the one that is least far. One that failed after it was taken
-- gives it up, or has it wait until the contact writes.
create function misy.settle_delivery(p_tenant text, p_delivery text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant timestamptz := pg_catalog.clock_timestamp();
    fault text;
    far text;
    heard_then bigint;
    has_written boolean := false;
begin
    -- One at a time, the courier that ends the delivery among them: each sees in the next statement what the others noted.
    perform from misy.deliveries d
    where d.tenant_id = p_tenant and d.delivery_id = p_delivery
    for no key update;
    select min(p.error) filter (where p.status = 'failed'), min(p.heard) filter (where p.status = 'failed'),
           case min(case p.status when 'sent' then 1 when 'delivered' then 2 when 'read' then 3 else 0 end)
               when 2 then 'delivered' when 3 then 'read' end
    into fault, heard_then, far
    from misy.delivery_pieces p
    where p.tenant_id = p_tenant and p.delivery_id = p_delivery and p.piece >= 0;
    if fault = 'window_closed' then
        -- They may have written since: whoever notes that holds the same lock.
        perform from misy.channel_threads t
        join misy.deliveries d
            on d.tenant_id = t.tenant_id and d.account_id = t.account_id and d.conversation_id = t.conversation_id
        where d.tenant_id = p_tenant and d.delivery_id = p_delivery
        for no key update of t;
        select c.last_inbound_sequence > heard_then into has_written
        from misy.deliveries d
        join misy.conversations c on c.tenant_id = d.tenant_id and c.conversation_id = d.conversation_id
        where d.tenant_id = p_tenant and d.delivery_id = p_delivery;
    end if;
    if fault is not null then
        update misy.deliveries d
        set status = 'queued', sent_at = null, work_at = case when has_written then present end, last_error = fault,
            dead_at = case when fault <> 'window_closed' then present end
        where d.tenant_id = p_tenant and d.delivery_id = p_delivery and d.status <> 'queued';
    elsif far is not null then
        update misy.deliveries d
        set status = far, delivered_at = coalesce(d.delivered_at, present),
            read_at = case when far = 'read' then coalesce(d.read_at, present) end
        where d.tenant_id = p_tenant and d.delivery_id = p_delivery
            and (d.status = 'sent' or (d.status = 'delivered' and far = 'read'));
    end if;
end
$$;

-- Notes how a piece fares. Receipts come late, twice and in any order: none takes back what a later one said. Says whether the
-- piece is known.
create function misy.note_receipt(
    p_tenant text, p_account text, p_delivery text, p_piece integer, p_attempt integer, p_vendor_message text, p_status text,
    p_error text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    found_delivery text;
    found_piece integer;
begin
    select p.delivery_id, p.piece into found_delivery, found_piece
    from misy.delivery_pieces p
    where p.tenant_id = p_tenant and p.account_id = p_account
        and (p.delivery_id = p_delivery and p.piece = p_piece
             or p_delivery is null and p.vendor_message_id = p_vendor_message)
    for no key update;
    if not found then
        return false;
    end if;
    update misy.delivery_pieces p
    set status = p_status, vendor_message_id = coalesce(p.vendor_message_id, p_vendor_message),
        error = case when p_status = 'failed' then p_error end
    where p.tenant_id = p_tenant and p.delivery_id = found_delivery and p.piece = found_piece
        -- A receipt of a try before this one.
        and coalesce(p.vendor_message_id, p_vendor_message) = p_vendor_message
        and case p_status
            when 'sent' then p.status in ('trying', 'refused')
            when 'delivered' then p.status in ('trying', 'refused', 'sent')
            -- That a try before this one failed says nothing of this one; that it arrived, everything.
            when 'failed' then p.status in ('trying', 'sent') and coalesce(p_attempt, p.tries) = p.tries
            else p.status <> 'failed' end;
    if found then
        perform misy.settle_delivery(p_tenant, found_delivery);
    end if;
    return true;
end
$$;

-- Notes how far everything came that was sent in a thread until an instant: some vendors name the instant, and no message. When a
-- piece was sent is known by our clock, and the instant is of theirs.
create function misy.note_reached(p_tenant text, p_account text, p_conversation text, p_status text, p_until timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    reached text;
begin
    for reached in
        update misy.delivery_pieces p
        set status = p_status
        from misy.deliveries d
        where d.tenant_id = p_tenant and d.account_id = p_account and d.conversation_id = p_conversation and d.status <> 'read'
            and p.tenant_id = d.tenant_id and p.delivery_id = d.delivery_id and p.tried_at <= p_until
            and (p.status = 'sent' or (p.status = 'delivered' and p_status = 'read'))
        returning p.delivery_id
    loop
        perform misy.settle_delivery(p_tenant, reached);
    end loop;
end
$$;

-- Has a delivery wait until the contact writes again; due at once if they did meanwhile. Whoever notes that they wrote holds the
-- same lock.
create function misy.hold_delivery(p_tenant text, p_delivery text, p_worker text, p_fence bigint, p_heard timestamptz)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    heard timestamptz;
begin
    perform from misy.channel_threads t
    join misy.deliveries d on d.tenant_id = t.tenant_id and d.account_id = t.account_id and d.conversation_id = t.conversation_id
    where d.tenant_id = p_tenant and d.delivery_id = p_delivery
    for no key update of t;
    select misy.heard_from(d.tenant_id, d.account_id, d.conversation_id) into heard
    from misy.deliveries d
    where d.tenant_id = p_tenant and d.delivery_id = p_delivery;
    update misy.deliveries d
    set work_at = case when heard is distinct from p_heard then pg_catalog.clock_timestamp() end, lease_owner = null,
        attempts = greatest(d.attempts - 1, 0), last_error = 'window_closed'
    where d.tenant_id = p_tenant and d.delivery_id = p_delivery and d.fence = p_fence and d.lease_owner = p_worker;
    return found;
end
$$;

-- When somebody wrote last on an account, by the vendor's clock, which is not believed where it is ahead of ours.
create function misy.heard_from(p_tenant text, p_account text, p_conversation text) returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select least(coalesce(m.sent_at, m.created_at), m.created_at)
    from misy.messages m
    where m.tenant_id = p_tenant and m.conversation_id = p_conversation and m.account_id = p_account and m.role = 'contact'
    order by m.sequence desc
    limit 1
$$;

-- Makes due what waited in conversations until somebody writes there: they did. The lock comes first, and what is read after it is
-- what others noted under it.
create function misy.heard(p_tenant text, p_account text, p_conversations text[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    written_in text;
begin
    -- In one order for all, since each takes a lock.
    for written_in in select distinct c.id from unnest(p_conversations) c (id) order by c.id loop
        perform from misy.channel_threads t
        where t.tenant_id = p_tenant and t.account_id = p_account and t.conversation_id = written_in
        for no key update;
        if exists (
            select from misy.deliveries d
            where d.tenant_id = p_tenant and d.account_id = p_account and d.conversation_id = written_in and d.status = 'queued'
                and d.work_at is null and d.last_error = 'window_closed')
        then
            perform misy.wake_delivery(p_tenant, p_account, written_in);
        end if;
    end loop;
end
$$;

revoke execute on function
    misy.heard(text, text, text[]), misy.begin_piece(text, text, integer, text, bigint, interval), misy.settle_delivery(text, text),
    misy.note_receipt(text, text, text, integer, integer, text, text, text), misy.note_reached(text, text, text, text, timestamptz),
    misy.hold_delivery(text, text, text, bigint, timestamptz), misy.heard_from(text, text, text)
    from public;
grant execute on function
    misy.begin_piece(text, text, integer, text, bigint, interval),
    misy.hold_delivery(text, text, text, bigint, timestamptz), misy.heard_from(text, text, text)
    to misy_worker;
grant execute on function misy.settle_delivery(text, text) to misy_app, misy_worker;
grant execute on function
    misy.note_receipt(text, text, text, integer, integer, text, text, text), misy.note_reached(text, text, text, text, timestamptz),
    misy.heard(text, text, text[])
    to misy_app;
