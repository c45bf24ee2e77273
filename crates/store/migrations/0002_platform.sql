-- What must be found before the tenant is known, and what is nobody's data. No role may read the routing tables; the
-- narrow functions below answer one question each with a tenant id and nothing else.

create table platform.installation (
    singleton boolean primary key default true check (singleton),
    installation_id text collate "C" not null,
    created_at timestamptz not null default now()
);

-- Exactly one owner.
create table platform.owner (
    singleton boolean primary key default true check (singleton),
    tenant_id text collate "C" not null
);

-- A tenant id is never given out twice, not even after the tenant is gone.
create table platform.tenant_ids (
    tenant_id text collate "C" primary key,
    reserved_at timestamptz not null default now()
);

-- The SHA-256 of a publishable key, secret key or administrator token.
create table platform.credentials (
    credential_hash bytea primary key,
    tenant_id text collate "C" not null,
    key_id text collate "C" not null
);

-- The id of a tenant secret, as it stands in X-Misy-Key.
create table platform.secret_ids (
    key_id text collate "C" primary key,
    tenant_id text collate "C" not null
);

-- The origins of all sites, for preflight requests, which carry no token.
create table platform.origins (
    origin text collate "C" not null,
    tenant_id text collate "C" not null,
    site_id text collate "C" not null,
    primary key (origin, tenant_id, site_id)
);

-- The keys that sign tenant access tokens; the private part is sealed under the root key.
create table platform.token_signing_keys (
    kid text collate "C" primary key,
    algorithm text not null check (algorithm in ('RS256', 'ES256', 'EdDSA', 'HS256')),
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    activates_at timestamptz not null,
    retires_at timestamptz,
    expires_at timestamptz,
    -- Times that every program can read.
    check (least(created_at, activates_at, retires_at, expires_at) >= '2000-01-01 00:00Z'),
    check (greatest(created_at, activates_at, retires_at, expires_at) < '3000-01-01 00:00Z')
);
grant select on platform.token_signing_keys to misy_app, misy_worker, misy_system;
grant insert, update, delete on platform.token_signing_keys to misy_system;
grant select, insert on platform.installation to misy_system;

create function platform.owner_tenant() returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select tenant_id from platform.owner $$;

create function platform.tenant_of_credential(hash bytea) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select tenant_id from platform.credentials where credential_hash = hash $$;

create function platform.tenant_of_secret(id text) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select tenant_id from platform.secret_ids where key_id = id $$;

create function platform.origin_is_known(candidate text) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$ select exists (select from platform.origins where origin = candidate) $$;

grant execute on function
    platform.owner_tenant(), platform.tenant_of_credential(bytea), platform.tenant_of_secret(text),
    platform.origin_is_known(text)
    to misy_app, misy_worker, misy_system;
