-- What this replica leaves out for now.
create or replace view analytics.quarantine with (security_barrier) as
select s.aggregate_type,
       s.event_type,
       count(*) as streams,
       sum(s.events)::bigint as events,
       min(s.culprit) as first_position,
       min(s.parked_at) as since,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select q.culprit,
               q.aggregate_type,
               min(q.event_type) filter (where q.position = q.culprit) as event_type,
               count(*) as events,
               min(q.parked_at) as parked_at
          from fido.quarantine q
         group by q.culprit, q.aggregate_type) s
 group by s.aggregate_type, s.event_type;

comment on view analytics.quarantine is 'Streams that this replica does not show to their end, as an event of theirs could not be applied; what they say after it is in no other view. No rows when all is well. It is what is so now: what was in quarantine before is not kept. A row is a kind of stream and of the event that could not be applied.

Example:
select coalesce(sum(streams), 0) as streams, coalesce(sum(events), 0) as events, min(since) as since
  from analytics.quarantine';
comment on column analytics.quarantine.aggregate_type is 'Which kind of stream.';
comment on column analytics.quarantine.event_type is 'The kind of event that could not be applied.';
comment on column analytics.quarantine.streams is 'How many streams wait behind such an event.';
comment on column analytics.quarantine.events is 'How many events of theirs are left out.';
comment on column analytics.quarantine.first_position is 'The position of the first event that could not be applied.';
comment on column analytics.quarantine.since is 'Since when the first of them waits, in UTC.';
comment on column analytics.quarantine.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.quarantine to analyst;
