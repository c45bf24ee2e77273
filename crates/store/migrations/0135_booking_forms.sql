-- A form counts as long as nobody else answers: a person who takes the conversation, or gives it back, ends what was asked before.
-- A form that is older than this counts nowhere.
alter table misy.booking_forms add column handling bigint not null default -1;
