//! The event stream: how it is configured, and whether it carries the log that we think.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamError;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream,
};
use fido_domain::{Epoch, Position};
use uuid::Uuid;

use crate::names::{EPOCH, EVENTS, EVENTS_STREAM, LOG_ID};
use crate::{Nats, NatsError};

/// How long the broker remembers; older events are read from PostgreSQL.
const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What an event stream says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The log that it carries.
    pub(crate) log_id: Uuid,
    /// The epoch of the log that it was made in.
    pub(crate) epoch: i32,
    /// The oldest position that it holds; the next one to come when it holds none.
    pub(crate) first: Position,
    /// The last position that it held.
    pub(crate) last: Position,
}

impl Carried {
    /// Reads what the server has told of the stream.
    pub(crate) fn by(info: &Info) -> Result<Self, NatsError> {
        let said = |key: &str| info.config.metadata.get(key).map(String::as_str);
        let log_id = said(LOG_ID).unwrap_or_default();
        let position = |sequence| {
            Position::try_from(sequence).map_err(NatsError::other("asking how the stream stands"))
        };
        Ok(Self {
            log_id: log_id.parse().map_err(|_| NatsError::Configuration {
                setting: "log",
                found: log_id.to_owned(),
                wanted: "the id of a log".to_owned(),
            })?,
            epoch: said(EPOCH)
                .and_then(|epoch| epoch.parse().ok())
                .unwrap_or(1),
            first: position(info.state.first_sequence)?,
            last: position(info.state.last_sequence)?,
        })
    }
}

impl Nats {
    /// The event stream, as its leader says it is.
    pub(crate) async fn events_stream(&self) -> Result<Stream, NatsError> {
        self.jetstream
            .get_stream(EVENTS_STREAM)
            .await
            .map_err(|error| {
                if is_not_found(&error) {
                    NatsError::NoStream
                } else {
                    NatsError::other("looking up the event stream")(error)
                }
            })
    }

    /// The event stream, which must have been made in `epoch`.
    pub(crate) async fn events_stream_in(&self, epoch: i32) -> Result<Stream, NatsError> {
        let stream = self.events_stream().await?;
        let found = Carried::by(stream.cached_info())?.epoch;
        if found == epoch {
            Ok(stream)
        } else {
            Err(NatsError::OtherEpoch {
                found,
                wanted: epoch,
            })
        }
    }

    /// Makes the event stream for `epoch`, beginning with the event at `first`: the sequence of each
    /// message is the position of its event.
    pub(crate) async fn make_events_stream(
        &self,
        epoch: &Epoch,
        first: Position,
    ) -> Result<Carried, NatsError> {
        self.jetstream
            .create_stream(config(epoch, first)?)
            .await
            .map_err(NatsError::other("making the event stream"))?;
        let stream = self.events_stream().await?;
        let made = stream.cached_info();
        check(made, epoch)?;
        let found = first_sequence(made)?;
        if found != first {
            return Err(NatsError::Configuration {
                setting: "first_sequence",
                found: found.to_string(),
                wanted: first.to_string(),
            });
        }
        tracing::info!(
            log_id = %epoch.log_id,
            epoch = epoch.epoch,
            position = first,
            "made the event stream"
        );
        Carried::by(made)
    }

    /// Deletes the event stream, and with it every consumer. The log still has all of it.
    pub(crate) async fn delete_events_stream(&self) -> Result<(), NatsError> {
        self.jetstream
            .delete_stream(EVENTS_STREAM)
            .await
            .map(drop)
            .map_err(NatsError::other("deleting the event stream"))
    }
}

fn config(epoch: &Epoch, first: Position) -> Result<Config, NatsError> {
    let first =
        u64::try_from(first).map_err(NatsError::other("choosing where the stream begins"))?;
    Ok(Config {
        name: EVENTS_STREAM.to_owned(),
        description: Some("The recent past of Fido's log; sequence = position".to_owned()),
        subjects: vec![EVENTS.to_owned()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        max_age: MAX_AGE,
        allow_direct: true,
        allow_atomic_publish: true,
        deny_delete: true,
        deny_purge: true,
        first_sequence: Some(first),
        metadata: [
            (LOG_ID.to_owned(), epoch.log_id.to_string()),
            (EPOCH.to_owned(), epoch.epoch.to_string()),
        ]
        .into(),
        ..Config::default()
    })
}

/// An old server ignores settings that it does not know, so what came back is what counts.
pub(crate) fn check(found: &Info, epoch: &Epoch) -> Result<(), NatsError> {
    let wrong = |setting, found: String, wanted: String| {
        Err(NatsError::Configuration {
            setting,
            found,
            wanted,
        })
    };
    let config = &found.config;
    if !config.allow_atomic_publish {
        return wrong("allow_atomic_publish", "off".to_owned(), "on".to_owned());
    }
    // A stream that was made anew may begin later than its epoch, never earlier.
    let first = first_sequence(found)?;
    if first < epoch.first_position {
        let wanted = format!("{} or later", epoch.first_position);
        return wrong("first_sequence", first.to_string(), wanted);
    }
    Ok(())
}

/// Where the stream was made to begin. 0, 1 and none mean the same to the server.
fn first_sequence(found: &Info) -> Result<Position, NatsError> {
    let first = found.config.first_sequence.unwrap_or_default().max(1);
    Position::try_from(first).map_err(NatsError::other("asking where the stream begins"))
}

fn is_not_found(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        GetStreamErrorKind::EmptyName
        | GetStreamErrorKind::InvalidStreamName
        | GetStreamErrorKind::Request => false,
    }
}
