-- Secrets of the installation that must stay the same when the root key is rotated, such as the key of the hashes by which the
-- tenants of an e-mail address are found. Sealed like the signing keys: under a data key of their own, which the root key wraps.
create table platform.installation_secrets (
    name text primary key,
    sealed_secret bytea not null,
    created_at timestamptz not null default now()
);
grant select on platform.installation_secrets to misy_app, misy_worker, misy_system;
grant insert, update on platform.installation_secrets to misy_system;
