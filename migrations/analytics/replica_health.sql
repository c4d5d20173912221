-- How far this replica is, and how it is.
create or replace view analytics.replica_health with (security_barrier) as
select t.recorded_at as last_event_at,
       p.paused_since,
       p.waits_at,
       p.waits_since,
       (select count(distinct q.culprit) from fido.quarantine q) as quarantined_streams,
       (select count(*) from fido.quarantine q) as quarantined_events,
       d.checked_at as drift_checked_at,
       d.streams as drift_checked_streams,
       d.differing as drift_differing_streams,
       k.position as as_of_position
  from fido.checkpoint k
 cross join fido.projector p
  left join fido.drift d on true
  left join fido.audit_timeline t on t.position = k.position;

comment on view analytics.replica_health is 'How far this replica is and whether its rows can be trusted. One row: it is what is so now; how far behind the log it was before is not kept, and how far it is behind now `fido status` says.

Example:
select as_of_position, last_event_at, paused_since, quarantined_streams, drift_differing_streams
  from analytics.replica_health';
comment on column analytics.replica_health.last_event_at is 'When the log took the last event that is shown, in UTC.';
comment on column analytics.replica_health.paused_since is 'Since when an operator lets it stay as it is; none while it goes on.';
comment on column analytics.replica_health.waits_at is 'The position of an event that this build does not know and waits at; none otherwise.';
comment on column analytics.replica_health.waits_since is 'Since when it waits there.';
comment on column analytics.replica_health.quarantined_streams is 'How many streams are not shown to their end.';
comment on column analytics.replica_health.quarantined_events is 'How many events are left out for that.';
comment on column analytics.replica_health.drift_checked_at is 'When random streams were last compared with the log; none before the first look.';
comment on column analytics.replica_health.drift_checked_streams is 'How many streams were compared then.';
comment on column analytics.replica_health.drift_differing_streams is 'How many of them were not as the log says.';
comment on column analytics.replica_health.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.replica_health to analyst;
