//! What is to happen in one case, all of it decided by a seed: who asks what of which stream, where
//! the line is cut, what else goes wrong.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use fido_commands::conversation::ConversationCommand;
use fido_commands::{Claim, CommandContext, ambient};
use fido_domain::Actor;
use fido_domain::conversation::{Copilot, MessageText, Usage};
use uuid::Uuid;

use crate::cut::Fault;

/// One case in so many restarts the server.
pub(super) const RESTART_EVERY: u64 = 50;

/// The kind of the claims.
const CLAIM: &str = "name";
/// Replies that the commands for one stream are about; few, so that they meet.
const REPLIES: usize = 2;

/// One case.
pub(super) struct Script {
    pub(super) processes: usize,
    /// Each asks one thing after the other, while the others do so too.
    pub(super) clients: Vec<Vec<Order>>,
    /// The faults of each process's line, each with the number of calls that pass before it.
    pub(super) faults: Vec<Vec<(u32, Fault)>>,
    /// What else goes wrong, each once so many commands have had their answer; ascending.
    pub(super) troubles: Vec<(usize, Trouble)>,
    cast: Cast,
}

/// Who and what a case is about.
pub(super) struct Cast {
    pub(super) account: Uuid,
    pub(super) streams: Vec<Stream>,
    claims: Vec<Vec<u8>>,
}

/// One stream and the replies that may be asked for in it.
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) id: Uuid,
    replies: [Uuid; REPLIES],
}

/// What can go wrong besides cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server is killed and started again.
    ServerRestarts,
    /// A process is killed and started again.
    ProcessDies(usize),
    /// A process cannot reach the server for a while.
    LineIsDown(usize, Duration),
}

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

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}: {}", self.process, self.words)
    }
}

impl Script {
    /// The script of the case `seed`. Ids are new each time, so that a case can be repeated on the
    /// same log; everything else follows from the seed.
    pub(super) fn write(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let processes = rng.usize(2..=3);
        let cast = Cast::new(&mut rng, processes);
        let mut clients: Vec<Vec<Order>> = Vec::new();
        let shared = cast.streams.len() - processes;
        let clients_each = rng.usize(2..=4);
        for process in 0..processes {
            // Every process begins two streams, so that each has calls of its own to be cut.
            let own = shared + process;
            clients.push(vec![
                cast.start(&mut rng, process, own),
                cast.start(&mut rng, process, process % shared),
            ]);
            clients.extend((1..clients_each).map(|_| Vec::new()));
        }
        let given = 2 * processes;
        for _ in given..rng.usize(20..=40) {
            let client = rng.usize(..clients.len());
            let process = client / clients_each;
            let stream = match rng.u32(..10) {
                0..7 => rng.usize(..shared),
                7..9 => shared + process,
                _ => rng.usize(..cast.streams.len()),
            };
            clients[client].push(cast.order(&mut rng, process, stream));
        }
        let commands = clients.iter().map(Vec::len).sum();
        Self {
            processes,
            clients,
            faults: faults(&mut rng, processes),
            troubles: troubles(&mut rng, processes, commands, seed),
            cast,
        }
    }

    /// Whether nothing but cuts goes wrong: then no command may be left without an answer.
    pub(super) fn is_calm(&self) -> bool {
        self.troubles.is_empty()
    }

    /// A command that begins a stream of its own, to follow all others of `process`.
    pub(super) fn last_order(&mut self, process: usize) -> Order {
        self.cast.streams.push(Stream::new("last".to_owned()));
        let mut any = Rng::with_seed(0);
        self.cast
            .start(&mut any, process, self.cast.streams.len() - 1)
    }

    pub(super) fn cast(&self) -> &Cast {
        &self.cast
    }
}

fn faults(rng: &mut Rng, processes: usize) -> Vec<Vec<(u32, Fault)>> {
    let one = |rng: &mut Rng| match rng.u32(..6) {
        0 => Fault::Before,
        1 => Fault::Uncommitted,
        2 => Fault::During,
        3 => Fault::After,
        _ => Fault::Late {
            answers: rng.u32(..6) * rng.u32(..3),
        },
    };
    // The first call of one process is cut for certain; at most three tries of a call fail in a row.
    let certain = rng.usize(..processes);
    (0..processes)
        .map(|process| {
            let mut faults = Vec::new();
            for n in 0..rng.u32(1..=3) {
                let after = if n == 0 && process == certain {
                    0
                } else {
                    rng.u32(..5)
                };
                faults.push((after, one(rng)));
            }
            faults
        })
        .collect()
}

fn troubles(rng: &mut Rng, processes: usize, commands: usize, seed: u64) -> Vec<(usize, Trouble)> {
    let mut troubles = Vec::new();
    if seed.is_multiple_of(RESTART_EVERY) {
        troubles.push((rng.usize(..commands), Trouble::ServerRestarts));
    }
    if rng.u32(..10) == 0 {
        let process = rng.usize(..processes);
        troubles.push((rng.usize(..commands), Trouble::ProcessDies(process)));
    }
    if rng.u32(..20) == 0 {
        let process = rng.usize(..processes);
        let pause = Duration::from_millis(rng.u64(20..200));
        troubles.push((rng.usize(..commands), Trouble::LineIsDown(process, pause)));
    }
    troubles.sort_by_key(|(finished, _)| *finished);
    troubles
}

