-- How long sections take.
create or replace view analytics.section_completion_times with (security_barrier) as
select s.month,
       s.audience,
       s.section,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.sections end as sections,
       case when s.accounts >= 5 then round((s.written[1])::numeric, 1) end as written_p50_seconds,
       case when s.accounts >= 5 then round((s.written[2])::numeric, 1) end as written_p90_seconds,
       case when s.approvers >= 5 then s.approved end as approved,
       case when s.approvers >= 5 then round((s.approval[1])::numeric, 1) end as approved_p50_seconds,
       case when s.approvers >= 5 then round((s.approval[2])::numeric, 1) end as approved_p90_seconds,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select date_trunc('month', r.recorded_at at time zone 'UTC')::date as month,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               r.section,
               count(distinct p.account_id) as accounts,
               count(*) as sections,
               percentile_cont(array[0.5, 0.9]) within group (
                   order by extract(epoch from r.recorded_at - p.created_at)::double precision) as written,
               count(w.approved_at) as approved,
               count(distinct p.account_id) filter (where w.approved_at is not null) as approvers,
               percentile_cont(array[0.5, 0.9]) within group (
                   order by extract(epoch from w.approved_at - p.created_at)::double precision)
                   filter (where w.approved_at is not null) as approval
          from fido.section_revisions r
          join fido.plans p on p.plan_id = r.plan_id
          left join fido.plan_sections w on w.plan_id = r.plan_id and w.section = r.section
          left join fido.accounts a on a.account_id = p.account_id
         where r.revision = 1
         group by 1, 2, 3) s;

comment on view analytics.section_completion_times is 'How long it takes from the start of a plan to the first text of a section, whoever wrote it, and to its approval. A row is the month in which sections got their first text, an audience and a section.

Example:
select section, sections, written_p50_seconds / 60 as written_p50_minutes, approved, approved_p50_seconds / 3600 as approved_p50_hours, suppressed
  from analytics.section_completion_times
 where audience = ''customers''
 order by month desc, section
 limit 30';
comment on column analytics.section_completion_times.month is 'The first day of the month in which the sections got their first text, in UTC.';
comment on column analytics.section_completion_times.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.section_completion_times.section is 'Which section.';
comment on column analytics.section_completion_times.accounts is 'Whose sections.';
comment on column analytics.section_completion_times.sections is 'How many sections got their first text.';
comment on column analytics.section_completion_times.written_p50_seconds is 'Half of them had it within this time from the start of the plan, in seconds.';
comment on column analytics.section_completion_times.written_p90_seconds is 'Nine of ten had it within this time, in seconds.';
comment on column analytics.section_completion_times.approved is 'How many of them are approved now; none where they are those of fewer than five accounts, as for the next two.';
comment on column analytics.section_completion_times.approved_p50_seconds is 'Half of the approved ones were approved within this time from the start of the plan, in seconds.';
comment on column analytics.section_completion_times.approved_p90_seconds is 'Nine of ten of them were, in seconds.';
comment on column analytics.section_completion_times.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.section_completion_times.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.section_completion_times to analyst;
