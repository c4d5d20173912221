-- How far plans come.
create or replace view analytics.plan_funnel with (security_barrier) as
select s.month,
       s.audience,
       s.step_number,
       s.step,
       case when s.accounts >= 5 or s.accounts = 0 then s.accounts end as accounts,
       case when s.accounts >= 5 or s.accounts = 0 then s.plans end as plans,
       s.accounts between 1 and 4 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select date_trunc('month', p.created_at at time zone 'UTC')::date as month,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               step.number as step_number,
               step.name as step,
               count(distinct p.account_id) filter (where step.reached) as accounts,
               count(*) filter (where step.reached) as plans
          from fido.plans p
          left join fido.accounts a on a.account_id = p.account_id
          left join (select plan_id, count(*) as written, count(approved_at) as approved
                       from fido.plan_sections group by plan_id) w on w.plan_id = p.plan_id
         cross join lateral (values (1, 'started', true),
                                    (2, 'first_section', w.written > 0),
                                    (3, 'all_sections', w.written = 9),
                                    (4, 'first_approval', w.approved > 0),
                                    (5, 'all_approved', w.approved = 9)) as step (number, name, reached)
         group by 1, 2, 3, 4) s;

comment on view analytics.plan_funnel is 'How far the plans of a month have come by now, archived ones included. A section counts as approved as long as the person has not reopened it. A row is the month in which plans were started, an audience and a step.

Example:
select month, step, plans, round(100.0 * plans / nullif(first_value(plans) over (partition by month order by step_number), 0)) as percent_of_started, suppressed
  from analytics.plan_funnel
 where audience = ''customers''
 order by month desc, step_number
 limit 60';
comment on column analytics.plan_funnel.month is 'The first day of the month in which the plans were started, in UTC.';
comment on column analytics.plan_funnel.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.plan_funnel.step_number is 'The place of the step, 1 to 5.';
comment on column analytics.plan_funnel.step is '`started`, `first_section` and `all_sections` (one, or all nine, have a text), `first_approval` and `all_approved` (one, or all nine, are approved).';
comment on column analytics.plan_funnel.accounts is 'Whose plans have come so far.';
comment on column analytics.plan_funnel.plans is 'How many plans have come so far.';
comment on column analytics.plan_funnel.suppressed is 'Whether the row is about one to four accounts; its figures are left out then.';
comment on column analytics.plan_funnel.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.plan_funnel to analyst;
