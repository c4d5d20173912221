-- What keeps guessers away, and how to come back in without a password.

create table auth.attempts (
    key      bytea       not null primary key,
    due      timestamptz not null,
    known_at timestamptz
);
comment on table auth.attempts is
    'How often passwords were tried: a row for each account, each address, and each account at each address.';
comment on column auth.attempts.key is 'A keyed hash: neither the account nor the address can be read from it.';
comment on column auth.attempts.due is
    'When all attempts so far would have been made at the pace that is allowed for ever (GCRA).';
comment on column auth.attempts.known_at is 'When the account''s owner last came in from that address.';

-- One more attempt under each of `p_keys`, or how long to wait for it; then none of them is charged.
-- An attempt takes `p_pauses` of time, and as many as `p_bursts` may be made at once. Where the owner
-- has come in under `p_pair` within 90 days, `p_spared` is not asked.
create function auth.attempt(p_keys bytea[], p_pauses interval[], p_bursts integer[],
                             p_pair bytea, p_spared bytea)
returns interval language plpgsql as $$
declare
    v_now  timestamptz;
    v_wait interval;
    v_keys bytea[];
begin
    -- Everybody takes the rows in the same order.
    insert into auth.attempts (key, due)
    select k, clock_timestamp() from unnest(p_keys) k order by k
    on conflict do nothing;
    perform from auth.attempts where key = any(p_keys) order by key for update;
    v_now := clock_timestamp();
    v_keys := p_keys;
    if exists (select from auth.attempts where key = p_pair and known_at > v_now - interval '90 days') then
        v_keys := array_remove(v_keys, p_spared);
    end if;
    select max(a.due - t.pause * (t.burst - 1) - v_now) into v_wait
      from unnest(p_keys, p_pauses, p_bursts) as t (key, pause, burst)
      join auth.attempts a on a.key = t.key
     where t.key = any(v_keys);
    if v_wait > interval '0' then
        return v_wait;
    end if;
    update auth.attempts a
       set due = greatest(a.due, v_now) + t.pause
      from unnest(p_keys, p_pauses) as t (key, pause)
     where a.key = t.key and t.key = any(v_keys);
    return interval '0';
end
$$;

create table auth.password_resets (
    token_hash bytea       not null primary key,
    account_id uuid        not null,
    expires_at timestamptz not null
);
comment on column auth.password_resets.token_hash is
    'SHA-256 of what was sent by mail; the token itself is never stored. A row is deleted when it is used.';
create index password_resets_by_account on auth.password_resets (account_id);

grant select, insert, update, delete on auth.attempts, auth.password_resets to fido_app;
