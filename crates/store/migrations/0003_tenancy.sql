-- Tenants, their sites, credentials, keys, context packs and limits.

create table misy.tenants (
    tenant_id text collate "C" primary key check (misy.is_tenant_id(tenant_id)),
    tenant_type text not null check (tenant_type in ('owner', 'standard')),
    is_owner boolean not null generated always as (tenant_type = 'owner') stored,
    -- Two things keep a tenant from being served, each for itself: the owner's hold, and that it is closed. Whoever takes one of
    -- them back leaves the other.
    suspended_at timestamptz,
    -- When it was closed: its data goes when the grace period after it is over.
    closed_at timestamptz,
    -- Then the owner alone takes it back.
    closed_by_owner boolean not null default false check (closed_at is not null or not closed_by_owner),
    status text not null generated always as (
        case when closed_at is not null then 'closed' when suspended_at is not null then 'suspended' else 'active' end) stored,
    name text not null,
    contact_email text not null,
    website_url text not null,
    business_industry text not null,
    locale text not null,
    timezone text not null,
    plan text not null default 'FREE' check (plan in ('FREE', 'PRO', 'ENTERPRISE')),
    -- Raising it revokes all older tokens at once.
    epoch integer not null default 1,
    session_ttl_seconds integer not null default 2592000 check (session_ttl_seconds between 60 and 31536000),
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index tenants_type on misy.tenants (tenant_id, tenant_type, is_owner);

create table misy.sites (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    site_id text collate "C" not null,
    name text not null,
    -- What a token of this site may hold at most.
    permissions text[] not null,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, site_id)
);

create table misy.site_origins (
    tenant_id text collate "C" not null,
    site_id text collate "C" not null,
    origin text collate "C" not null,
    primary key (tenant_id, site_id, origin),
    foreign key (tenant_id, site_id) references misy.sites on delete cascade
);

-- Publishable keys, secret keys and administrator bearer tokens: only their hash is kept.
create table misy.api_keys (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    key_id text collate "C" not null,
    kind text not null check (kind in ('publishable', 'secret', 'administrator')),
    mode text not null default 'live' check (mode in ('live', 'test')),
    key_hash bytea not null,
    -- The first characters, to recognise the key by.
    prefix text not null,
    name text not null default '',
    site_id text collate "C",
    permissions text[] not null,
    -- Narrows the origins of the site; null means all of them.
    origins text[],
    requests_per_minute integer check (requests_per_minute > 0),
    -- Who made it: a user, a secret whose server did, or the token of a registration.
    made_by text collate "C" not null default '',
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, key_id),
    unique (tenant_id, key_hash),
    foreign key (tenant_id, site_id) references misy.sites on delete cascade
);

-- The wrapped keys of a tenant: `data` seals its rows, `signing_root` derives the keys that sign its requests.
create table misy.data_keys (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    purpose text not null check (purpose in ('data', 'signing_root')),
    version integer not null check (version > 0),
    wrapped_key bytea not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz,
    primary key (tenant_id, purpose, version)
);

-- Tenant secrets are sealed, not hashed: they verify HMAC signatures.
create table misy.tenant_secrets (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    key_id text collate "C" not null,
    sealed_secret bytea not null,
    name text not null default '',
    -- What tokens may hold that are given for it, and which management actions `tenant:manage` means in them: looked at with
    -- each call, so that what is taken from a secret is taken from its tokens too.
    permissions text[] not null default '{}',
    actions text[] not null default '{}',
    made_by text collate "C" not null default '',
    created_at timestamptz not null default now(),
    -- Set while a newer secret takes over.
    expires_at timestamptz,
    -- The one that takes over: it signs for the tokens of this one too, as far as it carries what this one does.
    successor text collate "C",
    revoked_at timestamptz,
    primary key (tenant_id, key_id)
);

-- All versions are kept; the highest is in force.
create table misy.context_packs (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    version bigint not null check (version > 0),
    pack jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, version)
);

-- Rate limits that differ from the plan's; an empty subject is the default of the scope.
create table misy.rate_limits (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    scope text not null check (scope in ('tenant', 'site', 'key', 'session', 'channel', 'agent')),
    subject text collate "C" not null default '',
    requests integer not null check (requests > 0),
    period_seconds integer not null check (period_seconds > 0),
    primary key (tenant_id, scope, subject)
);

-- Tokens that count no more, by their chain of renewals or by themselves, until none of them could be used any more. A token
-- is looked for here when a replica sees it first and now and then; the snapshot tells of the last minutes only, so that it
-- does not grow with what strangers give up.
create table misy.revoked_tokens (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    token_id text collate "C" not null,
    expires_at timestamptz not null,
    revoked_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, token_id)
);
create index revoked_tokens_over on misy.revoked_tokens (tenant_id, expires_at);
create index revoked_tokens_lately on misy.revoked_tokens (tenant_id, revoked_at);

-- The answers to creating calls that carried an Idempotency-Key. No reference to the tenant: registering one is such a call.
create table misy.idempotency_keys (
    tenant_id text collate "C" not null,
    scope text collate "C" not null,
    idempotency_key text collate "C" not null,
    request_hash bytea not null,
    status integer not null,
    sealed_response bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (tenant_id, scope, idempotency_key)
);
create index idempotency_keys_over on misy.idempotency_keys (tenant_id, expires_at);

do $$
declare
    name text;
begin
    foreach name in array array['tenants', 'sites', 'site_origins', 'api_keys', 'data_keys', 'tenant_secrets',
                                'context_packs', 'rate_limits', 'revoked_tokens', 'idempotency_keys'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_system', name);
        execute format('grant select on misy.%I to misy_worker', name);
    end loop;
end
$$;

-- A tenant goes by the clean-up only, when the time after its closing is over (see 0061).
revoke delete on misy.tenants from misy_app, misy_system;

-- The routing tables follow the tenants' own tables, in the same transaction.

create function platform.reserve_tenant_id() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into platform.tenant_ids (tenant_id) values (new.tenant_id);
    if new.tenant_type = 'owner' then
        insert into platform.owner (tenant_id) values (new.tenant_id);
    end if;
    return new;
end
$$;
create trigger reserve_tenant_id after insert on misy.tenants
    for each row execute function platform.reserve_tenant_id();

create function platform.follow_api_keys() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.credentials values (new.key_hash, new.tenant_id, new.key_id);
    else
        delete from platform.credentials where credential_hash = old.key_hash and tenant_id = old.tenant_id;
    end if;
    return null;
end
$$;
create trigger follow_api_keys after insert or delete on misy.api_keys
    for each row execute function platform.follow_api_keys();

create function platform.follow_tenant_secrets() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.secret_ids values (new.key_id, new.tenant_id);
    else
        delete from platform.secret_ids where key_id = old.key_id and tenant_id = old.tenant_id;
    end if;
    return null;
end
$$;
create trigger follow_tenant_secrets after insert or delete on misy.tenant_secrets
    for each row execute function platform.follow_tenant_secrets();

create function platform.follow_site_origins() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.origins values (new.origin, new.tenant_id, new.site_id);
    else
        delete from platform.origins
        where origin = old.origin and tenant_id = old.tenant_id and site_id = old.site_id;
    end if;
    return null;
end
$$;
create trigger follow_site_origins after insert or delete on misy.site_origins
    for each row execute function platform.follow_site_origins();
