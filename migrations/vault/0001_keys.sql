-- The keys of personal content. The schema may live in the event store's database or in one of its
-- own, with its own backups: without it, everything sealed in log, broker, replicas and backups is noise.
--
-- A stream's key is wrapped by its subject's key, that by the master key, which is nowhere in here.
-- Destroying a key leaves its row, so that it is known to be gone and is never made anew.
do $$
begin
    create role fido_app login;
exception
    when duplicate_object or unique_violation then null;
end
$$;
grant usage on schema vault to fido_app;

create table vault.subject_keys (
    subject      uuid        not null primary key,
    wrapped      bytea,
    master_key   text        not null,
    created_at   timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null))
);
comment on column vault.subject_keys.master_key is 'Which master key wraps it: the first digits of a keyed hash, not the key.';
create index subject_keys_by_master_key on vault.subject_keys (master_key, subject);

create table vault.stream_keys (
    aggregate_type text        not null collate "C",
    aggregate_id   uuid        not null,
    subject        uuid        not null references vault.subject_keys,
    wrapped        bytea,
    created_at     timestamptz not null default clock_timestamp(),
    destroyed_at   timestamptz,
    primary key (aggregate_type, aggregate_id),
    check ((wrapped is null) = (destroyed_at is not null))
);
create index stream_keys_by_subject on vault.stream_keys (subject);

create table vault.peppers (
    name       text  not null primary key,
    wrapped    bytea not null,
    master_key text  not null
);
comment on table vault.peppers is
    'Keys of keyed hashes: claims, receipts. Apart from the master key, so that rotating that one leaves the hashes as they are.';

create table vault.erasures (
    erasure_id     uuid        not null primary key,
    aggregate_type text        not null collate "C",
    aggregate_id   uuid        not null,
    subject        uuid        not null,
    whole_subject  boolean     not null,
    requested_by   text        not null,
    requested_at   timestamptz not null default clock_timestamp(),
    position       bigint,
    completed_at   timestamptz
);
comment on table vault.erasures is
    'What was asked to be erased, written before anything else is done, so that an erasure that was interrupted is completed.';
create index erasures_open on vault.erasures (requested_at) where completed_at is null;

grant select, insert, update on all tables in schema vault to fido_app;
