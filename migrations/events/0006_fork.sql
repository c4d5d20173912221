-- After the log lost its tail: the declaration that makes positions go on beyond everything that was
-- ever seen. For the owner alone; nothing that runs by itself may call it.
--
-- p_beyond  the highest position that anybody has seen
-- p_epoch   the highest epoch that anybody has seen
--
-- The position before the new epoch's first is never an event's. Whoever stands there has come over
-- the gap; whoever has followed what was lost stands before it.
create function fork_log(p_beyond bigint, p_epoch integer, p_reason text) returns log_epochs
language plpgsql volatile set search_path = public, pg_temp as $$
declare
    v_head  log_head%rowtype;
    v_last  log_epochs%rowtype;
    v_epoch log_epochs%rowtype;
begin
    if btrim(p_reason) = '' then
        raise exception 'a fork needs a reason' using errcode = 'invalid_parameter_value';
    end if;

    -- The lock. What follows is a new statement each, so that its snapshot is newer than the lock.
    select * into v_head from log_head for update;
    select * into v_last from log_epochs order by epoch desc limit 1;

    v_epoch.log_id := v_last.log_id;
    v_epoch.epoch := greatest(v_last.epoch, p_epoch) + 1;
    v_epoch.forked_after := v_head.position;
    v_epoch.first_position := greatest(v_head.position, p_beyond) + 2;
    v_epoch.reason := p_reason;
    v_epoch.declared_at := clock_timestamp();

    -- Each segment on the way is made, so nothing absurd may lie in between.
    if v_epoch.first_position - v_head.segments_end > 1000 * v_head.segment_size then
        raise exception 'position % is too far beyond the head of the log, %', p_beyond, v_head.position
            using errcode = 'invalid_parameter_value';
    end if;

    insert into log_epochs select v_epoch.*;
    update log_head set position = v_epoch.first_position - 1, epoch = v_epoch.epoch;

    while v_epoch.first_position > v_head.segments_end - v_head.segment_size loop
        perform add_segment();
        select * into v_head from log_head;
    end loop;
    return v_epoch;
end
$$;
revoke all on function fork_log from public;

create trigger append_only before update or delete or truncate on log_epochs
    for each statement execute function refuse_change();
