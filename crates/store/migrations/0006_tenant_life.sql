-- Where a tenant's tokens stand, in one round trip: called outside an explicit transaction, at most once a second per
-- tenant and replica. SECURITY INVOKER: row-level security narrows it to the tenant that it sets.
create function misy.tenant_snapshot(tenant text, at timestamptz) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
    -- Longer than a replica goes without looking for a token in the table.
    lately constant interval := '2 minutes';
    -- Are there more, each token is looked for in the table at each call.
    most constant integer := 1000;
begin
    perform pg_catalog.set_config('app.tenant_id', tenant, true);
    select jsonb_build_object(
        'tenantType', t.tenant_type,
        'status', t.status,
        'plan', t.plan,
        'epoch', t.epoch,
        'sessionTtlSeconds', t.session_ttl_seconds,
        'sites', coalesce((
            select jsonb_agg(jsonb_build_object(
                'siteId', s.site_id,
                'permissions', to_jsonb(s.permissions),
                'origins', coalesce((
                    select jsonb_agg(o.origin) from misy.site_origins o
                    where o.tenant_id = s.tenant_id and o.site_id = s.site_id), '[]')))
            from misy.sites s where s.tenant_id = tenant), '[]'),
        'secrets', coalesce((
            select jsonb_agg(jsonb_build_object(
                'keyId', k.key_id, 'sealed', encode(k.sealed_secret, 'hex'), 'expiresAt', k.expires_at,
                'permissions', to_jsonb(k.permissions), 'actions', to_jsonb(k.actions), 'successor', k.successor))
            from misy.tenant_secrets k
            where k.tenant_id = tenant and k.revoked_at is null and (k.expires_at is null or k.expires_at > at)), '[]'),
        'limits', coalesce((
            select jsonb_agg(jsonb_build_object(
                'scope', l.scope, 'subject', l.subject, 'requests', l.requests, 'periodSeconds', l.period_seconds))
            from misy.rate_limits l where l.tenant_id = tenant), '[]'),
        'revoked', coalesce((
            select jsonb_agg(r.token_id) from (
                select l.token_id from misy.revoked_tokens l
                where l.tenant_id = tenant and l.revoked_at > clock_timestamp() - lately and l.expires_at > at
                order by l.revoked_at desc limit most) r), '[]'),
        'revokedMore', exists (
            select from misy.revoked_tokens l
            where l.tenant_id = tenant and l.revoked_at > clock_timestamp() - lately
            order by l.revoked_at desc offset most))
    into answer
    from misy.tenants t
    where t.tenant_id = tenant;
    return answer;
end
$$;
grant execute on function misy.tenant_snapshot(text, timestamptz) to misy_app;
