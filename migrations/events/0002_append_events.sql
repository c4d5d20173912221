-- Group commit: many commands in one call, each decided on its own, all of what is accepted durable
-- together. Call it on its own, auto-committed: the lock on log_head is held to the end of the
-- transaction, and no client should be able to hold it.
--
-- Commands are numbered 1, 2, 3 … as they stand in the arrays; what belongs to a command carries its
-- number. Events come with everything their row needs, so that a batch is one scan of its arrays.
--
-- One row comes back for each command, with its outcome:
--
--   appended     its events stand at first_position, first_position + 1, … at the time `recorded`
--   conflict     its stream is not where it was expected; load the tail and decide again
--   claim_taken  another stream holds the claim of kind `detail`
--   receipt      its Idempotency-Key was used before; see receipts
--
-- or a single row of number 0, and nothing has happened:
--
--   diverged     the log ends at first_position, before p_seen: it has lost its tail
--   epoch        the log is in epoch first_position, not in p_epoch: forget what was loaded
--   fenced       the appender has come back with a higher attempt since
--
-- Calling it again with the same commands is safe: where a command's events already stand where they
-- were to go, the first outcome is given again.
--
-- The plan is pinned: once planned, never again, and by index look-ups into the tables, since the
-- arrays are small and the tables are not. The role's settings see to it (0001_log.sql), because
-- settings of the function itself would cost 15 us a call. `limit 1` keeps the look-up from becoming
-- a join.
create function append_events(
    p_appender         uuid,
    p_attempt          bigint,
    p_seen             bigint,
    p_epoch            integer,
    -- one a command
    p_command_ids      uuid[],
    p_types            text[],
    p_ids              text[],
    p_expected         bigint[],
    p_subjects         uuid[],
    p_counts           bigint[],
    -- one an event
    p_event_commands   integer[],
    p_event_indexes    bigint[],
    p_event_types      text[],
    p_event_versions   text[],
    p_payloads         text[],
    p_metadata         text[],
    -- one a claim
    p_claim_commands   integer[],
    p_claim_kinds      text[],
    p_claim_hashes     bytea[],
    p_claim_takes      boolean[],
    -- one a receipt
    p_receipt_commands integer[],
    p_receipt_accounts uuid[],
    p_receipt_keys     bytea[],
    p_receipt_requests bytea[],
    p_receipt_statuses smallint[]
) returns table (command integer, outcome text, first_position bigint, recorded timestamptz, detail text)
language plpgsql volatile security definer
set search_path = public, pg_temp
as $$
declare
    v_commands integer := cardinality(p_command_ids);
    v_head     log_head%rowtype;
    v_attempt  bigint;
    v_alone    integer[];
    v_n        integer;
    v_sequence bigint;
    v_position bigint;
