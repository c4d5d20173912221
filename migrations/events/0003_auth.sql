-- Credentials and sessions: what must be changeable and never stands in an event.
create schema auth;
grant usage on schema auth to fido_app;

create table auth.credentials (
    account_id    uuid        not null primary key,
    password_hash text        not null,
    created_at    timestamptz not null
);
comment on table auth.credentials is
    'Written before the account''s first event; a row without an account is harmless.';

create table auth.sessions (
    session_id uuid        not null primary key,
    account_id uuid        not null,
    token_hash bytea       not null unique,
    user_agent json        not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
comment on column auth.sessions.token_hash is 'SHA-256 of the token; the token itself is never stored.';
comment on column auth.sessions.user_agent is 'Sealed with the key of the account''s stream.';
create index sessions_by_account on auth.sessions (account_id, created_at);

grant select, insert, update, delete on auth.credentials, auth.sessions to fido_app;
