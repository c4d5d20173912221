-- Who is there, day by day.
create or replace view analytics.daily_actives with (security_barrier) as
select s.day,
       s.audience,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 and (s.new_accounts >= 5 or s.new_accounts = 0) then s.new_accounts end as new_accounts,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select (t.recorded_at at time zone 'UTC')::date as day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               count(distinct t.actor) as accounts,
               count(distinct t.actor) filter (where t.event_type = 'account_registered') as new_accounts
          from fido.audit_timeline t
          left join fido.accounts a on a.account_id = t.actor
         where t.actor is not null and t.aggregate_type <> 'access'
         group by 1, 2) s;

comment on view analytics.daily_actives is 'How many accounts did something on a day: wrote, planned, or opened the account. Reading, signing in and being refused do not count; nor does what Fido did for them. A row is a day and an audience.

Example:
select day, accounts, new_accounts, suppressed
  from analytics.daily_actives
 where audience = ''customers''
 order by day desc
 limit 30';
comment on column analytics.daily_actives.day is 'The day, in UTC.';
comment on column analytics.daily_actives.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.daily_actives.accounts is 'How many accounts caused at least one event.';
comment on column analytics.daily_actives.new_accounts is 'How many of them were opened on that day; none where that is 1 to 4.';
comment on column analytics.daily_actives.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.daily_actives.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.daily_actives to analyst;
