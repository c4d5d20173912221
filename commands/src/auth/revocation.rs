//! What ends a session, or changes what its account may do: told to every process that may remember
//! otherwise, and to whoever is being served for that session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

/// What is no longer as it was. On the wire between processes a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "revoked", rename_all = "snake_case")]
pub enum Revocation {
    /// One session has ended.
    Session {
        /// Whose it was.
        account_id: Uuid,
        /// Which.
        session_id: Uuid,
    },
    /// All sessions of the account but one have ended.
    Others {
        /// Whose they were.
        account_id: Uuid,
        /// The one that goes on.
        kept: Uuid,
    },
    /// All sessions of the account have ended.
    All {
        /// Whose they were.
        account_id: Uuid,
    },
    /// The account may do more, or less; its sessions go on.
    Roles {
        /// Whose roles they are.
        account_id: Uuid,
    },
}

impl Revocation {
    /// Whom it is about.
    pub fn account_id(self) -> Uuid {
        match self {
            Self::Session { account_id, .. }
            | Self::Others { account_id, .. }
            | Self::All { account_id }
            | Self::Roles { account_id } => account_id,
        }
    }

    /// Whether it ends `session_id` of its account.
    pub fn ends(self, session_id: Uuid) -> bool {
        match self {
            Self::Session {
                session_id: ended, ..
            } => ended == session_id,
            Self::Others { kept, .. } => kept != session_id,
            Self::All { .. } => true,
            Self::Roles { .. } => false,
        }
    }
}

/// Those who want to know when a session ends. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Watchers(Arc<Mutex<HashMap<Uuid, Vec<Watcher>>>>);

struct Watcher {
    session_id: Uuid,
    /// Tells it apart from others of the same session.
    number: Uuid,
    ended: oneshot::Sender<()>,
}

/// Somebody is being served for a session, and ends when it does.
pub struct Watch {
    account_id: Uuid,
    number: Uuid,
    ended: oneshot::Receiver<()>,
    watchers: Watchers,
}

impl Watch {
    /// Waits until the session ends, for ever if it does not. May be dropped and called again.
    pub async fn ended(&mut self) {
        // Sent, or dropped together with its entry: both mean the end.
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut accounts = self.watchers.accounts();
        if let Some(watchers) = accounts.get_mut(&self.account_id) {
            watchers.retain(|watcher| watcher.number != self.number);
            if watchers.is_empty() {
                accounts.remove(&self.account_id);
            }
        }
    }
}

impl Watchers {
    /// Watches a session, from now on; `number` is like no other.
    pub(super) fn watch(&self, account_id: Uuid, session_id: Uuid, number: Uuid) -> Watch {
        let (sender, ended) = oneshot::channel();
        let watcher = Watcher {
            session_id,
            number,
            ended: sender,
        };
        self.accounts().entry(account_id).or_default().push(watcher);
        Watch {
            account_id,
            number,
            ended,
            watchers: self.clone(),
        }
    }

    /// Tells those whose session `revocation` ends.
    pub(super) fn tell(&self, revocation: Revocation) {
        let mut accounts = self.accounts();
        let Some(watchers) = accounts.get_mut(&revocation.account_id()) else {
            return;
        };
        for ended in watchers.extract_if(.., |watcher| revocation.ends(watcher.session_id)) {
            // Whoever watched may have gone this moment.
            let _ = ended.ended.send(());
        }
        if watchers.is_empty() {
            accounts.remove(&revocation.account_id());
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<Watcher>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const ADA: Uuid = Uuid::from_u128(1);
    const BOB: Uuid = Uuid::from_u128(2);
    const PHONE: Uuid = Uuid::from_u128(11);
    const LAPTOP: Uuid = Uuid::from_u128(12);

    fn is_over(watch: &mut Watch) -> bool {
        watch.ended().now_or_never().is_some()
    }

    #[test]
    fn only_those_whose_session_ends_are_told() {
        let all = [
            (
                Revocation::Session {
                    account_id: ADA,
                    session_id: PHONE,
                },
                [true, false, false],
            ),
            (
                Revocation::Others {
                    account_id: ADA,
                    kept: PHONE,
                },
                [false, true, false],
            ),
            (Revocation::All { account_id: ADA }, [true, true, false]),
            (Revocation::Roles { account_id: ADA }, [false, false, false]),
        ];
        for (revocation, expected) in all {
            let watchers = Watchers::default();
            let mut watches =
                [(ADA, PHONE), (ADA, LAPTOP), (BOB, PHONE)].map(|(account, session)| {
                    watchers.watch(
                        account,
                        session,
                        Uuid::from_u128(session.as_u128() + account.as_u128()),
                    )
                });
            watchers.tell(revocation);
            assert_eq!(watches.each_mut().map(is_over), expected, "{revocation:?}");
        }
    }

    #[test]
    fn whoever_has_gone_leaves_nothing_behind() {
        let watchers = Watchers::default();
        let first = watchers.watch(ADA, PHONE, Uuid::from_u128(1));
        let mut second = watchers.watch(ADA, PHONE, Uuid::from_u128(2));
        drop(first);
        assert!(!is_over(&mut second));
        drop(second);
        assert!(watchers.accounts().is_empty());
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let told = Revocation::Others {
            account_id: ADA,
            kept: PHONE,
        };
        let wire = serde_json::to_string(&told).unwrap();
        assert!(wire.starts_with(r#"{"revoked":"others","#), "{wire}");
        assert_eq!(serde_json::from_str::<Revocation>(&wire).unwrap(), told);
    }
}
