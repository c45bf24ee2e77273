-- Gives back a conversation whose agent may not answer for a moment: due again after the delay, as if it had not been
-- claimed.
create function misy.postpone_conversation(
    p_tenant text, p_conversation text, p_worker text, p_fence bigint, p_delay interval)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);
    update misy.conversations c
    set work_at = pg_catalog.clock_timestamp() + p_delay, lease_owner = null, attempts = greatest(c.attempts - 1, 0)
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation
        and c.fence = p_fence and c.lease_owner = p_worker;
    return found;
end
$$;
revoke execute on function misy.postpone_conversation(text, text, text, bigint, interval) from public;
grant execute on function misy.postpone_conversation(text, text, text, bigint, interval) to misy_worker;
