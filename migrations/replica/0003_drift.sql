-- What the last look at random streams has found: whether their rows are as the log says.
create table drift (
    one            boolean     not null primary key default true check (one),
    position       bigint      not null,
    checked_at     timestamptz not null,
    streams        integer     not null,
    differing      integer     not null,
    aggregate_type text,
    aggregate_id   uuid,
    table_name     text
);
comment on table drift is 'One row, from the first look on. Not a matter of the log: it says when somebody looked.';
comment on column drift.aggregate_id is 'The first stream whose rows are not as the log says; none when all were right.';
grant select, insert, update on drift to fido_app;
