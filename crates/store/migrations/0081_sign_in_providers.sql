-- How a tenant's people sign in with their own provider (OpenID Connect), and whom of them it knows under which name.

create table misy.sign_in_providers (
    tenant_id text collate "C" primary key references misy.tenants on delete cascade,
    issuer text not null,
    client_id text not null,
    sealed_client_secret bytea,
    scopes text[] not null,
    -- The claim that says whose the person is, and what it must say.
    tenant_claim text not null,
    tenant_claim_value text not null,
    -- The claim that lists groups, and which roles each of them gives.
    role_claim text,
    role_mapping jsonb not null,
    default_roles text[] not null,
    email_domains text[] not null,
    -- Whether an address counts as verified when the provider does not say whether it is.
    trust_email boolean not null,
    -- Whether people without an account get one when they come.
    provisioning boolean not null,
    -- Whether this is the only way in, but for the one account that is named.
    exclusive boolean not null,
    break_glass_user_id text collate "C",
    -- Values of `acr` and `amr` that count as a second factor.
    trusted_acr text[] not null,
    trusted_amr text[] not null,
    -- The actions that whoever set it may do: on its word alone nobody gets more, and nobody who has more comes in.
    stands_for text[] not null,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (tenant_id, break_glass_user_id) references misy.users on delete set null (break_glass_user_id)
);

-- A person of a provider is its issuer and subject, never an e-mail address.
create table misy.federated_identities (
    tenant_id text collate "C" not null,
    issuer text collate "C" not null,
    subject_hash bytea not null,
    user_id text collate "C" not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    -- When the person proved a second factor of their own for this link; until then the provider's word is all there is.
    proved_at timestamptz,
    primary key (tenant_id, issuer, subject_hash),
    foreign key (tenant_id, user_id) references misy.users on delete cascade
);
create index federated_identities_of_user on misy.federated_identities (tenant_id, user_id);

do $$
declare
    name text;
begin
    foreach name in array array['sign_in_providers', 'federated_identities'] loop
        call misy.protect(format('misy.%I', name)::regclass);
        execute format('grant select, insert, update, delete on misy.%I to misy_app, misy_system', name);
        execute format('grant select on misy.%I to misy_worker', name);
    end loop;
end
$$;
