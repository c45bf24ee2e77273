-- How somebody proved itself before the second factor is asked for: a password, or the tenant's provider.
alter table misy.user_tickets add column first_method text not null default 'password'
    check (first_method in ('password', 'oidc'));
