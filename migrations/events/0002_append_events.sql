-- One command's events, or none of them. Call it on its own, auto-committed: the lock on log_head is
-- held to the end of the transaction, and no client should be able to hold it.
--
-- outcome 'appended'    the events stand at first_position, first_position + 1, …
--         'conflict'    the stream is not at p_expected; load its tail and decide again
--         'claim_taken' another stream holds the claim of kind `detail`
--
-- Calling it again with the same command is safe: if the command's events already stand where they
-- were to go, the first outcome is given again.
create function append_events(
    p_command_id     uuid,
    p_aggregate_type text,
    p_aggregate_id   text,
    p_expected       bigint,
    p_subject        uuid,
    p_event_types    text[],
    p_event_versions text[],
    p_payloads       text[],
    p_metadata       text,
    p_claim_kinds    text[],
    p_claim_hashes   bytea[],
    p_claim_takes    boolean[],
    out outcome        text,
    out first_position bigint,
    out recorded       timestamptz,
    out detail         text
) language plpgsql volatile security definer
set search_path = public, pg_temp as $$
declare
    v_count    bigint := cardinality(p_event_types);
    v_head     log_head%rowtype;
    v_sequence bigint;
begin
    if v_count = 0 then
        raise exception 'a command without events has nothing to append';
    end if;

    -- The lock. What follows is a new statement each, so that its snapshot is newer than the lock.
    select * into v_head from log_head for update;

    select s.last_sequence into v_sequence from streams s
     where s.aggregate_type = p_aggregate_type and s.aggregate_id = p_aggregate_id;
    v_sequence := coalesce(v_sequence, 0);

    if v_sequence <> p_expected then
        select e.position, e.recorded_at into first_position, recorded from events e
         where e.aggregate_type = p_aggregate_type and e.aggregate_id = p_aggregate_id
           and e.sequence = p_expected + 1
           and e.metadata ->> 'command_id' = p_command_id::text;
        outcome := case when found then 'appended' else 'conflict' end;
        return;
    end if;

    select t.kind into detail
      from unnest(p_claim_kinds, p_claim_hashes, p_claim_takes) as t (kind, hash, take)
      join claims c on c.kind = t.kind and c.hash = t.hash
     where t.take and (c.aggregate_type, c.aggregate_id) <> (p_aggregate_type, p_aggregate_id)
     limit 1;
    if found then
        outcome := 'claim_taken';
        return;
    end if;
    delete from claims c
     using unnest(p_claim_kinds, p_claim_hashes, p_claim_takes) as t (kind, hash, take)
     where not t.take and c.kind = t.kind and c.hash = t.hash
       and c.aggregate_type = p_aggregate_type and c.aggregate_id = p_aggregate_id;
    insert into claims (kind, hash, aggregate_type, aggregate_id)
    select t.kind, t.hash, p_aggregate_type, p_aggregate_id
      from unnest(p_claim_kinds, p_claim_hashes, p_claim_takes) as t (kind, hash, take)
     where t.take
        on conflict do nothing;

    -- The next segment is made when the last one is entered, long before it is needed.
    while v_head.position + v_count > v_head.segments_end - v_head.segment_size loop
        perform add_segment();
        select * into v_head from log_head;
    end loop;

    first_position := v_head.position + 1;
    recorded := greatest(clock_timestamp(), v_head.recorded_at);

    insert into events (position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                        payload, metadata, recorded_at)
    select v_head.position + t.n, p_aggregate_type, p_aggregate_id, p_expected + t.n, t.event_type,
           t.event_version, t.payload::json, p_metadata::json, recorded
      from unnest(p_event_types, p_event_versions, p_payloads) with ordinality
           as t (event_type, event_version, payload, n);

    insert into streams as s (aggregate_type, aggregate_id, subject, last_sequence, first_position, last_position)
    values (p_aggregate_type, p_aggregate_id, p_subject, v_count, v_head.position + 1, v_head.position + v_count)
    on conflict (aggregate_type, aggregate_id) do update
       set last_sequence = p_expected + v_count, last_position = v_head.position + v_count;

    update log_head h set position = v_head.position + v_count, recorded_at = recorded;
    outcome := 'appended';
end
$$;
revoke all on function append_events from public;
grant execute on function append_events to fido_app;
