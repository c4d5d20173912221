-- A read replica: one schema, at one position. Every row follows from the log; nothing else writes here.
-- No object names its schema: they are made in whichever the search_path begins with, so that a replica
-- can be built anew beside the one that serves.
-- Columns of type json hold personal content, sealed; nothing that reads or writes a replica alone can open it.
do $$
begin
    create role fido_app login;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    execute format('grant usage on schema %I to fido_app', current_schema());
end
$$;

create table checkpoint (
    one      boolean not null primary key default true check (one),
    position bigint  not null default 0,
    log_id   uuid,
    epoch    integer
);
comment on table checkpoint is 'This replica shows the log up to exactly this position; advanced in the transaction that writes the rows.';
comment on column checkpoint.epoch is 'The epoch of the log that was followed; none, like log_id, before the first contact.';
insert into checkpoint default values;

create table accounts (
    account_id   uuid        not null primary key,
    email        json        not null,
    display_name json        not null,
    roles        text[]      not null,
    sequence     bigint      not null,
    created_at   timestamptz not null
);

create table conversations (
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
create index conversations_by_activity on conversations (account_id, last_activity_at desc, conversation_id desc);

create table messages (
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
comment on column messages.text is 'Sealed: {"sealed": …}; none while the reply is awaited.';
comment on column messages.position is 'Where the message entered the log; the order of the transcript.';
create unique index messages_in_order on messages (conversation_id, position);
create index messages_open on messages (position) where status = 'requested';

create table timeline (
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
comment on table timeline is 'Each account''s own part of the log, from which a live stream resumes.';

grant select, insert, update, delete
    on checkpoint, accounts, conversations, messages, timeline
    to fido_app;
