//! Many writers on one stream: conflicts are the store's business, and none of them surfaces.

use fido_commands::conversation::ConversationCommand;
use fido_commands::log::Log;
use fido_commands::{CommandContext, ambient};
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, ConversationEvent, Copilot, MessageText};
use sqlx::PgPool;

use crate::ground::Ground;

const WRITERS: u32 = 20;
const COMMANDS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_several_stores_take_turns_on_one_stream() {
    let ground = Ground::prepare().await;
    let mut stores = Vec::new();
    for _ in 0..3 {
        // As a process of its own has: its own connections, its own memory of who is at it.
        stores.push(ground.store().await);
    }
    let (account_id, id, reply_id) = (ambient::new_id(), ambient::new_id(), ambient::new_id());
    let context = || CommandContext::new(Actor::user(account_id), account_id);
    for command in [
        ConversationCommand::StartConversation {
            account_id,
            copilot: Copilot::GrowthEngine,
            goal: None,
            plan_id: None,
        },
        ConversationCommand::PostMessage {
            account_id,
            message_id: ambient::new_id(),
            reply_id,
            text: MessageText::parse("Hello").unwrap(),
        },
    ] {
        stores[0]
            .execute::<Conversation>(id, command, &context())
            .await
            .unwrap();
    }

    // A reply may be begun again and again, so every one of these commands must be accepted.
    let mut writers = tokio::task::JoinSet::new();
    for store in stores.iter().cycle().take(WRITERS as usize) {
        let store = store.clone();
        writers.spawn(async move {
            for _ in 0..COMMANDS {
                let context = CommandContext::new(Actor::system("test"), account_id);
                let again = ConversationCommand::StartReply { reply_id };
                store
                    .execute::<Conversation>(id, again, &context)
                    .await
                    .unwrap();
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }

    let pool = PgPool::connect(&ground.addresses.events_url).await.unwrap();
    let stream = Log::new(pool).stream("conversation", id).await.unwrap();
    let attempts: Vec<u32> = stream
        .iter()
        .filter_map(|recorded| {
            let event = recorded.event().unwrap();
            if let ConversationEvent::ReplyStarted { attempt, .. } = event {
                Some(attempt)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(attempts, (1..=WRITERS * COMMANDS).collect::<Vec<_>>());
}
