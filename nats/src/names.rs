//! Every stream, consumer, subject and header name, spelt here and nowhere else.

use fido_domain::Recorded;
use uuid::Uuid;

/// The stream that holds the log's recent past; its sequence is the log's position.
pub(crate) const EVENTS_STREAM: &str = "FIDO_EVENTS";
/// What it listens to.
pub(crate) const EVENTS: &str = "fido.events.>";
/// What co-pilot workers are called by.
pub(crate) const REPLY_REQUESTS: &str = "fido.events.*.conversation.reply_requested";
/// The consumer that all co-pilot workers share.
pub(crate) const COPILOT_CONSUMER: &str = "copilot";
/// Wakes the relay.
pub(crate) const APPENDED: &str = "fido.appended";
/// Asks relays how they stand.
pub(crate) const RELAYS: &str = "fido.relays";
/// Tokens, of whichever account.
pub(crate) const LIVE: &str = "fido.live.>";
/// Replies that are no longer wanted.
pub(crate) const STOPS: &str = "fido.stops.*";
/// Positions of replicas.
pub(crate) const REPLICAS: &str = "fido.replica.*";
/// What was revoked.
pub(crate) const REVOKED: &str = "fido.sessions.revoked";
/// Heartbeats of whoever listens for that.
pub(crate) const HEARTBEATS: &str = "fido.sessions.heartbeat.*";
/// The log that the stream carries, in the stream's metadata.
pub(crate) const LOG_ID: &str = "fido_log_id";
/// The epoch of the log in which the stream was made, in the stream's metadata.
pub(crate) const EPOCH: &str = "fido_log_epoch";

/// Which stream of events the message is of.
pub(crate) const AGGREGATE_ID: &str = "Fido-Aggregate-Id";
/// Its place in that stream.
pub(crate) const SEQUENCE: &str = "Fido-Sequence";

/// Partitions by aggregate, so that a stream of events always has the same subject.
const PARTITIONS: u32 = 16;

/// `fido.events.<partition>.<aggregate_type>.<event_type>`. Never the id itself: every distinct
/// subject costs the server memory for ever.
pub(crate) fn event_subject(event: &Recorded) -> String {
    format!(
        "fido.events.{:02}.{}.{}",
        partition(event.aggregate_id),
        event.aggregate_type,
        event.event_type
    )
}

/// FNV-1a (32 bit) of the id's text, modulo 16.
fn partition(aggregate_id: Uuid) -> u32 {
    let mut text = Uuid::encode_buffer();
    let hash = aggregate_id
        .hyphenated()
        .encode_lower(&mut text)
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    hash % PARTITIONS
}

/// Where the tokens of one reply go.
pub(crate) fn live_subject(account: Uuid, conversation: Uuid, reply: Uuid) -> String {
    format!("fido.live.{account}.{conversation}.{reply}")
}

/// All tokens for one account.
pub(crate) fn live_of(account: Uuid) -> String {
    format!("fido.live.{account}.>")
}

/// Where it is told that nobody wants `reply` any more.
pub(crate) fn stop_subject(reply: Uuid) -> String {
    format!("fido.stops.{reply}")
}

/// The reply that a message on such a subject is about.
pub(crate) fn stopped(subject: &str) -> Option<Uuid> {
    subject.strip_prefix("fido.stops.")?.parse().ok()
}

/// Where a listener sends its heartbeat to itself.
pub(crate) fn heartbeat_subject(listener: Uuid) -> String {
    format!("fido.sessions.heartbeat.{listener}")
}

/// Where a replica tells its position.
pub(crate) fn replica_subject(replica: &str) -> String {
    format!("fido.replica.{replica}")
}

/// What JetStream calls doing `verb` to the event stream.
pub(crate) fn stream_api(verb: &str) -> String {
    format!("$JS.API.STREAM.{verb}.{EVENTS_STREAM}")
}

/// What JetStream calls doing `verb` to a consumer of the event stream.
pub(crate) fn consumer_api(verb: &str, consumer: &str) -> String {
    format!("$JS.API.CONSUMER.{verb}.{EVENTS_STREAM}.{consumer}")
}

/// What JetStream calls making a consumer of the event stream to which it gives a name itself.
pub(crate) fn unnamed_consumer() -> String {
    format!("$JS.API.CONSUMER.CREATE.{EVENTS_STREAM}")
}

/// Where messages of a consumer of the event stream are acknowledged, in the form of today's servers
/// and in the one that is to come.
pub(crate) fn consumer_acks(consumer: &str) -> [String; 2] {
    [
        format!("$JS.ACK.{EVENTS_STREAM}.{consumer}.>"),
        format!("$JS.ACK.*.*.{EVENTS_STREAM}.{consumer}.>"),
    ]
}

/// The consumer of one replica's projector.
pub(crate) fn projector_consumer(replica: &str) -> String {
    format!("projector_{replica}")
}
