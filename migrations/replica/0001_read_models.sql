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
    created_at   timestamptz not null,
    erased_at    timestamptz
);
comment on table accounts is 'Who there is. After an erasure the row stays, and the content is {"erased": true}.';

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
comment on column conversations.status is 'active or erased.';
create index conversations_by_activity on conversations (account_id, last_activity_at desc, conversation_id desc);
create index conversations_by_plan on conversations (plan_id, last_activity_at desc, conversation_id desc)
    where plan_id is not null;

create table messages (
    message_id      uuid        not null,
    conversation_id uuid        not null,
    role            text        not null,
    text            json,
    characters      integer,
    status          text        not null,
    model           text,
    input_tokens    bigint,
    output_tokens   bigint,
    failure         text,
    created_at      timestamptz not null,
    settled_at      timestamptz,
    position        bigint      not null,
    primary key (conversation_id, message_id)
) partition by hash (conversation_id);
comment on column messages.text is 'Sealed: {"sealed": …}; none while the reply is awaited.';
comment on column messages.characters is 'How long the text is; none where there is no text.';
comment on column messages.status is 'complete, requested, failed, or cancelled.';
comment on column messages.settled_at is 'When the reply was completed or failed; none for what a person wrote.';
comment on column messages.position is 'Where the message entered the log; the order of the transcript.';
create unique index messages_in_order on messages (conversation_id, position);
create index messages_open on messages (position) where status = 'requested';

create table plans (
    plan_id          uuid        not null primary key,
    account_id       uuid        not null,
    title            json        not null,
    business_name    json,
    industry         json,
    location         json,
    stage            text,
    summary          json,
    status           text        not null,
    sections_written integer     not null,
    sequence         bigint      not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);
comment on column plans.status is 'active or archived.';
comment on column plans.sections_written is 'How many of the nine sections have a text.';
create index plans_newest on plans (account_id, created_at desc, plan_id desc);

create table plan_sections (
    plan_id     uuid        not null,
    section     text        not null collate "C",
    revision    integer     not null,
    written     text        not null,
    approved_at timestamptz,
    updated_at  timestamptz not null,
    status      text        not null
        generated always as (case when approved_at is null then written else 'approved' end) stored,
    primary key (plan_id, section)
);
comment on table plan_sections is 'The sections that have a text; it stands at the revision.';
comment on column plan_sections.written is 'What the revision made of the section: drafted or revised.';
comment on column plan_sections.approved_at is 'Since when the person is content with it; none when they are not.';

create table section_revisions (
    plan_id         uuid        not null,
    section         text        not null collate "C",
    revision        integer     not null,
    written         text        not null,
    source          text        not null,
    text            json        not null,
    words           integer     not null,
    characters      integer     not null,
    model           text,
    restored_from   integer,
    generation_id   uuid,
    conversation_id uuid,
    recorded_at     timestamptz not null,
    primary key (plan_id, section, revision)
) partition by hash (plan_id);
comment on table section_revisions is 'Every text that a section had.';
comment on column section_revisions.source is 'Who wrote the text: model or user.';
comment on column section_revisions.restored_from is 'The revision whose text it has, if the person went back to it.';

create table plan_facts (
    plan_id         uuid        not null,
    key             text        not null collate "C",
    value           json        not null,
    source          text        not null,
    conversation_id uuid,
    recorded_at     timestamptz not null,
    primary key (plan_id, key)
);
comment on table plan_facts is 'What the co-pilots know about the business now.';

create table generations (
    plan_id       uuid        not null,
    generation_id uuid        not null,
    status        text        not null,
    attempt       integer     not null,
    instructions  json,
    failure       text,
    input_tokens  bigint      not null,
    output_tokens bigint      not null,
    requested_at  timestamptz not null,
    started_at    timestamptz,
    ended_at      timestamptz,
    position      bigint      not null,
    primary key (plan_id, generation_id)
);
comment on column generations.status is 'requested, started, completed, failed, or cancelled.';
comment on column generations.attempt is 'How many workers have begun it.';
comment on column generations.started_at is 'When a worker first began it.';
comment on column generations.position is 'Where it was requested.';
create unique index generations_newest on generations (plan_id, position desc);
create index generations_open on generations (position) where status in ('requested', 'started');

create table generation_sections (
    plan_id       uuid not null,
    generation_id uuid not null,
    section       text not null collate "C",
    outcome       text not null,
    reason        text,
    primary key (plan_id, generation_id, section)
);
comment on column generation_sections.outcome is 'pending, drafted, skipped, or failed.';
comment on column generation_sections.reason is 'Why it was not taken or could not be written, as a stable code.';

create table usage_by_day (
    account_id    uuid   not null,
    day           date   not null,
    copilot       text   not null collate "C",
    model         text   not null collate "C",
    answers       bigint not null,
    input_tokens  bigint not null,
    output_tokens bigint not null,
    primary key (account_id, day, copilot, model)
);
comment on table usage_by_day is 'What models have used for an account, in tokens of their providers. A day is one of UTC.';
comment on column usage_by_day.copilot is 'Who answered; plan_generation for sections that were written on request.';
comment on column usage_by_day.answers is 'Replies, or sections: taken or not.';

create table messages_by_day (
    account_id uuid   not null,
    day        date   not null,
    copilot    text   not null collate "C",
    messages   bigint not null,
    primary key (account_id, day, copilot)
);
comment on table messages_by_day is 'How much a person wrote. A day is one of UTC.';

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
) partition by hash (account_id);
comment on table timeline is 'Each account''s own part of the log, from which a live stream resumes.';

create table audit_timeline (
    position       bigint      not null primary key,
    recorded_at    timestamptz not null,
    actor          uuid,
    actor_role     text        not null,
    subject        uuid        not null,
    aggregate_type text        not null,
    aggregate_id   uuid        not null,
    sequence       bigint      not null,
    event_type     text        not null collate "C",
    event_version  text        not null,
    command_id     uuid        not null
);
comment on table audit_timeline is 'Every event: who did what to whose data, without what it says.';
comment on column audit_timeline.actor is 'The account that acted; none for Fido itself.';
comment on column audit_timeline.subject is 'Whose data it is.';
create index audit_timeline_by_aggregate on audit_timeline (aggregate_id, position);
create index audit_timeline_by_subject on audit_timeline (subject, position);
create index audit_timeline_by_actor on audit_timeline (actor, position) where actor is not null;
create index audit_timeline_by_type on audit_timeline (event_type, position);
create index audit_timeline_by_time on audit_timeline (recorded_at, position);

-- Ciphertext does not get smaller by compressing it, and what fits on a page is read with its row.
alter table messages alter column text set storage external;
alter table section_revisions alter column text set storage external;
alter table timeline alter column payload set storage external;

do $$
declare
    parent text;
begin
    foreach parent in array array['messages', 'section_revisions', 'timeline'] loop
        for remainder in 0..15 loop
            execute format(
                'create table %I partition of %I for values with (modulus 16, remainder %s)
                     with (toast_tuple_target = 8160)',
                format('%s_%s', parent, to_char(remainder, 'FM00')), parent, remainder
            );
        end loop;
    end loop;
end
$$;

grant select, insert, update, delete
    on checkpoint, accounts, conversations, messages, plans, plan_sections, section_revisions, plan_facts,
       generations, generation_sections, usage_by_day, messages_by_day, timeline, audit_timeline
    to fido_app;
