//! What a store remembers of streams is only for speed: nobody is told no because of it.

use fido_commands::conversation::ConversationCommand;
use fido_commands::plan::{Given, PlanCommand};
use fido_commands::{CommandContext, EventStore, ExecuteError, ambient};
use fido_domain::Actor;
use fido_domain::conversation::{Conversation, Copilot, MessageText, Usage};
use fido_domain::plan::{Plan, PlanTitle};
use uuid::Uuid;

use crate::ground::Ground;

struct Chat {
    account_id: Uuid,
    id: Uuid,
}

impl Chat {
    async fn issue(&self, store: &EventStore, command: ConversationCommand) -> bool {
        let context = CommandContext::new(Actor::user(self.account_id), self.account_id);
        match store
            .execute::<Conversation>(self.id, command, &context)
            .await
        {
            Ok(_) => true,
            Err(ExecuteError::Refused(_)) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn post(&self, reply_id: Uuid) -> ConversationCommand {
        ConversationCommand::PostMessage {
            account_id: self.account_id,
            message_id: ambient::new_id(),
            reply_id,
            text: MessageText::parse("Hello").unwrap(),
        }
    }
}

/// The API posts, a worker of another process answers, the API posts again: what the first store
/// remembers, an open reply, is no longer so, and the second message must not be refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_never_out_of_date() {
    let ground = Ground::prepare().await;
    let (api, worker) = (ground.store().await, ground.store().await);
    let chat = Chat {
        account_id: ambient::new_id(),
        id: ambient::new_id(),
    };
    let start = ConversationCommand::StartConversation {
        account_id: chat.account_id,
        copilot: Copilot::GrowthEngine,
        goal: None,
        plan_id: None,
    };
    assert!(chat.issue(&api, start).await);
    for _ in 0..5 {
        let reply_id = ambient::new_id();
        assert!(chat.issue(&api, chat.post(reply_id)).await);
        // While the reply is open it is refused, by whichever store is asked.
        assert!(!chat.issue(&api, chat.post(ambient::new_id())).await);
        assert!(!chat.issue(&worker, chat.post(ambient::new_id())).await);
        assert!(
            chat.issue(&worker, ConversationCommand::StartReply { reply_id })
                .await
        );
        let answer = ConversationCommand::RecordReply {
            reply_id,
            attempt: 1,
            text: "Flour".to_owned(),
            model: "m".to_owned(),
            usage: Usage {
                input_tokens: 1,
                output_tokens: 1,
            },
        };
        assert!(chat.issue(&worker, answer).await);
    }
}

/// The same for a command that finds everything so already: archived, says the memory, but another
/// process has brought the plan back since.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_never_out_of_date() {
    let ground = Ground::prepare().await;
    let (one, two) = (ground.store().await, ground.store().await);
    let (account_id, id) = (ambient::new_id(), ambient::new_id());
    let events = async |store: &EventStore, command: PlanCommand| {
        let context = CommandContext::new(Actor::user(account_id), account_id);
        let committed = store.execute::<Plan>(id, command, &context).await.unwrap();
        committed.events.len()
    };
    let start = PlanCommand::StartPlan {
        account_id,
        given: Given {
            title: PlanTitle::parse("The bakery").unwrap(),
            business_name: None,
            industry: None,
            location: None,
            stage: None,
            summary: None,
        },
    };
    assert_eq!(events(&one, start).await, 1);
    assert_eq!(
        events(&one, PlanCommand::ArchivePlan { account_id }).await,
        1
    );
    assert_eq!(
        events(&one, PlanCommand::ArchivePlan { account_id }).await,
        0
    );
    assert_eq!(
        events(&two, PlanCommand::RestorePlan { account_id }).await,
        1
    );
    assert_eq!(
        events(&one, PlanCommand::ArchivePlan { account_id }).await,
        1
    );
}
