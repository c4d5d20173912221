-- Replies that were cancelled, written again or rated; conversations that were put away.
alter table messages
    add column replaces uuid,
    add column rating   text;
comment on column messages.text is 'Sealed: {"sealed": …}; of a reply that broke off, a part; none while the reply is awaited.';
comment on column messages.settled_at is 'When the reply was completed, failed or was cancelled; none for what a person wrote.';
comment on column messages.replaces is 'The earlier reply to the same message that the person wanted this one for.';
comment on column messages.rating is 'What the person thinks of the reply: up or down; none when they have not said.';
comment on column conversations.status is 'active, archived or erased.';
