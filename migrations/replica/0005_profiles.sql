-- What people tell about themselves, how they want to be answered, and what they have agreed to.
alter table accounts
    add column company_name    json,
    add column business_type   json,
    add column company_size    text,
    add column monthly_revenue json,
    add column goals           json,
    add column model           text,
    add column response_style  text,
    add column temperature     text,
    add column save_history    boolean,
    add column identities      text[] not null default '{}';
comment on column accounts.company_size is 'How many people work there, in bands: 1, 2-10, 11-50, 51-250 or 251+.';
comment on column accounts.monthly_revenue is 'Sealed text: amount and currency.';
comment on column accounts.temperature is 'Decimal text from 0.00 to 2.00.';
comment on column accounts.identities is 'Providers that the person can sign in with.';

create table consents (
    account_id     uuid        not null,
    policy_version text        not null collate "C",
    accepted       boolean     not null,
    decided_at     timestamptz not null,
    primary key (account_id, policy_version)
);
comment on table consents is 'What people have agreed to, and what no longer. Stays after an erasure, as proof.';
grant select, insert, update, delete on consents to fido_app;
