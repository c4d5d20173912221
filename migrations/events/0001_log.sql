-- The event store, which is also the audit log. One number orders everything: `position`, dense, in
-- commit order, given out under the lock on the one row of `log_head`.

-- The role that Fido runs as. It reads, and appends through append_events; it owns nothing.
do $$
begin
    create role fido_app login;
exception
    when duplicate_object or unique_violation then null;
end
$$;
alter role fido_app set lock_timeout = '5s';
alter role fido_app set statement_timeout = '30s';
-- All that it asks of this database are look-ups by index: planned once, whatever the tables hold then.
do $$
declare
    v_setting text;
begin
    foreach v_setting in array array['plan_cache_mode = force_generic_plan', 'enable_seqscan = off',
                                     'enable_mergejoin = off', 'jit = off'] loop
        execute format('alter role fido_app in database %I set %s', current_database(), v_setting);
    end loop;
end
$$;
grant usage on schema public to fido_app;
revoke create on schema public from public;

create table log_epochs (
    log_id         uuid        not null,
    epoch          integer     not null primary key,
    forked_after   bigint      not null,
    first_position bigint      not null,
    reason         text        not null,
    declared_at    timestamptz not null default clock_timestamp()
);
comment on table log_epochs is
    'Density holds within an epoch. A row is added when the log lost its tail and positions had to go on beyond the loss.';
insert into log_epochs (log_id, epoch, forked_after, first_position, reason)
values (gen_random_uuid(), 1, 0, 1, 'the log begins');

create table log_head (
    one          boolean     not null primary key default true check (one),
    position     bigint      not null default 0,
    recorded_at  timestamptz not null default '-infinity',
    epoch        integer     not null default 1,
    segment_size bigint      not null default 16777216 check (segment_size > 0),
    segments_end bigint      not null default 0,
    fences       jsonb       not null default '{}'
) with (fillfactor = 10);
comment on table log_head is
    'The last position given out and its time; segments exist for positions up to segments_end.';
comment on column log_head.fences is
    'Appenders whose line broke, each with its attempt and when it came back: what the server may still hold '
    'of earlier attempts is refused from then on. Here, because whoever has the lock has the row.';
insert into log_head default values;

create table events (
    position       bigint      not null,
    aggregate_type text        not null collate "C",
    aggregate_id   text        not null collate "C",
    sequence       bigint      not null,
    event_type     text        not null collate "C",
    event_version  text        not null collate "C",
    payload        json        not null,
    metadata       json        not null,
    recorded_at    timestamptz not null
) partition by range (position);
comment on table events is
    'Append-only. payload and metadata are json, not jsonb: the bytes stay as written (canonical, RFC 8785).';

create table streams (
    aggregate_type text   not null collate "C",
    aggregate_id   text   not null collate "C",
    subject        uuid   not null,
    last_sequence  bigint not null,
    first_position bigint not null,
    last_position  bigint not null,
    primary key (aggregate_type, aggregate_id)
) with (fillfactor = 80);
comment on table streams is 'The compare-and-set of every append: a stream is at last_sequence.';

create table claims (
    kind           text   not null collate "C",
    hash           bytea  not null,
    aggregate_type text   not null collate "C",
    aggregate_id   text   not null collate "C",
    primary key (kind, hash)
);
create index claims_by_stream on claims (aggregate_type, aggregate_id);
comment on table claims is 'Values that are unique across streams, such as an email address, as keyed hashes.';

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % refused: the log is append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger append_only before update or delete or truncate on events
    for each statement execute function refuse_change();

-- Makes the segment after the last one. A trigger on the parent does not stop a statement on the
-- partition, so each segment has its own; a segment's own unique keys need no partition column.
create function add_segment() returns void language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    v_from bigint;
    v_to   bigint;
    v_name text;
begin
    select segments_end + 1, segments_end + segment_size into v_from, v_to from log_head for update;
    v_name := 'events_' || lpad(v_from::text, 16, '0');
    execute format('create table %I (like events including defaults including comments)', v_name);
    execute format('alter table %I add constraint %I check (position >= %s and position <= %s)',
                   v_name, v_name || '_range', v_from, v_to);
    execute format('alter table %I add constraint %I primary key (position)', v_name, v_name || '_position');
    execute format('alter table %I add constraint %I unique (aggregate_type, aggregate_id, sequence)',
                   v_name, v_name || '_stream');
    execute format('create trigger append_only before update or delete or truncate on %I '
                   'for each statement execute function refuse_change()', v_name);
    execute format('alter table events attach partition %I for values from (%s) to (%s)',
                   v_name, v_from, v_to + 1);
    execute format('grant select on %I to fido_app', v_name);
    update log_head set segments_end = v_to;
end
$$;
revoke all on function add_segment() from public;

select add_segment();
select add_segment();

-- What postgres-es reads. The stream's row bounds the positions, so that only the segments that hold
-- the stream are touched, however many there are; `offset 0` keeps the planner from joining them all.
create view stream_events as
select s.aggregate_type, s.aggregate_id, e.position, e.sequence, e.event_type, e.event_version,
       e.payload, e.metadata, e.recorded_at
  from streams s
 cross join lateral (
       select * from events e
        where e.aggregate_type = s.aggregate_type and e.aggregate_id = s.aggregate_id
          and e.position between s.first_position and s.last_position
       offset 0) e;

-- What was done for an Idempotency-Key: enough to build the answer again, and none of its content.
create table receipts (
    account_id     uuid        not null,
    key_hash       bytea       not null,
    request_hash   bytea       not null,
    status         smallint    not null,
    aggregate_type text        not null collate "C",
    aggregate_id   text        not null collate "C",
    sequence       bigint      not null,
    first_position bigint      not null,
    last_position  bigint      not null,
    recorded_at    timestamptz not null,
    primary key (account_id, key_hash)
);
create index receipts_by_age on receipts (recorded_at);
comment on table receipts is
    'Written in the transaction of the command they are about. Both hashes are keyed. A command that changed '
    'nothing has first_position = last_position + 1.';

grant select on events, streams, stream_events, claims, receipts, log_head, log_epochs to fido_app;
grant delete on receipts to fido_app;
