-- What analysts see of a replica: views outside of the schema that is rebuilt, in place whichever one is live.
-- Applied after the replica's migrations, every time; so everything here may be said twice. A view may get
-- further columns at its end; anything else that `create or replace view` refuses is another view.
do $$
begin
    begin
        create role analyst login;
        -- Defaults, not walls: what an analyst may read is a matter of grants alone.
        alter role analyst set default_transaction_read_only = on;
        alter role analyst set statement_timeout = '60s';
        alter role analyst set idle_in_transaction_session_timeout = '60s';
        alter role analyst set search_path = 'analytics';
        alter role analyst set timezone = 'UTC';
    exception
        when duplicate_object or unique_violation then null;
    end;
    -- The API reads views as the analyst, so that it can reach nothing else there either.
    begin
        if not pg_has_role('fido_app', 'analyst', 'member') then
            grant analyst to fido_app;
        end if;
    exception
        when unique_violation then null;
    end;
    begin
        if has_schema_privilege('public', 'public', 'create') then
            revoke create on schema public from public;
        end if;
    exception
        when insufficient_privilege then
            raise notice 'whoever may connect may make tables in schema public of this database';
    end;
end
$$;

create schema if not exists analytics;
comment on schema analytics is 'What analysts see: no message, no plan, no name, no address, and nothing about few people.';
grant usage on schema analytics to analyst;
