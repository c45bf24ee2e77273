-- Ids that messages have on a channel account tell who wrote: a telephone number stands in those of WhatsApp. They stand as keyed
-- hashes here, and as themselves in what is sealed under the key of their contact. See `channels::names`.

-- What stood here in clear cannot be hashed without the tenant's key. It is forgotten: what a vendor sends again of that is taken as
-- new, and receipts find their piece by our reference.
update misy.messages set external_id = null where account_id is not null and role = 'contact' and external_id is not null;
update misy.delivery_pieces set vendor_message_id = null where vendor_message_id is not null;

alter table misy.messages add constraint messages_named check (
    account_id is null or role <> 'contact' or external_id ~ '^[A-Za-z0-9_-]{43}$');
alter table misy.delivery_pieces add constraint delivery_pieces_named check (vendor_message_id ~ '^[A-Za-z0-9_-]{43}$');

comment on column misy.messages.external_id is
    'The id that a client gave it; on a channel account, of what contacts write, a keyed hash of the id that it has there';
comment on column misy.delivery_pieces.vendor_message_id is 'A keyed hash of the id that the vendor gave it';