begin
    -- The lock. What follows is a new statement each, so that its snapshot is newer than the lock.
    select * into v_head from log_head for update;

    -- First of all: whatever is answered now, an earlier attempt must not be taken afterwards.
    v_attempt := coalesce((v_head.fences -> p_appender::text ->> 'attempt')::bigint, 0);
    if p_attempt < v_attempt then
        return query select 0, 'fenced'::text, null::bigint, null::timestamptz, null::text;
        return;
    end if;
    if p_attempt > v_attempt then
        update log_head set fences = (
            select coalesce(jsonb_object_agg(f.key, f.value), '{}')
              from jsonb_each(v_head.fences) f
             where (f.value ->> 'since')::timestamptz > clock_timestamp() - interval '1 day'
        ) || jsonb_build_object(p_appender, jsonb_build_object('attempt', p_attempt, 'since', clock_timestamp()));
    end if;

    if v_head.position < p_seen then
        return query select 0, 'diverged'::text, v_head.position, null::timestamptz, null::text;
        return;
    end if;
    if v_head.epoch <> p_epoch then
        return query select 0, 'epoch'::text, v_head.epoch::bigint, null::timestamptz, null::text;
        return;
    end if;

    recorded := greatest(clock_timestamp(), v_head.recorded_at);
    v_position := v_head.position;

    -- The next segment is made when the last one is entered, long before it is needed.
    while v_position + cardinality(p_payloads) > v_head.segments_end - v_head.segment_size loop
        perform add_segment();
        select * into v_head from log_head;
    end loop;

    -- A command that comes alone, with nothing but events, for a stream that is where it should be:
    -- with as few words as possible, because a person waits for it.
    if v_commands = 1 and cardinality(p_payloads) > 0
       and cardinality(p_claim_commands) = 0 and cardinality(p_receipt_commands) = 0 then
        if p_expected[1] > 0 then
            update streams s
               set last_sequence = p_expected[1] + p_counts[1], last_position = v_position + p_counts[1]
             where s.aggregate_type = p_types[1] and s.aggregate_id = p_ids[1]
               and s.last_sequence = p_expected[1];
        else
            insert into streams (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
            values (p_types[1], p_ids[1], p_subjects[1], p_counts[1], v_position + 1, v_position + p_counts[1])
                on conflict do nothing;
        end if;
        if found then
            for i in 1..p_counts[1] loop
                insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                                    payload, metadata, recorded_at)
                values (v_position + i, p_types[1], p_ids[1], p_expected[1] + i, p_event_types[i],
                        p_event_versions[i], p_payloads[i]::json, p_metadata[i]::json, append_events.recorded);
            end loop;
            update log_head h set position = v_position + p_counts[1], recorded_at = append_events.recorded;
            command := 1;
            outcome := 'appended';
            first_position := v_position + 1;
            return next;
            return;
        end if;
    end if;

    -- One by one: a command that comes alone, because that is faster, and commands with claims or
    -- receipts or without events, because of two in one batch the first must count for the second.
    if v_commands = 1 then
        v_alone := array[1];
    elsif cardinality(p_claim_commands) > 0 or cardinality(p_receipt_commands) > 0 then
        select array_agg(distinct t.n order by t.n) into v_alone
          from unnest(p_claim_commands || p_receipt_commands) as t (n);
    else
        v_alone := '{}';
    end if;
    foreach command in array v_alone loop
        first_position := null;
        detail := null;

        select s.last_sequence into v_sequence from streams s
         where s.aggregate_type = p_types[command] and s.aggregate_id = p_ids[command];
        if coalesce(v_sequence, 0) <> p_expected[command] then
            select e.position, e.recorded_at into first_position, recorded
              from stream_events e
             where e.aggregate_type = p_types[command] and e.aggregate_id = p_ids[command]
               and e.sequence = p_expected[command] + 1
               and e.metadata ->> 'command_id' = p_command_ids[command]::text;
            if found then
                outcome := 'appended';
                return next;
                recorded := greatest(clock_timestamp(), v_head.recorded_at);
                continue;
            end if;
            recorded := greatest(clock_timestamp(), v_head.recorded_at);
        end if;

        if cardinality(p_receipt_commands) > 0 then
            perform 1 from unnest(p_receipt_commands, p_receipt_accounts, p_receipt_keys) as t (n, account_id, key_hash)
              join receipts r on r.account_id = t.account_id and r.key_hash = t.key_hash
             where t.n = command;
            if found then
                outcome := 'receipt';
                return next;
                continue;
            end if;
        end if;

        if coalesce(v_sequence, 0) <> p_expected[command] then
            outcome := 'conflict';
            return next;
            continue;
        end if;

        if cardinality(p_claim_commands) > 0 then
            select t.kind into detail
              from unnest(p_claim_commands, p_claim_kinds, p_claim_hashes, p_claim_takes) as t (n, kind, hash, take)
              join claims c on c.kind = t.kind and c.hash = t.hash
             where t.n = command and t.take
               and (c.aggregate_type, c.aggregate_id) <> (p_types[command], p_ids[command])
             limit 1;
            if found then
                outcome := 'claim_taken';
                return next;
                continue;
            end if;
            delete from claims c
             using unnest(p_claim_commands, p_claim_kinds, p_claim_hashes, p_claim_takes) as t (n, kind, hash, take)
             where t.n = command and not t.take and c.kind = t.kind and c.hash = t.hash
               and c.aggregate_type = p_types[command] and c.aggregate_id = p_ids[command];
            insert into claims (kind, hash, aggregate_type, aggregate_id)
            select t.kind, t.hash, p_types[command], p_ids[command]
              from unnest(p_claim_commands, p_claim_kinds, p_claim_hashes, p_claim_takes) as t (n, kind, hash, take)
             where t.n = command and t.take
                on conflict do nothing;
        end if;

        if p_counts[command] > 0 then
            if v_sequence is null then
                insert into streams (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
                values (p_types[command], p_ids[command], p_subjects[command], p_counts[command],
                        v_position + 1, v_position + p_counts[command]);
            else
                update streams s
                   set last_sequence = p_expected[command] + p_counts[command],
                       last_position = v_position + p_counts[command]
                 where s.aggregate_type = p_types[command] and s.aggregate_id = p_ids[command];
            end if;
            insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                                payload, metadata, recorded_at)
            select v_position + e.i, p_types[command], p_ids[command], p_expected[command] + e.i, e.event_type,
                   e.event_version, e.payload::json, e.metadata::json, recorded
              from unnest(p_event_commands, p_event_indexes, p_event_types, p_event_versions, p_payloads, p_metadata)
                   as e (n, i, event_type, event_version, payload, metadata)
             where e.n = command;
        end if;
        if cardinality(p_receipt_commands) > 0 then
            insert into receipts (account_id, key_hash, request_hash, status, aggregate_type, aggregate_id,
                                  sequence, first_position, last_position, recorded_at)
            select t.account_id, t.key_hash, t.request_hash, t.status, p_types[command], p_ids[command],
                   p_expected[command] + p_counts[command],
                   case when p_counts[command] > 0 then v_position + 1 else coalesce(s.last_position, 0) + 1 end,
                   case when p_counts[command] > 0 then v_position + p_counts[command] else coalesce(s.last_position, 0) end,
                   recorded
              from unnest(p_receipt_commands, p_receipt_accounts, p_receipt_keys, p_receipt_requests, p_receipt_statuses)
                   as t (n, account_id, key_hash, request_hash, status)
              left join lateral (
                   select x.last_position from streams x
                    where x.aggregate_type = p_types[command] and x.aggregate_id = p_ids[command] limit 1) s on true
             where t.n = command;
        end if;
        outcome := 'appended';
        first_position := v_position + 1;
        return next;
        v_position := v_position + p_counts[command];
    end loop;

    -- All others at once.
    if cardinality(v_alone) = v_commands then
        if v_position > v_head.position then
            update log_head h set position = v_position, recorded_at = append_events.recorded;
        end if;
    else
        return query
        with event as materialized (
            select e.k, e.n, e.i, s.ctid as stream, p_expected[e.n] as expected,
                   coalesce(s.last_sequence, 0) = p_expected[e.n] as accepted,
                   v_position + count(*) filter (where coalesce(s.last_sequence, 0) = p_expected[e.n])
                                over (order by e.k rows unbounded preceding) as position
              from unnest(p_event_commands, p_event_indexes) with ordinality as e (n, i, k)
              left join lateral (
                   select x.ctid, x.last_sequence from streams x
                    where x.aggregate_type = p_types[e.n] and x.aggregate_id = p_ids[e.n] limit 1) s on true
             where v_alone = '{}' or e.n <> all (v_alone)
        ), stored as (
            insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                                payload, metadata, recorded_at)
            select e.position, p_types[e.n], p_ids[e.n], e.expected + e.i, p_event_types[e.k],
                   p_event_versions[e.k], p_payloads[e.k]::json, p_metadata[e.k]::json, append_events.recorded
              from event e where e.accepted
        ), moved as (
            -- Under the lock nobody else moves a row, so where it was found it still is.
            update streams s set last_sequence = e.expected + e.i, last_position = e.position
              from event e
             where s.ctid = e.stream and e.accepted and e.i = p_counts[e.n]
        ), created as (
            insert into streams (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
            select p_types[e.n], p_ids[e.n], p_subjects[e.n], e.i, e.position - e.i + 1, e.position
              from event e where e.stream is null and e.accepted and e.i = p_counts[e.n]
        ), headed as (
            update log_head h
               set position = e.position,
                   recorded_at = case when e.position > v_head.position then append_events.recorded else h.recorded_at end
              from (select max(x.position) as position from event x) e
        )
        select e.n, 'appended'::text, e.position, append_events.recorded, null::text
          from event e
         where e.i = 1 and e.accepted;
        get diagnostics v_n = row_count;
        if v_n < v_commands - cardinality(v_alone) then
            -- The others: taken in an earlier attempt, or in conflict.
            return query
            select t.n::integer,
                   case when f.position is not null then 'appended' else 'conflict' end,
                   f.position, f.recorded_at, null::text
              from unnest(p_command_ids) with ordinality as t (id, n)
              left join lateral (
                   select x.position, x.recorded_at from stream_events x
                    where x.aggregate_type = p_types[t.n] and x.aggregate_id = p_ids[t.n]
                      and x.sequence = p_expected[t.n] + 1 and x.metadata ->> 'command_id' = t.id::text
                    limit 1) f on true
             where t.n <> all (v_alone) and coalesce(f.position, 0) <= v_position;
        end if;
    end if;
end
$$;
