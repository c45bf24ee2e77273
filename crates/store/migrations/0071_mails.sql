-- Mail that waits to be sent: leased work (see 0011). A mail that was sent is deleted, and with it the link that is in it.

create table misy.mails (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    mail_id text collate "C" not null,
    sealed_mail bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, mail_id)
);
call misy.protect('misy.mails');
-- Somebody who was invited or locked out hears of it also while the tenant is suspended.
call misy.lease('misy.mails', 'mail', 'mail_id', only_active => false);
grant select, insert, update, delete on misy.mails to misy_app, misy_system;
grant select, delete on misy.mails to misy_worker;
