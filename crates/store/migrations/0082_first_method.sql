-- How somebody proved itself before the second factor is asked for: a password, or the tenant's provider.
alter table misy.user_tickets add column first_method text not null default 'password'
    check (first_method in ('password', 'oidc'));

-- The person of a provider that a sign-in would link to the account, once the second factor is proved.
alter table misy.user_tickets
    add column link_issuer text collate "C",
    add column link_subject_hash bytea,
    add constraint link_is_whole check ((link_issuer is null) = (link_subject_hash is null));
