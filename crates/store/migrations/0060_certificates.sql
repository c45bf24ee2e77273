-- Client certificates of tenants, and what revocation has to know of tokens: which chain a renewed token belongs to, and
-- which keys were revoked together with all that they gave.

-- A tenant secret that alone is not enough: whoever signs with it also shows a client certificate of the tenant.
alter table misy.tenant_secrets
    add column needs_certificate boolean not null default false,
    -- Tokens that were given for the key are refused since then, not only the key.
    add column tokens_revoked_at timestamptz;
alter table misy.api_keys add column tokens_revoked_at timestamptz;

-- A certificate is known by the SHA-256 of its public key (SubjectPublicKeyInfo), which a renewal with the same key
-- keeps, or by the SHA-256 of the whole certificate.
create table misy.certificates (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    certificate_id text collate "C" not null,
    name text not null,
    bound_by text not null check (bound_by in ('key', 'certificate')),
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    -- As the certificate says, when it was given whole.
    subject text,
    -- Narrows what it is good for; null means all of the tenant.
    secret_key_id text collate "C",
    site_id text collate "C",
    made_by text collate "C" not null default '',
    -- What whoever bound it could do: it is no proof for a secret that carries more.
    actions text[] not null default '{}',
    permissions text[] not null default '{}',
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, certificate_id),
    foreign key (tenant_id, secret_key_id) references misy.tenant_secrets on delete cascade,
    foreign key (tenant_id, site_id) references misy.sites on delete cascade
);
create index certificates_secret on misy.certificates (tenant_id, secret_key_id) where secret_key_id is not null;
create index certificates_site on misy.certificates (tenant_id, site_id) where site_id is not null;

-- One binding of a certificate at a time: who revokes it has revoked it.
create unique index certificates_active on misy.certificates (tenant_id, fingerprint) where revoked_at is null;

-- The chain of each renewed token, for as long as the chain can be renewed: revoking any token of a chain revokes it.
-- A first token is the name of its chain and needs no row.
create table misy.token_renewals (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    token_id text collate "C" not null,
    family text collate "C" not null,
    expires_at timestamptz not null,
    primary key (tenant_id, token_id)
);
create index token_renewals_expiry on misy.token_renewals (tenant_id, expires_at);

do $$
declare
    name text;
begin
    foreach name in array array['certificates', 'token_renewals'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_system', name);
        execute format('grant select on misy.%I to misy_worker', name);
    end loop;
end
$$;

-- What belongs to the snapshot of a tenant beside misy.tenant_snapshot, in the same round trip: bound certificates that
-- count and for which secrets they do not, secrets that need one, what secrets carried that ended lately (their tokens live on,
-- and get nothing back by that), and keys whose tokens count no more. Like it SECURITY INVOKER.
create function misy.snapshot_credentials(tenant text, at timestamptz) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
    -- No token of a chain can be renewed after this, whenever it was issued before.
    remembered constant interval := '32 days';
begin
    perform pg_catalog.set_config('app.tenant_id', tenant, true);
    select jsonb_build_object(
        'certificates', coalesce((
            select jsonb_agg(jsonb_build_object(
                'certificateId', c.certificate_id, 'boundBy', c.bound_by,
                'fingerprint', encode(c.fingerprint, 'hex'), 'secretKeyId', c.secret_key_id,
                'siteId', c.site_id, 'expiresAt', c.expires_at,
                'notFor', (
                    select jsonb_agg(k.key_id) from misy.tenant_secrets k
                    where k.tenant_id = tenant
                        and (coalesce(least(k.revoked_at, k.expires_at), at) > at - remembered)
                        and not (k.actions <@ c.actions and k.permissions <@ c.permissions))))
            from misy.certificates c
            where c.tenant_id = tenant and c.revoked_at is null and (c.expires_at is null or c.expires_at > at)), '[]'),
        'certificateSecrets', coalesce((
            select jsonb_agg(k.key_id) from misy.tenant_secrets k
            where k.tenant_id = tenant and k.needs_certificate), '[]'),
        'spentSecrets', coalesce((
            select jsonb_agg(jsonb_build_object(
                'keyId', k.key_id, 'permissions', to_jsonb(k.permissions), 'successor', k.successor))
            from misy.tenant_secrets k
            where k.tenant_id = tenant and least(k.revoked_at, k.expires_at) <= at
                and least(k.revoked_at, k.expires_at) > at - remembered), '[]'),
        'revokedKeys', coalesce((
            select jsonb_agg(r.key_id) from (
                select k.key_id from misy.api_keys k
                where k.tenant_id = tenant and k.tokens_revoked_at > at - remembered
                union all
                select k.key_id from misy.tenant_secrets k
                where k.tenant_id = tenant and k.tokens_revoked_at > at - remembered) r), '[]'))
    into answer;
    return answer;
end
$$;
grant execute on function misy.snapshot_credentials(text, timestamptz) to misy_app;

-- Whose a certificate's public key is (its SHA-256): the tenant on whose behalf it was shown, by a binding that still
-- counts. To bind a certificate proves nothing, so it takes no place here; to show it proves that one holds its key.
create table platform.certificate_holders (
    public_key bytea primary key,
    tenant_id text collate "C" not null,
    certificate_id text collate "C" not null,
    foreign key (tenant_id, certificate_id) references misy.certificates on delete cascade
);
create index certificate_holders_binding on platform.certificate_holders (tenant_id, certificate_id);

-- Takes note of who showed a certificate, unless it is another tenant's; then the answer is no. That of another is over when both
-- clocks say so: nobody takes it by telling a later time.
create function platform.hold_certificate(p_key bytea, p_tenant text, p_certificate text, p_now timestamptz)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    holder platform.certificate_holders;
begin
    if p_tenant is distinct from current_setting('app.tenant_id', true) then
        raise exception 'this is another tenant''s' using errcode = 'insufficient_privilege';
    end if;
    insert into platform.certificate_holders values (p_key, p_tenant, p_certificate) on conflict do nothing;
    if found then
        return true;
    end if;
    select h.* into holder from platform.certificate_holders h where h.public_key = p_key for update;
    if holder.tenant_id = p_tenant and holder.certificate_id = p_certificate then
        return true;
    end if;
    if holder.tenant_id <> p_tenant and exists (
        select from misy.certificates c
        where c.tenant_id = holder.tenant_id and c.certificate_id = holder.certificate_id
            and c.revoked_at is null and (c.expires_at is null or c.expires_at > least(p_now, clock_timestamp()))) then
        return false;
    end if;
    update platform.certificate_holders h set tenant_id = p_tenant, certificate_id = p_certificate
    where h.public_key = p_key;
    return true;
end
$$;
grant execute on function platform.hold_certificate(bytea, text, text, timestamptz) to misy_app;

-- The key that roles of the program sign their short-lived tokens with stands in the same ring, for another purpose; it is
-- never published.
alter table platform.token_signing_keys
    add column purpose text not null default 'tenant' check (purpose in ('tenant', 'service'));
