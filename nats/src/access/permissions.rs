//! The subjects of each role. What is not listed is refused.

use super::Role;
use crate::names::{
    APPENDED, COPILOT_CONSUMER, EVENTS, HEARTBEATS, LIVE, RELAYS, REPLICAS, REPLY_REQUESTS,
    REVOKED, STOPS, consumer_acks, consumer_api, projector_consumer, replica_subject, stream_api,
    unnamed_consumer,
};

/// Whether the broker answers at all.
const ACCOUNT_INFO: &str = "$JS.API.INFO";

/// What a role may publish and hear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects that it may publish to.
    pub publish: Vec<String>,
    /// Except these.
    pub publish_not: Vec<String>,
    /// Subjects that it may listen to.
    pub subscribe: Vec<String>,
    /// Whether it may answer what it is asked, in the inbox of whoever asks.
    pub answers: bool,
}

impl Permissions {
    /// Those of `role`, where the replicas have these names. Without names a projector may serve any
    /// replica: then its subjects cannot be told one by one, since a wildcard stands for a whole name.
    pub fn of(role: Role, replicas: &[String]) -> Self {
        let mut own = match role {
            Role::Relay => Self::of_relay(),
            Role::Projector => Self::of_projector(replicas),
            Role::Api => Self::of_api(replicas),
            Role::Copilot => Self::of_copilot(),
            Role::Notary => Self {
                subscribe: vec![APPENDED.to_owned()],
                ..Self::default()
            },
            Role::Operator => Self {
                publish: vec![
                    ACCOUNT_INFO.to_owned(),
                    RELAYS.to_owned(),
                    REVOKED.to_owned(),
                ],
                subscribe: vec![REPLICAS.to_owned()],
                ..Self::default()
            },
        };
        // How the stream and its consumers stand tells nothing of what is in it.
        own.publish.push(stream_api("INFO"));
        own.publish.push(consumer_api("INFO", "*"));
        own.subscribe.push(format!("{}.>", role.inbox_prefix()));
        own
    }

    /// It neither changes nor purges the stream, so nobody may.
    fn of_relay() -> Self {
        Self {
            publish: [
                vec![EVENTS.to_owned()],
                ["CREATE", "DELETE", "MSG.GET"].map(stream_api).to_vec(),
            ]
            .concat(),
            subscribe: vec![APPENDED.to_owned(), RELAYS.to_owned()],
            answers: true,
            ..Self::default()
        }
    }

    fn of_projector(replicas: &[String]) -> Self {
        let any = ["*".to_owned()];
        let (replicas, is_any) = match replicas {
            [] => (any.as_slice(), true),
            named => (named, false),
        };
        let subjects = |replica: &String| {
            let consumer = if is_any {
                "*".to_owned()
            } else {
                projector_consumer(replica)
            };
            let mut subjects = reading(&consumer);
            subjects.push(consumer_api("CREATE", &consumer));
            subjects.push(consumer_api("RESET", &consumer));
            subjects.push(replica_subject(replica));
            subjects
        };
        Self {
            publish: replicas.iter().flat_map(subjects).collect(),
            publish_not: if is_any {
                everything_on(COPILOT_CONSUMER)
            } else {
                Vec::new()
            },
            ..Self::default()
        }
    }

    /// Its consumers have names that the broker chooses, so it may read any but those of others. They
    /// need no acknowledgement.
    fn of_api(replicas: &[String]) -> Self {
        let projectors = replicas.iter().map(|replica| projector_consumer(replica));
        Self {
            publish: vec![
                ACCOUNT_INFO.to_owned(),
                APPENDED.to_owned(),
                STOPS.to_owned(),
                unnamed_consumer(),
                consumer_api("MSG.NEXT", "*"),
                REVOKED.to_owned(),
                HEARTBEATS.to_owned(),
            ],
            publish_not: projectors
                .chain([COPILOT_CONSUMER.to_owned()])
                .map(|consumer| consumer_api("MSG.NEXT", &consumer))
                .collect(),
            subscribe: vec![
                LIVE.to_owned(),
                REPLICAS.to_owned(),
                REVOKED.to_owned(),
                HEARTBEATS.to_owned(),
            ],
            answers: false,
        }
    }

    fn of_copilot() -> Self {
        let mut publish = reading(COPILOT_CONSUMER);
        publish.extend([
            format!(
                "{}.{REPLY_REQUESTS}",
                consumer_api("CREATE", COPILOT_CONSUMER)
            ),
            APPENDED.to_owned(),
            LIVE.to_owned(),
        ]);
        Self {
            publish,
            subscribe: vec![REPLICAS.to_owned(), STOPS.to_owned()],
            ..Self::default()
        }
    }
}

/// Asking a consumer for messages and acknowledging them.
fn reading(consumer: &str) -> Vec<String> {
    let [old, new] = consumer_acks(consumer);
    vec![consumer_api("MSG.NEXT", consumer), old, new]
}

/// Whatever can be asked of a consumer but how it stands.
fn everything_on(consumer: &str) -> Vec<String> {
    let mut subjects = reading(consumer);
    subjects.extend(["CREATE", "RESET"].map(|verb| consumer_api(verb, consumer)));
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_relay_publishes_events_or_touches_the_stream() {
        for replicas in [vec![], vec!["replica1".to_owned()]] {
            for role in Role::ALL {
                let may = Permissions::of(role, &replicas).publish;
                let touches = may.iter().any(|subject| {
                    subject.starts_with("fido.events")
                        || ["CREATE", "DELETE", "UPDATE", "PURGE", "MSG"]
                            .iter()
                            .any(|verb| subject.starts_with(&format!("$JS.API.STREAM.{verb}")))
                });
                assert_eq!(touches, role == Role::Relay, "{role}: {may:?}");
            }
        }
    }

    #[test]
    fn a_named_replica_narrows_its_projector() {
        let may = Permissions::of(Role::Projector, &["north".to_owned()]).publish;
        assert!(may.contains(&"$JS.API.CONSUMER.RESET.FIDO_EVENTS.projector_north".to_owned()));
        assert!(may.contains(&"fido.replica.north".to_owned()));
        let any = may.iter().filter(|subject| subject.ends_with(".*"));
        let any: Vec<_> = any.collect();
        assert_eq!(any, ["$JS.API.CONSUMER.INFO.FIDO_EVENTS.*"]);
    }
}
