//! Just enough of PostgreSQL's protocol (version 3) to know where a message ends and which of them
//! make up a call of `append_events`.

use std::collections::HashSet;

use tokio::io::{AsyncReadExt, Result};
use tokio::net::UnixStream;

/// Ends a call: the server commits and answers with ReadyForQuery.
pub(super) const SYNC: u8 = b'S';
/// A call in one message.
const QUERY: u8 = b'Q';
/// Makes the server send what it has to say so far, without ending the transaction.
pub(super) const FLUSH: [u8; 5] = [b'H', 0, 0, 0, 4];
/// From the server: a statement has ended.
pub(super) const COMMAND_COMPLETE: u8 = b'C';
/// From the server: a statement has failed.
pub(super) const ERROR_RESPONSE: u8 = b'E';
/// From the server: everything up to one Sync is done and durable.
pub(super) const READY_FOR_QUERY: u8 = b'Z';
/// From the server, once: its process id, then a secret.
pub(super) const BACKEND_KEY_DATA: u8 = b'K';

/// The statement whose calls are looked for.
const APPEND: &[u8] = b"append_events";

/// Reads whole messages from one end of a line.
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// The first message of a client has no type.
    typeless: bool,
}

impl Messages {
    pub(super) fn of_the_client() -> Self {
        Self {
            bytes: Vec::new(),
            typeless: true,
        }
    }

    pub(super) fn of_the_server() -> Self {
        Self {
            bytes: Vec::new(),
            typeless: false,
        }
    }

    /// The next message, header included; none at the end of the line. Loses nothing when dropped.
    pub(super) async fn next(&mut self, from: &mut UnixStream) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(message) = self.whole() {
                return Ok(Some(message));
            }
            if from.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn whole(&mut self) -> Option<Vec<u8>> {
        let header = if self.typeless { 0 } else { 1 };
        let length = self.bytes.get(header..header + 4)?;
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        if self.bytes.len() < header + length {
            return None;
        }
        self.typeless = false;
        let rest = self.bytes.split_off(header + length);
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

/// The process id in a BackendKeyData message.
pub(super) fn backend_pid(message: &[u8]) -> i32 {
    i32::from_be_bytes(message[5..9].try_into().unwrap())
}

/// What a message of the client is part of.
pub(super) enum Part {
    /// Nothing of interest; to be passed on.
    Other(Vec<u8>),
    /// A call of `append_events` whose end is still to come.
    Unfinished,
    /// A whole call of `append_events`: its last message is a Sync or a Query.
    Call(Vec<u8>),
}

/// Recognises the calls of `append_events` among what one client says.
#[derive(Default)]
pub(super) struct Statements {
    appends: HashSet<Vec<u8>>,
    call: Vec<u8>,
}

impl Statements {
    pub(super) fn part(&mut self, message: Vec<u8>) -> Part {
        let kind = message[0];
        if kind == b'P' {
            let mut strings = message[5..].split(|byte| *byte == 0);
            let name = strings.next().unwrap_or_default().to_vec();
            if contains_append(strings.next().unwrap_or_default()) {
                self.appends.insert(name);
            } else {
                self.appends.remove(&name);
            }
        }
        let begins = match kind {
            // Bind: the portal's name, then the statement's.
            b'B' => {
                let statement = message[5..].split(|byte| *byte == 0).nth(1);
                self.appends.contains(statement.unwrap_or_default())
            }
            QUERY => contains_append(&message[5..]),
            _ => false,
        };
        if self.call.is_empty() && !begins {
            return Part::Other(message);
        }
        self.call.extend(message);
        if ends_a_call(kind) {
            Part::Call(std::mem::take(&mut self.call))
        } else {
            Part::Unfinished
        }
    }
}

/// Whether the server answers this message of a client with a ReadyForQuery.
pub(super) fn ends_a_call(kind: u8) -> bool {
    kind == SYNC || kind == QUERY
}

fn contains_append(sql: &[u8]) -> bool {
    sql.windows(APPEND.len()).any(|part| part == APPEND)
}
