-- What the log is made of.
create or replace view analytics.events_by_day with (security_barrier) as
select s.day,
       s.audience,
       s.aggregate_type,
       s.event_type,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.events end as events,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select (t.recorded_at at time zone 'UTC')::date as day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               t.aggregate_type,
               t.event_type,
               count(distinct t.subject) as accounts,
               count(*) as events
          from fido.audit_timeline t
          left join fido.accounts a on a.account_id = t.subject
         group by 1, 2, 3, 4) s;

comment on view analytics.events_by_day is 'How often each kind of event happened; docs/events.md says what each means. A row is a day, an audience and a kind of event.

Example:
select event_type, sum(events) as events, bool_or(suppressed) as some_suppressed
  from analytics.events_by_day
 where day > current_date - 7
 group by event_type
 order by event_type';
comment on column analytics.events_by_day.day is 'The day on which the log took the event, in UTC.';
comment on column analytics.events_by_day.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.events_by_day.aggregate_type is 'Which kind of stream it belongs to.';
comment on column analytics.events_by_day.event_type is 'The stored name of the event.';
comment on column analytics.events_by_day.accounts is 'Whose data the events are, as a number of accounts.';
comment on column analytics.events_by_day.events is 'How many there were.';
comment on column analytics.events_by_day.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.events_by_day.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.events_by_day to analyst;
