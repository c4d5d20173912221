//! The event stream: how it is configured, and whether it carries the log that we think.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamError;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use uuid::Uuid;

use crate::names::{EVENTS, EVENTS_STREAM, LOG_ID};
use crate::{Nats, NatsError};

/// How long the broker remembers; older events are read from PostgreSQL.
const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

impl Nats {
    /// The event stream, as it is.
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

    /// The event stream of the log `log_id`, made when it is not there. A new stream begins at 1,
    /// so that the sequence of each message is the position of its event.
    pub(crate) async fn ensure_events_stream(&self, log_id: Uuid) -> Result<Stream, NatsError> {
        let stream = match self.events_stream().await {
            Err(NatsError::NoStream) => {
                self.jetstream
                    .create_stream(config(log_id))
                    .await
                    .map_err(NatsError::other("making the event stream"))?;
                tracing::info!(log.id = %log_id, "made the event stream");
                self.events_stream().await?
            }
            found => found?,
        };
        check(&stream.cached_info().config, log_id)?;
        Ok(stream)
    }
}

fn config(log_id: Uuid) -> Config {
    Config {
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
        metadata: [(LOG_ID.to_owned(), log_id.to_string())].into(),
        ..Config::default()
    }
}

/// An old server ignores settings that it does not know, so what came back is what counts.
fn check(found: &Config, log_id: Uuid) -> Result<(), NatsError> {
    let carried = found.metadata.get(LOG_ID).cloned().unwrap_or_default();
    if carried != log_id.to_string() {
        return Err(NatsError::Configuration {
            setting: "log",
            found: carried,
            wanted: log_id.to_string(),
        });
    }
    if !found.allow_atomic_publish {
        return Err(NatsError::Configuration {
            setting: "allow_atomic_publish",
            found: "off".to_owned(),
            wanted: "on".to_owned(),
        });
    }
    Ok(())
}

fn is_not_found(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        GetStreamErrorKind::EmptyName
        | GetStreamErrorKind::InvalidStreamName
        | GetStreamErrorKind::Request => false,
    }
}
