-- People of a tenant, what they prove themselves with, and where they are signed in. An e-mail address is one account
-- within a tenant; the same person may have accounts in several.

create table misy.users (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    user_id text collate "C" not null,
    -- invited: has not come in yet; disabled: can neither sign in nor call.
    status text not null default 'invited' check (status in ('invited', 'active', 'disabled')),
    sealed_email bytea not null,
    -- Keyed hashes of the normalised address: the tenant's own, and the installation's, by which the tenant is found.
    email_index bytea not null,
    email_route bytea not null,
    sealed_name bytea not null,
    roles text[] not null,
    locale text,
    -- Argon2id as a PHC string, with a pepper that is not in this table.
    password_hash text,
    password_changed_at timestamptz,
    -- Since when some second factor is enrolled, of whichever kind.
    second_factor_since timestamptz,
    sealed_totp bytea,
    sealed_totp_candidate bytea,
    -- The last time step a code was taken of: each counts once (RFC 6238, section 5.2).
    totp_last_step bigint not null default 0,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_sign_in_at timestamptz,
    primary key (tenant_id, user_id),
    unique (tenant_id, email_index)
);

-- Signed-in browsers. Only the hash of the token in the cookie is kept; it changes with each proof.
create table misy.user_sessions (
    tenant_id text collate "C" not null,
    sign_in_id text collate "C" not null,
    user_id text collate "C" not null,
    token_hash bytea not null,
    -- How the user proved itself: password, totp, recovery_code, passkey, oidc.
    methods text[] not null,
    second_factor_at timestamptz,
    user_agent text,
    address_prefix text,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    idle_seconds integer not null check (idle_seconds > 0),
    primary key (tenant_id, sign_in_id),
    unique (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index user_sessions_of_user on misy.user_sessions (tenant_id, user_id);

-- What is good once and for a short time: the way from password to second factor, links to set a password or to join.
create table misy.user_tickets (
    tenant_id text collate "C" not null,
    token_hash bytea not null,
    user_id text collate "C" not null,
    purpose text not null check (purpose in ('second_factor', 'password_reset', 'invitation')),
    attempts integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index user_tickets_of_user on misy.user_tickets (tenant_id, user_id, purpose);

-- Browsers from which somebody signed in before: whoever guesses passwords elsewhere does not slow these down. In some of them
-- a link was used that was made for the person: their password enrols a first second factor there, and nowhere else.
create table misy.user_devices (
    tenant_id text collate "C" not null,
    user_id text collate "C" not null,
    device_hash bytea not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    had_link boolean not null default false,
    primary key (tenant_id, user_id, device_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index user_devices_over on misy.user_devices (tenant_id, expires_at);

create table misy.user_recovery_codes (
    tenant_id text collate "C" not null,
    user_id text collate "C" not null,
    code_hash bytea not null,
    used_at timestamptz,
    primary key (tenant_id, user_id, code_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);

create table misy.personal_tokens (
    tenant_id text collate "C" not null,
    key_id text collate "C" not null,
    user_id text collate "C" not null,
    token_hash bytea not null,
    -- The first characters, to recognise the token by.
    prefix text not null,
    name text not null,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, key_id),
    unique (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index personal_tokens_of_user on misy.personal_tokens (tenant_id, user_id);

-- Which user the token of a registration (an administrator's key) brought in; it is revoked with that. No reference to the
-- user: the token brings in one, even when that one is removed later.
create table misy.enrollments (
    tenant_id text collate "C" not null,
    key_id text collate "C" not null,
    user_id text collate "C" not null,
    enrolled_at timestamptz not null,
    primary key (tenant_id, key_id),
    foreign key (tenant_id, key_id) references misy.api_keys on delete cascade
);

do $$
declare
    name text;
begin
    foreach name in array array['users', 'user_sessions', 'user_tickets', 'user_devices', 'user_recovery_codes',
                                'personal_tokens', 'enrollments'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_system', name);
        execute format('grant select on misy.%I to misy_worker', name);
    end loop;
end
$$;

-- Which tenants an e-mail address has accounts in that somebody has come in to, by its keyed hash: asked before the tenant is
-- known. To invite an address, which anybody can do to anybody, adds nothing here.
create table platform.user_emails (
    email_route bytea not null,
    tenant_id text collate "C" not null,
    user_id text collate "C" not null,
    primary key (email_route, tenant_id, user_id)
);

create function platform.follow_users() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op <> 'INSERT' then
        delete from platform.user_emails
        where email_route = old.email_route and tenant_id = old.tenant_id and user_id = old.user_id;
    end if;
    if tg_op <> 'DELETE' and new.status = 'active' then
        insert into platform.user_emails values (new.email_route, new.tenant_id, new.user_id);
    end if;
    return null;
end
$$;
create trigger follow_users after insert or delete or update of email_route, status on misy.users
    for each row execute function platform.follow_users();

-- Sessions, tickets and personal tokens are found as keys are.
create function platform.follow_user_tokens() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op <> 'INSERT' then
        delete from platform.credentials where credential_hash = old.token_hash and tenant_id = old.tenant_id;
    end if;
    if tg_op <> 'DELETE' then
        insert into platform.credentials values (new.token_hash, new.tenant_id, new.user_id);
    end if;
    return null;
end
$$;
create trigger follow_user_tokens after insert or delete or update of token_hash on misy.user_sessions
    for each row execute function platform.follow_user_tokens();
create trigger follow_user_tokens after insert or delete or update of token_hash on misy.user_tickets
    for each row execute function platform.follow_user_tokens();
create trigger follow_user_tokens after insert or delete or update of token_hash on misy.personal_tokens
    for each row execute function platform.follow_user_tokens();

-- Known browsers too: so one question tells for which accounts of an address one is known, however many there are.
create function platform.follow_user_devices() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.credentials values (new.device_hash, new.tenant_id, new.user_id);
    else
        delete from platform.credentials where credential_hash = old.device_hash and tenant_id = old.tenant_id;
    end if;
    return null;
end
$$;
create trigger follow_user_devices after insert or delete on misy.user_devices
    for each row execute function platform.follow_user_devices();

-- In which tenants somebody has come in to an account with this address, and which of these browsers is known for it. Anybody may
-- give somebody's address accounts without end, so a hundred are told: those that the browser is known for, then the oldest, as
-- ids begin with the time. Whoever names the tenant is told of that one.
create function platform.accounts_of_email(route bytea, devices bytea[], wanted text)
returns table (tenant_id text, device bytea)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    with shown as materialized (
        select c.tenant_id, c.key_id, c.credential_hash
        from platform.credentials c
        where c.credential_hash = any (devices)
    )
    select e.tenant_id, known.credential_hash
    from platform.user_emails e
    left join lateral (
        select s.credential_hash from shown s where s.tenant_id = e.tenant_id and s.key_id = e.user_id limit 1
    ) known on true
    where e.email_route = route and (wanted is null or e.tenant_id = wanted)
    order by known.credential_hash is null, e.user_id
    limit 100
$$;
grant execute on function platform.accounts_of_email(bytea, bytea[], text) to misy_app, misy_system;
