-- A read replica: one schema, at one position. Every row follows from the log; nothing else writes here.
-- Columns of type json hold personal content, sealed; nothing that reads or writes a replica alone can open it.
do $$
begin
    create role fido_app login;
exception
    when duplicate_object or unique_violation then null;
end
$$;

create schema fido;
grant usage on schema fido to fido_app;

create table fido.checkpoint (
    one      boolean not null primary key default true check (one),
    position bigint  not null default 0,
    log_id   uuid,
    epoch    integer
);
comment on table fido.checkpoint is 'This replica shows the log up to exactly this position; advanced in the transaction that writes the rows.';
comment on column fido.checkpoint.epoch is 'The epoch of the log that was followed; none, like log_id, before the first contact.';
insert into fido.checkpoint default values;

create table fido.accounts (
    account_id   uuid        not null primary key,
    email        json        not null,
    display_name json        not null,
    roles        text[]      not null,
    sequence     bigint      not null,
    created_at   timestamptz not null
);

create table fido.conversations (
    conversation_id  uuid        not null primary key,
    account_id       uuid        not null,
    copilot          text        not null,
    title            json,
    goal             json,
    plan_id          uuid,
    status           text        not null,
    message_count    bigint      not null,
    sequence         bigint      not null,
    created_at       timestamptz not null,
    last_activity_at timestamptz not null
);
create index conversations_by_activity on fido.conversations (account_id, last_activity_at desc, conversation_id desc);

create table fido.messages (
    message_id      uuid        not null,
    conversation_id uuid        not null,
    role            text        not null,
    text            json,
    status          text        not null,
    model           text,
    input_tokens    bigint,
    output_tokens   bigint,
    failure         text,
    created_at      timestamptz not null,
    position        bigint      not null,
    primary key (conversation_id, message_id)
);
comment on column fido.messages.text is 'Sealed: {"sealed": …}; none while the reply is awaited.';
comment on column fido.messages.position is 'Where the message entered the log; the order of the transcript.';
create unique index messages_in_order on fido.messages (conversation_id, position);
create index messages_open on fido.messages (position) where status = 'requested';

create table fido.timeline (
    account_id     uuid        not null,
    position       bigint      not null,
    aggregate_type text        not null,
    aggregate_id   uuid        not null,
    sequence       bigint      not null,
    event_type     text        not null,
    event_version  text        not null,
    payload        json        not null,
    metadata       json        not null,
    recorded_at    timestamptz not null,
    primary key (account_id, position)
);
comment on table fido.timeline is 'Each account''s own part of the log, from which a live stream resumes.';

grant select, insert, update, delete on all tables in schema fido to fido_app;
