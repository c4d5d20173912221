//! Commands as the clients of a case give them, and what they are about.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use fido_commands::conversation::ConversationCommand;
use fido_commands::{Claim, CommandContext, Receipt, ambient};
use fido_domain::Actor;
use fido_domain::conversation::{Copilot, MessageText, Usage};
use uuid::Uuid;

/// The kind of the claims.
const CLAIM: &str = "name";

/// One command, as a client gives it.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) process: usize,
    pub(super) stream: Uuid,
    pub(super) command: ConversationCommand,
    pub(super) context: CommandContext,
    /// After this long the client walks away.
    pub(super) patience: Option<Duration>,
    words: String,
}

/// What may be asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    Start,
    Post,
    PostAsAStranger,
    Begin,
    Record,
    Fail,
}

/// Who and what a case is about.
pub(super) struct Cast {
    pub(super) account: Uuid,
    streams: Vec<Stream>,
    /// Hashes of values that only one stream may hold.
    claims: [Vec<u8>; 3],
}

struct Stream {
    name: String,
    id: Uuid,
    replies: [Uuid; Cast::REPLIES],
}

impl Order {
    pub(super) fn lose_patience_after(&mut self, patience: Duration) {
        self.patience = Some(patience);
        self.words += ", patient for a moment";
    }

    /// Gives it an `Idempotency-Key` of its own.
    pub(super) fn add_key(&mut self) {
        let key_hash = ambient::new_id().as_bytes().to_vec();
        self.words += &format!(", with the key {:02x}{:02x}", key_hash[14], key_hash[15]);
        self.context.receipt = Some(Receipt {
            account_id: self.context.subject,
            key_hash,
            request_hash: vec![0],
            status: 201,
        });
    }

    /// The same request, sent again to `process`; or another one with the same key.
    pub(super) fn again(&self, process: usize, another: bool) -> Self {
        let mut again = self.clone();
        again.process = process;
        again.context.command_id = ambient::new_id();
        again.words += ", again";
        if another && let Some(receipt) = &mut again.context.receipt {
            receipt.request_hash = vec![1];
            again.words += " for something else";
        }
        again
    }

    /// The key and the request, if it has a key.
    pub(super) fn key(&self) -> Option<(&[u8], &[u8])> {
        let receipt = self.context.receipt.as_ref()?;
        Some((&receipt.key_hash, &receipt.request_hash))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}: {}", self.process, self.words)
    }
}

impl Ask {
    pub(super) fn any(rng: &mut Rng) -> Self {
        match rng.u32(..20) {
            0 => Self::Start,
            1 => Self::PostAsAStranger,
            2..7 => Self::Post,
            7..11 => Self::Begin,
            _ => Self::end(rng),
        }
    }

    /// What ends a reply.
    pub(super) fn end(rng: &mut Rng) -> Self {
        if rng.bool() { Self::Record } else { Self::Fail }
    }

    /// What ends a reply may change nothing, and then it would claim nothing either.
    pub(super) fn may_claim(self) -> bool {
        match self {
            Self::Start | Self::Post | Self::PostAsAStranger | Self::Begin => true,
            Self::Record | Self::Fail => false,
        }
    }
}

impl Cast {
    /// The replies that the commands for one stream are about; few, so that they meet.
    pub(super) const REPLIES: usize = 2;
    /// The claim that is not for everybody.
    pub(super) const DUEL: usize = 2;

    /// A cast with so many streams for all, and after them one for each process.
    pub(super) fn new(shared: usize, processes: usize) -> Self {
        let mut cast = Self {
            account: ambient::new_id(),
            streams: Vec::new(),
            claims: [(); 3].map(|()| ambient::new_id().as_bytes().to_vec()),
        };
        for n in 0..shared {
            cast.add(&format!("shared {n}"));
        }
        for n in 0..processes {
            cast.add(&format!("own {n}"));
        }
        cast
    }

