-- What the roles may do with conversations and tenants: no more than the program does as that role. Functions that run with
-- their owner's rights and the clean-up are not narrowed.

-- The worker answers. Who a session or a message belongs to, and what was said, is not its to change.
revoke insert, update, delete on misy.contacts, misy.sessions, misy.conversations from misy_worker;
revoke update, delete on misy.messages, misy.decisions from misy_worker;
grant update (
    status, language, last_sequence, answered_sequence, unanswered_in_a_row, work_at, lease_owner, fence, attempts, last_error,
    dead_at, handoff_reason, sealed_handoff, waits_for, waits_until, sealed_wait, wait, waits_since, waits_agent, woken, active_at,
    waiting_since, handling) on misy.conversations to misy_worker;
revoke insert, update, delete on misy.quotas from misy_worker;

-- Nobody rewrites history; a rotation of keys seals it anew.
revoke update, delete on misy.messages, misy.decisions from misy_app, misy_system;
grant update (sealed_body) on misy.messages to misy_app;

-- Whose a session, a conversation or a contact is does not change.
revoke update on misy.contacts, misy.sessions, misy.conversations from misy_app, misy_system;
grant update (
    status, language, last_sequence, last_inbound_sequence, work_at, lease_owner, fence, attempts, last_error, dead_at,
    sealed_handoff, sealed_wait, woken, active_at, assignee, waiting_since, handling, answered_sequence,
    unanswered_in_a_row, handoff_reason) on misy.conversations to misy_app;
grant update (token_family, sealed_metadata, permissions, expires_at, ended_at) on misy.sessions to misy_app;

-- A role removes rows of those tables alone that the program removes rows of as that role: what hangs on a row goes with it.
revoke delete on all tables in schema misy from misy_app, misy_worker, misy_system, misy_sealer;
grant delete on
    misy.context_packs, misy.email_domains, misy.federated_identities, misy.idempotency_keys, misy.passkeys, misy.quotas,
    -- Work that was given up is dropped.
    misy.deliveries, misy.key_rotations, misy.mails,
    misy.rate_limits, misy.revoked_tokens, misy.roles, misy.sign_in_providers, misy.site_origins, misy.sites,
    misy.token_renewals, misy.user_devices, misy.user_recovery_codes, misy.user_sessions,
    misy.user_tickets, misy.users
    to misy_app;
-- A privileged operation takes somebody's second factors.
grant delete on misy.passkeys, misy.user_devices, misy.user_recovery_codes, misy.user_sessions, misy.user_tickets to misy_system;
-- Whoever brought a file takes it back, and a tenant removes one.
grant delete on misy.attachments to misy_app;
-- What is over is swept.
grant delete on misy.attachments, misy.idempotency_keys, misy.mails, misy.revoked_tokens, misy.token_renewals to misy_system;
grant delete on misy.mails to misy_worker;
-- A hold that ran out, and what a conversation had settled before.
grant delete on misy.bookings to misy_app, misy_worker, misy_system;
grant delete on misy.booking_forms to misy_worker, misy_system;
grant delete on misy.audit_pending to misy_sealer;

-- Before then nothing of a closed tenant is removed, whatever the clock of a replica says.
alter table misy.tenants add column purge_not_before timestamptz;

-- The steps that a tenant's row may take, whoever writes it. The program checks them too, to say why.
create function misy.keep_to_the_life_of_a_tenant() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if new.tenant_type <> old.tenant_type or new.tenant_id <> old.tenant_id then
        raise exception 'a tenant keeps its id and its type' using errcode = 'insufficient_privilege';
    end if;
    if old.tenant_type = 'owner' and (new.suspended_at is not null or new.closed_at is not null or new.purge_at is not null) then
        raise exception 'the owner is never suspended or closed' using errcode = 'insufficient_privilege';
    end if;
    if new.purge_started_at is distinct from old.purge_started_at or new.purged_rows <> old.purged_rows then
        raise exception 'only the clean-up writes how far it is' using errcode = 'insufficient_privilege';
    end if;
    -- How long a closed tenant stays is counted by this clock: that of a replica may be wrong.
    new.purge_not_before := old.purge_not_before;
    if new.purge_at is null or new.closed_at is null then
        new.purge_not_before := null;
    elsif new.purge_at is distinct from old.purge_at or new.closed_at is distinct from old.closed_at then
        if not isfinite(new.purge_at) or not isfinite(new.closed_at) then
            raise exception 'a closed tenant stays for a day at least' using errcode = 'insufficient_privilege';
        end if;
        -- An hour for clocks that differ a little.
        new.purge_not_before := greatest(
            pg_catalog.clock_timestamp() + interval '23 hours',
            coalesce(old.purge_not_before + (new.purge_at - old.purge_at),
                     pg_catalog.clock_timestamp() + (new.purge_at - new.closed_at) - interval '1 hour'));
    end if;
    return new;
end
$$;
revoke execute on function misy.keep_to_the_life_of_a_tenant() from public;
create trigger keep_to_its_life before update on misy.tenants
    for each row when (current_user in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer'))
    execute function misy.keep_to_the_life_of_a_tenant();

-- Tables that hang on no tenant's row, the trail above all, take ids of tenants only: work that goes through all tenants reads
-- them.
do $$
declare
    target regclass;
begin
    for target in
        select c.oid
        from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.oid <> 'misy.tenants'::regclass
            and not exists (select from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.contype = 'f')
    loop
        execute pg_catalog.format('alter table %s add check (misy.is_tenant_id(tenant_id))', target);
    end loop;
end
$$;
