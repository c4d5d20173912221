//! What is done in a conversation.

use anyhow::Result;
use fido_commands::conversation::ConversationCommand;
use fido_commands::{EventStore, ambient};
use fido_domain::Position;
use fido_domain::conversation::{Conversation, Copilot, Goal, MessageText, Usage};

use super::person::{MODEL, Person, issue};
use super::prose::prose;

/// How long what is said is, in characters.
const GOAL: usize = 60;
const MESSAGE: usize = 180;
const REPLY: usize = 900;

/// A step of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Talk {
    Start,
    Post,
    StartReply,
    RecordReply,
}

impl Person {
    pub(super) async fn talk(&mut self, store: &EventStore, step: Talk) -> Result<Position> {
        let account_id = self.account;
        let (command, context) = match step {
            Talk::Start => {
                self.conversation = ambient::new_id();
                let command = ConversationCommand::StartConversation {
                    account_id,
                    copilot: Copilot::ALL[self.chapters % Copilot::ALL.len()],
                    goal: Some(Goal::parse(prose(GOAL))?),
                    plan_id: None,
                };
                (command, self.by_person())
            }
            Talk::Post => {
                self.reply = ambient::new_id();
                let command = ConversationCommand::PostMessage {
                    account_id,
                    message_id: ambient::new_id(),
                    reply_id: self.reply,
                    text: MessageText::parse(prose(MESSAGE))?,
                };
                (command, self.by_person())
            }
            Talk::StartReply => {
                let reply_id = self.reply;
                let command = ConversationCommand::StartReply { reply_id };
                (command, self.by_copilot())
            }
            Talk::RecordReply => {
                let command = ConversationCommand::RecordReply {
                    reply_id: self.reply,
                    attempt: 1,
                    text: prose(REPLY),
                    model: MODEL.to_owned(),
                    usage: Usage {
                        input_tokens: 700,
                        output_tokens: 220,
                    },
                };
                (command, self.by_copilot())
            }
        };
        issue::<Conversation>(store, self.conversation, command, context).await
    }
}