    /// One more stream.
    pub(super) fn add(&mut self, name: &str) -> usize {
        self.streams.push(Stream {
            name: name.to_owned(),
            id: ambient::new_id(),
            replies: [(); Self::REPLIES].map(|()| ambient::new_id()),
        });
        self.streams.len() - 1
    }

    /// What the stream `id` is called.
    pub(super) fn name(&self, id: Uuid) -> &str {
        let stream = self.streams.iter().find(|stream| stream.id == id);
        stream.map_or("a stream of nobody", |stream| &stream.name)
    }

    /// All streams.
    pub(super) fn streams(&self) -> impl Iterator<Item = Uuid> {
        self.streams.iter().map(|stream| stream.id)
    }

    /// The hashes that the case's commands claim.
    pub(super) fn hashes(&self) -> &[Vec<u8>] {
        &self.claims
    }

    /// Somebody at `process` asks for something in a stream, about one of its replies.
    pub(super) fn order(
        &self,
        rng: &mut Rng,
        process: usize,
        stream: usize,
        ask: Ask,
        reply: usize,
    ) -> Order {
        let Stream { name, id, replies } = &self.streams[stream];
        let reply_id = replies[reply];
        let attempt = 1 + rng.u32(..5) / 4;
        let mut post = |account_id| ConversationCommand::PostMessage {
            account_id,
            message_id: ambient::new_id(),
            reply_id,
            text: MessageText::parse("Hello ".repeat(1 + rng.usize(..40))).unwrap(),
        };
        let (command, words) = match ask {
            Ask::Start => {
                let start = ConversationCommand::StartConversation {
                    account_id: self.account,
                    copilot: Copilot::ALL[rng.usize(..Copilot::ALL.len())],
                    goal: None,
                    plan_id: None,
                };
                (start, "start".to_owned())
            }
            Ask::Post => (post(self.account), format!("post for reply {reply}")),
            Ask::PostAsAStranger => (post(ambient::new_id()), "post as a stranger".to_owned()),
            Ask::Begin => {
                let begin = ConversationCommand::StartReply { reply_id };
                (begin, format!("begin reply {reply}"))
            }
            Ask::Record => {
                let record = ConversationCommand::RecordReply {
                    reply_id,
                    attempt,
                    text: "Flour!".repeat(rng.usize(..40)),
                    model: "m".to_owned(),
                    usage: Usage {
                        input_tokens: rng.u32(..1_000),
                        output_tokens: rng.u32(..1_000),
                    },
                };
                (record, format!("record attempt {attempt} of reply {reply}"))
            }
            Ask::Fail => {
                let fail = ConversationCommand::FailReply {
                    reply_id,
                    attempt,
                    reason: "truncated".to_owned(),
                };
                (fail, format!("fail attempt {attempt} of reply {reply}"))
            }
        };
        Order {
            process,
            stream: *id,
            command,
            context: CommandContext::new(Actor::user(self.account), self.account),
            patience: None,
            words: format!("{name}: {words}"),
        }
    }

    /// The id of a stream.
    pub(super) fn id(&self, stream: usize) -> Uuid {
        self.streams[stream].id
    }

    /// Lets `order` take or give back one or two of the claims that are for everybody.
    pub(super) fn add_claims(&self, rng: &mut Rng, order: &mut Order) {
        let first = rng.usize(..Self::DUEL);
        for n in 0..rng.usize(1..=2) {
            self.add_claim(order, (first + n) % Self::DUEL, rng.u32(..10) < 6);
        }
    }

    /// Lets `order` take a claim or give it back.
    pub(super) fn add_claim(&self, order: &mut Order, claim: usize, take: bool) {
        order.context.claims.push(Claim {
            kind: CLAIM.to_owned(),
            hash: self.claims[claim].clone(),
            take,
        });
        let verb = if take { "take" } else { "give back" };
        order.words += &format!(", {verb} claim {claim}");
    }
}
