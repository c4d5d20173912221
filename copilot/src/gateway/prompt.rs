//! What is asked of the model: the co-pilot's instructions and the conversation so far.

use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    ChatCompletionStreamOptions, CreateChatCompletionRequest,
};
use fido_domain::Private;

/// Everything the model gets to read, and how much it may write.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The instructions, with whatever is known about the business.
    pub system: Private<String>,
    /// The conversation, oldest first; the last turn is the one to answer.
    pub turns: Vec<Turn>,
    /// The longest answer, in the provider's tokens.
    pub max_tokens: u32,
}

/// One message of a conversation.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Who wrote it.
    pub role: Role,
    /// What it says.
    pub text: Private<String>,
}

/// Who wrote a [`Turn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Turn {
    /// What the person wrote.
    pub fn user(text: impl Into<String>) -> Self {
        Self {
            role: Role::User,
            text: Private::new(text.into()),
        }
    }

    /// What the model answered.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self {
            role: Role::Assistant,
            text: Private::new(text.into()),
        }
    }

    fn to_message(&self) -> ChatCompletionRequestMessage {
        let text = self.text.shown();
        match self.role {
            Role::User => ChatCompletionRequestUserMessage::from(text).into(),
            Role::Assistant => ChatCompletionRequestAssistantMessage::from(text).into(),
        }
    }
}

impl Prompt {
    pub(super) fn bytes(&self) -> usize {
        let turns: usize = self.turns.iter().map(|turn| turn.text.shown().len()).sum();
        self.system.shown().len() + turns
    }

    pub(super) fn into_request(self, model: String) -> CreateChatCompletionRequest {
        let system = ChatCompletionRequestSystemMessage::from(self.system.shown());
        CreateChatCompletionRequest {
            model,
            messages: std::iter::once(system.into())
                .chain(self.turns.iter().map(Turn::to_message))
                .collect(),
            max_completion_tokens: Some(self.max_tokens),
            stream: Some(true),
            stream_options: Some(ChatCompletionStreamOptions {
                include_usage: Some(true),
                include_obfuscation: None,
            }),
            ..CreateChatCompletionRequest::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_the_conversation_in_order_and_asks_for_usage() {
        let prompt = Prompt {
            system: "You are helpful.".to_owned().into(),
            turns: vec![Turn::user("Hi"), Turn::assistant("Hello"), Turn::user("Go")],
            max_tokens: 50,
        };
        assert_eq!(
            serde_json::to_value(prompt.into_request("some-model".to_owned())).unwrap(),
            serde_json::json!({
                "model": "some-model",
                "messages": [
                    {"role": "system", "content": "You are helpful."},
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello"},
                    {"role": "user", "content": "Go"},
                ],
                "max_completion_tokens": 50,
                "stream": true,
                "stream_options": {"include_usage": true},
            })
        );
    }
}