impl Stream {
    fn new(name: String) -> Self {
        Self {
            name,
            id: ambient::new_id(),
            replies: [ambient::new_id(), ambient::new_id()],
        }
    }
}

impl Cast {
    fn new(rng: &mut Rng, processes: usize) -> Self {
        let shared = (0..rng.usize(1..=3)).map(|n| format!("shared {n}"));
        let own = (0..processes).map(|n| format!("own {n}"));
        Self {
            account: ambient::new_id(),
            streams: shared.chain(own).map(Stream::new).collect(),
            claims: (0..2)
                .map(|_| ambient::new_id().as_bytes().to_vec())
                .collect(),
        }
    }

    /// What the stream `id` is called.
    pub(super) fn name(&self, id: Uuid) -> &str {
        let stream = self.streams.iter().find(|stream| stream.id == id);
        stream.map_or("a stream of nobody", |stream| &stream.name)
    }

    /// The hashes that the case's commands claim.
    pub(super) fn hashes(&self) -> &[Vec<u8>] {
        &self.claims
    }

    fn start(&self, rng: &mut Rng, process: usize, stream: usize) -> Order {
        let command = ConversationCommand::StartConversation {
            account_id: self.account,
            copilot: Copilot::ALL[rng.usize(..Copilot::ALL.len())],
            goal: None,
            plan_id: None,
        };
        self.with_context(process, stream, command, "start".to_owned())
    }

    fn order(&self, rng: &mut Rng, process: usize, stream: usize) -> Order {
        let reply = rng.usize(..REPLIES);
        let reply_id = self.streams[stream].replies[reply];
        let attempt = 1 + rng.u32(..3) / 2;
        let mut may_claim = true;
        let mut order = match rng.u32(..100) {
            0..5 => self.start(rng, process, stream),
            5..35 => {
                let stranger = rng.u32(..20) == 0;
                let account_id = if stranger {
                    ambient::new_id()
                } else {
                    self.account
                };
                let command = ConversationCommand::PostMessage {
                    account_id,
                    message_id: ambient::new_id(),
                    reply_id,
                    text: MessageText::parse(&"Hello ".repeat(1 + rng.usize(..40))).unwrap(),
                };
                let who = if stranger { " as a stranger" } else { "" };
                self.with_context(
                    process,
                    stream,
                    command,
                    format!("post for reply {reply}{who}"),
                )
            }
            35..55 => {
                let command = ConversationCommand::StartReply { reply_id };
                self.with_context(process, stream, command, format!("begin reply {reply}"))
            }
            55..80 => {
                // What ends a reply may change nothing, and then nothing is claimed either.
                may_claim = false;
                let command = ConversationCommand::RecordReply {
                    reply_id,
                    attempt,
                    text: "Flour!".repeat(rng.usize(..40)),
                    model: "m".to_owned(),
                    usage: Usage {
                        input_tokens: rng.u32(..1_000),
                        output_tokens: rng.u32(..1_000),
                    },
                };
                let words = format!("record attempt {attempt} of reply {reply}");
                self.with_context(process, stream, command, words)
            }
            _ => {
                may_claim = false;
                let command = ConversationCommand::FailReply {
                    reply_id,
                    attempt,
                    reason: "truncated".to_owned(),
                };
                let words = format!("fail attempt {attempt} of reply {reply}");
                self.with_context(process, stream, command, words)
            }
        };
        if may_claim && rng.u32(..3) == 0 {
            self.add_claims(rng, &mut order);
        }
        if rng.u32(..25) == 0 {
            order.patience = Some(Duration::from_micros(rng.u64(..5_000)));
            order.words += ", patient for a moment";
        }
        order
    }

    fn add_claims(&self, rng: &mut Rng, order: &mut Order) {
        let first = rng.usize(..self.claims.len());
        for n in 0..rng.usize(1..=2) {
            let claim = (first + n) % self.claims.len();
            let take = rng.u32(..10) < 6;
            order.context.claims.push(Claim {
                kind: CLAIM,
                hash: self.claims[claim].clone(),
                take,
            });
            let verb = if take { "take" } else { "give back" };
            order.words += &format!(", {verb} claim {claim}");
        }
    }

    fn with_context(
        &self,
        process: usize,
        stream: usize,
        command: ConversationCommand,
        words: String,
    ) -> Order {
        let Stream { name, id, .. } = &self.streams[stream];
        Order {
            process,
            stream: *id,
            command,
            context: CommandContext::new(Actor::user(self.account), self.account),
            patience: None,
            words: format!("{name}: {words}"),
        }
    }
}
