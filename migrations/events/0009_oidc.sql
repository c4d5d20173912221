-- Signing in through another provider, and finding all that is somebody's.

-- From the moment a browser is sent to the provider until it comes back, on whichever instance.
create table auth.oidc_attempts (
    state_hash bytea       not null primary key,
    provider   text        not null,
    return_to  text        not null,
    account_id uuid,
    expires_at timestamptz not null
);
comment on table auth.oidc_attempts is
    'Taken away when the browser comes back, so that an answer counts once. What must not be known is in the browser''s cookie alone.';
comment on column auth.oidc_attempts.state_hash is 'SHA-256 of the state parameter.';
comment on column auth.oidc_attempts.account_id is 'The account that the identity is to be linked to; none when somebody signs in.';
create index oidc_attempts_by_age on auth.oidc_attempts (expires_at);
create index oidc_attempts_by_account on auth.oidc_attempts (account_id) where account_id is not null;
grant select, insert, delete on auth.oidc_attempts to fido_app;

-- Everything of a person, for them to take with them: a page of streams at a time.
create index streams_by_subject on streams (subject, first_position);
