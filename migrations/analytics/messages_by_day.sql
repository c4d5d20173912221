-- How much people write.
create or replace view analytics.messages_by_day with (security_barrier) as
select s.day,
       s.audience,
       s.copilot,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.messages end as messages,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select m.day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               m.copilot,
               count(*) as accounts,
               sum(m.messages)::bigint as messages
          from fido.messages_by_day m
          left join fido.accounts a on a.account_id = m.account_id
         group by 1, 2, 3) s;

comment on view analytics.messages_by_day is 'How many messages people wrote to which co-pilot. Replies are in `reply_latency`. A row is a day, an audience and a co-pilot.

Example:
select day, copilot, accounts, messages, round(messages::numeric / accounts, 1) as messages_per_account, suppressed
  from analytics.messages_by_day
 where audience = ''customers''
 order by day desc, copilot
 limit 30';
comment on column analytics.messages_by_day.day is 'The day, in UTC.';
comment on column analytics.messages_by_day.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.messages_by_day.copilot is 'To whom they wrote.';
comment on column analytics.messages_by_day.accounts is 'How many accounts wrote.';
comment on column analytics.messages_by_day.messages is 'How many messages they wrote.';
comment on column analytics.messages_by_day.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.messages_by_day.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.messages_by_day to analyst;
