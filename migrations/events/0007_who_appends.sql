-- A function may be called by everybody unless it is said otherwise, and this one writes with its owner's
-- rights: a role that shares the server, such as the one for analysts, must not append to the log.
revoke all on function append_events from public;
grant execute on function append_events to fido_app;
