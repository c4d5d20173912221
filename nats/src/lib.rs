//! Who else hears about it: NATS carries events, tokens and pings. PostgreSQL is the truth; whatever
//! is lost here is seen (positions are dense) and read again from there.

pub mod access;
pub mod backoff;
pub mod feed;
mod line;
pub mod live;
mod names;
mod ordered;
pub mod relay;
pub mod replica;
pub mod revocations;
pub mod status;
mod stop;
mod stream;
pub mod tail;
pub mod wake;
pub mod work;

use std::time::Duration;

use async_nats::jetstream;
use async_nats::{ConnectOptions, ServerAddr};
use uuid::Uuid;

use access::{Role, Seed};
use line::Line;

/// The oldest nats-server that knows what Fido relies on (atomic batches, consumer reset).
pub const MINIMUM_SERVER: (u32, u32) = (2, 14);

/// NATS could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The address is none; it may hold a password, so it is not repeated.
    #[error("the address of NATS must look like nats://user:password@host:4222")]
    Address,
    /// No server answered.
    #[error("NATS cannot be reached")]
    Connect(#[source] async_nats::ConnectError),
    /// The server lacks features that Fido relies on.
    #[error("nats-server {found} is too old; Fido needs 2.14 or later")]
    ServerTooOld {
        /// What it says it is.
        found: String,
    },
    /// The event stream is not there (yet); the relay makes it.
    #[error("the event stream is not there")]
    NoStream,
    /// The event stream carries another log.
    #[error(
        "the event stream carries log {found}, this is log {wanted}: \
         does FIDO_NATS_URL belong to another installation?"
    )]
    OtherLog {
        /// The log that it carries.
        found: Uuid,
        /// The log that it was to carry.
        wanted: Uuid,
    },
    /// The event stream was made in another epoch of the log; the relay makes it anew.
    #[error("the event stream is in epoch {found} of the log, not in epoch {wanted}")]
    OtherEpoch {
        /// The stream's epoch.
        found: i32,
        /// The log's epoch.
        wanted: i32,
    },
    /// The server did not keep the configuration that Fido asked for.
    #[error("the event stream's {setting} is {found}, not {wanted}")]
    Configuration {
        /// Which setting.
        setting: &'static str,
        /// What the server says.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// The connection broke; it is made again by itself.
    #[error("the connection to NATS broke")]
    Broken,
    /// Something else went wrong on the way.
    #[error("NATS: {doing} failed")]
    Other {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        #[source]
        source: async_nats::Error,
    },
}

impl NatsError {
    pub(crate) fn other<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<async_nats::Error>,
    {
        move |source| Self::Other {
            doing,
            source: source.into(),
        }
    }
}

/// A connection to NATS. Cheap to clone; reconnects by itself.
#[derive(Clone, Debug)]
pub struct Nats {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    line: Line,
}

impl Nats {
    /// Connects to `url` (`nats://host:port`, several separated by commas) as `role`, which proves
    /// itself by its seed, by user and password in the address, or to a server without authorisation
    /// by nothing.
    ///
    /// # Errors
    /// [`NatsError::Address`], [`NatsError::Connect`] and [`NatsError::ServerTooOld`].
    pub async fn connect(url: &str, role: Role, seed: Option<&Seed>) -> Result<Self, NatsError> {
        let servers = url
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<ServerAddr>, _>>()
            .map_err(|_| NatsError::Address)?;
        let (breaks, line) = Line::new();
        let client = credentials(&servers, seed)
            .name(format!("fido {role}"))
            .custom_inbox_prefix(role.inbox_prefix())
            .reconnect_delay_callback(|attempt| Duration::from_millis(50 * (1 << attempt.min(6))))
            .event_callback(move |event| {
                line::report(&event, &breaks);
                std::future::ready(())
            })
            .connect(servers)
            .await
            .map_err(NatsError::Connect)?;
        let found = client.server_info().version;
        if !new_enough(&found) {
            return Err(NatsError::ServerTooOld { found });
        }
        let jetstream = jetstream::new(client.clone());
        Ok(Self {
            client,
            jetstream,
            line,
        })
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`NatsError::Other`] when it does not.
    pub async fn ping(&self) -> Result<(), NatsError> {
        self.jetstream
            .query_account()
            .await
            .map(drop)
            .map_err(NatsError::other("asking for an answer"))
    }
}

/// The seed, or what stands before the `@` of an address, which async-nats leaves to its caller.
fn credentials(servers: &[ServerAddr], seed: Option<&Seed>) -> ConnectOptions {
    if let Some(seed) = seed {
        return ConnectOptions::with_nkey(seed.expose().to_owned());
    }
    servers
        .iter()
        .find_map(|server| Some((server.username()?, server.password()?)))
        .map_or_else(ConnectOptions::new, |(user, password)| {
            ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        })
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    found >= MINIMUM_SERVER
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn a_server_from_2_14_on_is_new_enough() {
        assert!(new_enough("2.14.0"));
        assert!(new_enough("2.15.1"));
        assert!(new_enough("3.0.0-beta"));
        assert!(!new_enough("2.9.10"));
        assert!(!new_enough(""));
    }
}
