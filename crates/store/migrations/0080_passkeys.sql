-- Passkeys of people (WebAuthn), and what is remembered between the two halves of a sign-in.

create table misy.passkeys (
    tenant_id text collate "C" not null,
    passkey_id text collate "C" not null,
    user_id text collate "C" not null,
    -- Of the credential id, by which a passkey is found before its tenant is known.
    credential_hash bytea not null,
    sealed_passkey bytea not null,
    name text not null,
    counter bigint not null,
    -- Whether its holder may have it on several devices, and has.
    backup_eligible boolean not null,
    backed_up boolean not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    primary key (tenant_id, passkey_id),
    unique (tenant_id, credential_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index passkeys_of_user on misy.passkeys (tenant_id, user_id);
call misy.protect('misy.passkeys');
grant select, insert, update, delete on misy.passkeys to misy_app, misy_system;
grant select on misy.passkeys to misy_worker;

create function platform.follow_passkeys() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into platform.credentials values (new.credential_hash, new.tenant_id, new.passkey_id);
    else
        delete from platform.credentials where credential_hash = old.credential_hash and tenant_id = old.tenant_id;
    end if;
    return null;
end
$$;
create trigger follow_passkeys after insert or delete on misy.passkeys
    for each row execute function platform.follow_passkeys();

-- Sealed with a key that only the browser holds which began: of no use to whoever reads it here.
create table platform.ceremonies (
    lookup bytea primary key,
    sealed_state bytea not null,
    -- As the program's clock has it.
    expires_at timestamptz not null check (isfinite(expires_at)),
    kept_at timestamptz not null
);
create index ceremonies_by_age on platform.ceremonies (kept_at);

-- Keeps a state, and tidies up a little of what nobody came back for. Nothing is kept for longer than the database's own clock says,
-- and nobody makes it tidy up sooner.
create function platform.keep_ceremony(p_lookup bytea, p_state bytea, p_expires timestamptz)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from platform.ceremonies where lookup in (
        select c.lookup from platform.ceremonies c where c.kept_at <= clock_timestamp() - interval '10 minutes'
        order by c.kept_at limit 20 for update skip locked);
    insert into platform.ceremonies values (p_lookup, p_state, p_expires, clock_timestamp());
    return true;
end
$$;

-- Gives a state back, once, if it is not over by either clock.
create function platform.take_ceremony(p_lookup bytea, p_now timestamptz) returns bytea
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from platform.ceremonies where lookup = p_lookup
    returning case when expires_at > p_now and kept_at > clock_timestamp() - interval '10 minutes' then sealed_state end
$$;
grant execute on function platform.keep_ceremony(bytea, bytea, timestamptz),
    platform.take_ceremony(bytea, timestamptz) to misy_app;
