-- How the writing of plans on request goes.
create or replace view analytics.plan_generations with (security_barrier) as
select s.day,
       s.audience,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.requested end as requested,
       case when s.accounts >= 5 then s.completed end as completed,
       case when s.accounts >= 5 then s.failed end as failed,
       case when s.accounts >= 5 then s.cancelled end as cancelled,
       case when s.accounts >= 5 then s.open end as open,
       case when s.served >= 5 then round(s.seconds[1]::numeric, 3) end as p50_seconds,
       case when s.served >= 5 then round(s.seconds[2]::numeric, 3) end as p90_seconds,
       case when s.accounts >= 5 then s.sections_drafted end as sections_drafted,
       case when s.accounts >= 5 then s.sections_skipped end as sections_skipped,
       case when s.accounts >= 5 then s.sections_failed end as sections_failed,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select (g.requested_at at time zone 'UTC')::date as day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               count(distinct p.account_id) as accounts,
               count(*) as requested,
               count(*) filter (where g.status = 'completed') as completed,
               count(*) filter (where g.status = 'failed') as failed,
               count(*) filter (where g.status = 'cancelled') as cancelled,
               count(*) filter (where g.status in ('requested', 'started')) as open,
               count(distinct p.account_id) filter (where g.status = 'completed') as served,
               percentile_cont(array[0.5, 0.9]) within group (
                   order by extract(epoch from g.ended_at - g.requested_at)::double precision)
                   filter (where g.status = 'completed') as seconds,
               coalesce(sum(o.drafted), 0)::bigint as sections_drafted,
               coalesce(sum(o.skipped), 0)::bigint as sections_skipped,
               coalesce(sum(o.failed), 0)::bigint as sections_failed
          from fido.generations g
          join fido.plans p on p.plan_id = g.plan_id
          left join fido.accounts a on a.account_id = p.account_id
          left join (select plan_id, generation_id,
                            count(*) filter (where outcome = 'drafted') as drafted,
                            count(*) filter (where outcome = 'skipped') as skipped,
                            count(*) filter (where outcome = 'failed') as failed
                       from fido.generation_sections
                      group by plan_id, generation_id) o
                 on o.plan_id = g.plan_id and o.generation_id = g.generation_id
         group by 1, 2) s;

comment on view analytics.plan_generations is 'How the writing of sections on request went: a generation is one such request. A row is the day of the request and an audience.

Example:
select day, requested, completed, failed, p50_seconds, p90_seconds, sections_drafted, suppressed
  from analytics.plan_generations
 where audience = ''customers''
 order by day desc
 limit 30';
comment on column analytics.plan_generations.day is 'The day of the request, in UTC.';
comment on column analytics.plan_generations.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.plan_generations.accounts is 'Whose requests.';
comment on column analytics.plan_generations.requested is 'How many generations were asked for.';
comment on column analytics.plan_generations.completed is 'How many ended with every section settled.';
comment on column analytics.plan_generations.failed is 'How many were given up.';
comment on column analytics.plan_generations.cancelled is 'How many the person stopped.';
comment on column analytics.plan_generations.open is 'How many are awaited still.';
comment on column analytics.plan_generations.p50_seconds is 'Half of the completed ones took at most so long from the request, in seconds; none where they are those of fewer than five accounts, as for the next.';
comment on column analytics.plan_generations.p90_seconds is 'Nine of ten took at most so long, in seconds.';
comment on column analytics.plan_generations.sections_drafted is 'How many sections were written and taken.';
comment on column analytics.plan_generations.sections_skipped is 'How many were written and not taken, so as not to overwrite what the person had done.';
comment on column analytics.plan_generations.sections_failed is 'How many could not be written.';
comment on column analytics.plan_generations.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.plan_generations.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.plan_generations to analyst;
