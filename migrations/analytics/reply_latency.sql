-- How long people wait for replies.
create or replace view analytics.reply_latency with (security_barrier) as
select s.day,
       s.audience,
       s.copilot,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.requested end as requested,
       case when s.accounts >= 5 then s.completed end as completed,
       case when s.accounts >= 5 then s.failed end as failed,
       case when s.accounts >= 5 then s.open end as open,
       case when s.answered >= 5 then round(s.seconds[1]::numeric, 3) end as p50_seconds,
       case when s.answered >= 5 then round(s.seconds[2]::numeric, 3) end as p90_seconds,
       case when s.answered >= 5 then round(s.seconds[3]::numeric, 3) end as p95_seconds,
       case when s.answered >= 5 then round(s.seconds[4]::numeric, 3) end as p99_seconds,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select (m.created_at at time zone 'UTC')::date as day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               t.copilot,
               count(distinct t.account_id) as accounts,
               count(*) as requested,
               count(*) filter (where m.status = 'complete') as completed,
               count(*) filter (where m.status = 'failed') as failed,
               count(*) filter (where m.status = 'requested') as open,
               count(distinct t.account_id) filter (where m.status = 'complete') as answered,
               percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (
                   order by extract(epoch from m.settled_at - m.created_at)::double precision)
                   filter (where m.status = 'complete') as seconds
          from fido.messages m
          join fido.conversations t on t.conversation_id = m.conversation_id
          left join fido.accounts a on a.account_id = t.account_id
         where m.role = 'assistant'
         group by 1, 2, 3) s;

comment on view analytics.reply_latency is 'How long people waited, from the request of a reply until the whole of it was recorded. When its first word was on screen is no event. A row is the day of the request, an audience and a co-pilot.

Example:
select day, copilot, requested, failed, p50_seconds, p95_seconds, p99_seconds, suppressed
  from analytics.reply_latency
 where audience = ''customers''
 order by day desc, copilot
 limit 30';
comment on column analytics.reply_latency.day is 'The day of the request, in UTC.';
comment on column analytics.reply_latency.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.reply_latency.copilot is 'Who was asked.';
comment on column analytics.reply_latency.accounts is 'Whose requests.';
comment on column analytics.reply_latency.requested is 'How many replies were asked for; those that are neither completed nor failed nor open were cancelled, or given up with their conversation.';
comment on column analytics.reply_latency.completed is 'How many came.';
comment on column analytics.reply_latency.failed is 'How many will not come.';
comment on column analytics.reply_latency.open is 'How many are awaited still.';
comment on column analytics.reply_latency.p50_seconds is 'Half of the completed replies took at most so long, in seconds; none where they are those of fewer than five accounts, as for the next three.';
comment on column analytics.reply_latency.p90_seconds is 'Nine of ten took at most so long, in seconds.';
comment on column analytics.reply_latency.p95_seconds is '95 of 100 took at most so long, in seconds.';
comment on column analytics.reply_latency.p99_seconds is '99 of 100 took at most so long, in seconds.';
comment on column analytics.reply_latency.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.reply_latency.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.reply_latency to analyst;
