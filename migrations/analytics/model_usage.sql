-- What models use.
create or replace view analytics.model_usage with (security_barrier) as
select s.day,
       s.audience,
       s.copilot,
       s.model,
       case when s.accounts >= 5 then s.accounts end as accounts,
       case when s.accounts >= 5 then s.answers end as answers,
       case when s.accounts >= 5 then s.input_tokens end as input_tokens,
       case when s.accounts >= 5 then s.output_tokens end as output_tokens,
       s.accounts < 5 as suppressed,
       (select c.position from fido.checkpoint c) as as_of_position
  from (select u.day,
               case when a.roles && '{analyst,auditor,admin}'::text[] then 'staff' else 'customers' end as audience,
               u.copilot,
               u.model,
               count(*) as accounts,
               sum(u.answers)::bigint as answers,
               sum(u.input_tokens)::bigint as input_tokens,
               sum(u.output_tokens)::bigint as output_tokens
          from fido.usage_by_day u
          left join fido.accounts a on a.account_id = u.account_id
         group by 1, 2, 3, 4) s;

comment on view analytics.model_usage is 'What models used, in tokens as their providers count them. Money is not in the events yet. A row is a day, an audience, a co-pilot and a model.

Example:
select day, model, sum(answers) as answers, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens, bool_or(suppressed) as some_suppressed
  from analytics.model_usage
 group by day, model
 order by day desc, model
 limit 30';
comment on column analytics.model_usage.day is 'The day of the answer, in UTC.';
comment on column analytics.model_usage.audience is '`staff` for accounts that have one of the roles analyst, auditor and admin now, `customers` for all others. Accounts that are only there for tests cannot be told from customers.';
comment on column analytics.model_usage.copilot is 'Who answered; `plan_generation` for sections that were written on request.';
comment on column analytics.model_usage.model is 'The model, as its provider names it.';
comment on column analytics.model_usage.accounts is 'For how many accounts.';
comment on column analytics.model_usage.answers is 'How many replies or sections it gave, taken or not.';
comment on column analytics.model_usage.input_tokens is 'Tokens of the prompts.';
comment on column analytics.model_usage.output_tokens is 'Tokens of the answers.';
comment on column analytics.model_usage.suppressed is 'Whether the row is about fewer than five accounts; its figures are left out then.';
comment on column analytics.model_usage.as_of_position is 'The position of the log that the row belongs to; the same in every row of a query.';

grant select on analytics.model_usage to analyst;
