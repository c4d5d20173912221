-- What does not follow from the log alone: what operators and the projector tell one another, and the
-- events that wait for a fix.
create table projector (
    one          boolean     not null primary key default true check (one),
    paused_since timestamptz,
    pause_reason text,
    waits_at     bigint,
    waits_since  timestamptz,
    waits_for    text
);
comment on table projector is 'One row. The projector locks it with the checkpoint, so that what is said here holds from the next batch on.';
comment on column projector.paused_since is 'Since when an operator lets the projector pause (fido replica pause); none while it may go on.';
comment on column projector.waits_at is 'The event at which the projector waits because its build does not know it; none otherwise.';
insert into projector default values;
grant select, update on projector to fido_app;

create table quarantine (
    position       bigint      not null primary key,
    aggregate_type text        not null,
    aggregate_id   uuid        not null,
    sequence       bigint      not null,
    event_type     text        not null,
    event_version  text        not null,
    payload        json        not null,
    metadata       json        not null,
    recorded_at    timestamptz not null,
    culprit        bigint      not null,
    reason         text,
    parked_at      timestamptz not null default now()
);
comment on table quarantine is 'Events that are not in the rows yet: those of a stream from the one on that could not be applied (fido replica retry). Private content is sealed, as in the log.';
comment on column quarantine.culprit is 'The position of the event of this stream that could not be applied.';
comment on column quarantine.reason is 'Why it could not; stands at the culprit alone.';
create index quarantine_by_stream on quarantine (aggregate_type, aggregate_id, position);
grant select, insert, update, delete on quarantine to fido_app;
