-- Bookings: a contact, a service and a provider of the context pack, and a time. What can be booked, by whom it is done and when
-- they are there stands in the pack (adr/0094).

-- A text as a range that holds it alone. Ranges are what an exclusion constraint compares without any extension: two of these overlap
-- where the texts are the same.
create type misy.text_range as range (subtype = text, collation = "C");
revoke usage on type misy.text_range from public;

-- One line for each provider. Whoever changes bookings of a provider changes its line first, so that one comes after another and each
-- sees what was taken before it.
create table misy.booking_calendars (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    provider_id text collate "C" not null,
    -- Counts up.
    changes bigint not null default 1,
    primary key (tenant_id, provider_id)
);
call misy.protect('misy.booking_calendars');
grant select, insert, update on misy.booking_calendars to misy_app, misy_worker;

create table misy.bookings (
    tenant_id text collate "C" not null,
    booking_id text collate "C" not null,
    -- Whose it is, and the conversation that it was made in.
    contact_id text collate "C" not null,
    conversation_id text collate "C",
    -- What and by whom, with the names of that time: the pack may change.
    service_id text collate "C" not null,
    service_name text not null,
    provider_id text collate "C" not null,
    provider_name text not null,
    -- Which of the provider's places it takes.
    place smallint not null check (place between 1 and 500),
    state text collate "C" not null check (state in ('held', 'booked', 'cancelled')),
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    -- What it takes of the provider's time: with what is needed before and after it.
    occupies tstzrange not null check (occupies @> tstzrange(starts_at, ends_at)),
    -- Until when the time is kept for somebody who decides.
    held_until timestamptz check ((state = 'held') = (held_until is not null)),
    -- Who it is for, sealed under the contact's key.
    sealed_details bytea not null,
    -- Counts changes, from 1.
    version bigint not null default 1,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (tenant_id, booking_id),
    foreign key (tenant_id, contact_id) references misy.contacts on delete cascade,
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade,
    -- No two of them have the same place of the same provider at the same time, whoever writes them and whatever they looked at before.
    constraint bookings_do_not_overlap exclude using gist (
        misy.text_range(tenant_id, tenant_id, '[]') with &&,
        misy.text_range(provider_id, provider_id, '[]') with &&,
        int4range(place, place, '[]') with &&,
        occupies with &&
    ) where (state in ('held', 'booked'))
);
create index bookings_start on misy.bookings (tenant_id, starts_at, booking_id);
create index bookings_provider on misy.bookings (tenant_id, provider_id, starts_at) where state in ('held', 'booked');
create index bookings_contact on misy.bookings (tenant_id, contact_id, starts_at);
-- A conversation keeps one time at most.
create unique index bookings_hold on misy.bookings (tenant_id, conversation_id) where state = 'held';
create index bookings_held on misy.bookings (tenant_id, held_until) where held_until is not null;
create index bookings_conversation on misy.bookings (tenant_id, conversation_id) where conversation_id is not null;

call misy.protect('misy.bookings');
grant select, insert, update on misy.bookings to misy_app, misy_worker;
-- The sweep locks what it removes, for which it must be able to change something.
grant select, update (changed_at) on misy.bookings to misy_system;

insert into platform.sealed_columns values ('bookings', 'sealed_details', '{booking_id}', 't.booking_id', 't.contact_id', 'true');
create trigger refuse_retired_key after insert or update of sealed_details on misy.bookings
    for each row when (misy.data_key_version(new.sealed_details) is not null)
    execute function misy.refuse_retired_key('sealed_details');

-- What a conversation has settled so far of a booking, after the turn that read the message of this number. The one that counts is the
-- newest whose turn is durable: a turn that was begun and not ended leaves one that is written over.
create table misy.booking_forms (
    tenant_id text collate "C" not null,
    conversation_id text collate "C" not null,
    after_sequence bigint not null,
    sealed_form bytea not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, conversation_id, after_sequence),
    foreign key (tenant_id, conversation_id) references misy.conversations on delete cascade
);
create index booking_forms_age on misy.booking_forms (tenant_id, created_at);
call misy.protect('misy.booking_forms');
grant select, insert, update on misy.booking_forms to misy_worker;
-- A rotation of keys seals them anew.
grant select, update (sealed_form) on misy.booking_forms to misy_app;
grant select, update (created_at) on misy.booking_forms to misy_system;

insert into platform.sealed_columns values
    ('booking_forms', 'sealed_form', '{conversation_id,after_sequence}', 't.conversation_id || ''/'' || t.after_sequence',
     '(select c.contact_id from misy.conversations c where c.tenant_id = t.tenant_id and c.conversation_id = t.conversation_id)', 'true');
create trigger refuse_retired_key after insert or update of sealed_form on misy.booking_forms
    for each row when (misy.data_key_version(new.sealed_form) is not null)
    execute function misy.refuse_retired_key('sealed_form');
