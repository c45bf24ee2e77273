-- A contact whose key is destroyed is erased. They get no new key: every contact is made with one. Whoever writes again is somebody new.
drop function misy.add_contact_key(text, text, bytea);

-- Erases a contact whose key was destroyed: nothing leads to them any more, nothing waits for them, and what they wrote is over. What is
-- sealed under the key stays as it is, since nobody can open it.
create function misy.erase_contact() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant pg_catalog.timestamptz := pg_catalog.clock_timestamp();
begin
    -- With the contact itself everything of them goes, and with their tenant too.
    if not exists (
        select from misy.contacts c
        join misy.tenants t on t.tenant_id = c.tenant_id
        where c.tenant_id = old.tenant_id and c.contact_id = old.contact_id
            and (t.status <> 'closed' or t.purge_at is null or t.purge_at > present))
    then
        return null;
    end if;
    delete from misy.contact_identities i where i.tenant_id = old.tenant_id and i.contact_id = old.contact_id;
    update misy.sessions s
    set ended_at = coalesce(s.ended_at, present)
    where s.tenant_id = old.tenant_id and s.contact_id = old.contact_id;
    update misy.conversations c
    set status = 'closed', assignee = null, waiting_since = null, handling = c.handling + 1,
        answered_sequence = c.last_inbound_sequence, unanswered_in_a_row = 0, handoff_reason = null, sealed_handoff = null,
        -- A turn that is under way loses its lease.
        fence = c.fence + 1, lease_owner = null, work_at = null, attempts = 0, dead_at = null, last_error = null,
        waits_for = null, waits_until = null, sealed_wait = null, wait = null, waits_since = null, waits_agent = null
    where c.tenant_id = old.tenant_id and c.contact_id = old.contact_id;
    return null;
end
$$;
revoke execute on function misy.erase_contact() from public;
create trigger erase_contact after delete on misy.contact_keys
    for each row execute function misy.erase_contact();
