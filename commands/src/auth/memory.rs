//! What this process remembers of sessions and roles, so that not every request asks the database.
//!
//! It is believed only while the process is sure to hear of every revocation
//! ([`trust_until`](Memory::trust_until)). Otherwise, and before anybody has said so, the database is
//! asked, and once it is believed again it begins empty.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fido_domain::account::Account;
use moka::sync::Cache;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Session;
use super::revocation::Revocation;

/// Sessions and accounts that are remembered.
const REMEMBERED: u64 = 50_000;
/// How long, at most: bounds what a revocation does that another process could not tell.
const KEPT: Duration = Duration::from_secs(10);

/// The hash of a token.
pub(super) type TokenHash = [u8; 32];

/// A session, and until when it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remembered {
    pub(super) session: Session,
    pub(super) expires_at: OffsetDateTime,
}

/// What was true before the database was asked: whoever remembers its answer shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

pub(super) struct Memory {
    sessions: Cache<TokenHash, Remembered>,
    accounts: Cache<Uuid, Account>,
    /// How many revocations were heard of.
    heard: AtomicU64,
    trusted_until: Mutex<Option<Instant>>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            sessions: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(KEPT)
                .support_invalidation_closures()
                .build(),
            accounts: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(KEPT)
                .build(),
            heard: AtomicU64::new(0),
            trusted_until: Mutex::new(None),
        }
    }

    /// Every revocation until now was heard, and will be until `until`.
    pub(super) fn trust_until(&self, until: Instant) {
        let mut trusted = self.trusted();
        let lapsed = trusted.is_none_or(|trusted| trusted < Instant::now());
        if lapsed {
            self.forget_everything();
        }
        *trusted = Some(until);
    }

    /// From now on revocations may pass unheard.
    pub(super) fn distrust(&self) {
        *self.trusted() = None;
        self.forget_everything();
    }

    /// Whether it may be believed; then what the database says may be remembered with the ticket.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let heard = self.heard.load(Ordering::SeqCst);
        let until = *self.trusted();
        until
            .is_some_and(|until| Instant::now() <= until)
            .then_some(Ticket(heard))
    }

    pub(super) fn session(&self, token: &TokenHash) -> Option<Remembered> {
        self.sessions.get(token)
    }

    pub(super) fn account(&self, id: Uuid) -> Option<Account> {
        self.accounts.get(&id)
    }

    /// Remembers a session that was read with `ticket`, unless anything was revoked since.
    pub(super) fn keep_session(&self, ticket: Ticket, token: TokenHash, session: Remembered) {
        self.sessions.insert(token, session);
        // Whoever revokes counts first and forgets then: one of the two sees the other.
        if self.is_stale(ticket) {
            self.sessions.invalidate(&token);
        }
    }

    /// The same for an account's roles.
    pub(super) fn keep_account(&self, ticket: Ticket, id: Uuid, account: Account) {
        self.accounts.insert(id, account);
        if self.is_stale(ticket) {
            self.accounts.invalidate(&id);
        }
    }

    /// Forgets what `revocation` makes untrue.
    pub(super) fn forget(&self, revocation: Revocation) {
        self.heard.fetch_add(1, Ordering::SeqCst);
        let account_id = revocation.account_id();
        self.accounts.invalidate(&account_id);
        if matches!(revocation, Revocation::Roles { .. }) {
            return;
        }
        let ended = move |_: &TokenHash, known: &Remembered| {
            known.session.account_id == account_id && revocation.ends(known.session.session_id)
        };
        if self.sessions.invalidate_entries_if(ended).is_err() {
            self.sessions.invalidate_all();
        }
    }

    fn forget_everything(&self) {
        self.heard.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate_all();
        self.accounts.invalidate_all();
    }

    fn is_stale(&self, ticket: Ticket) -> bool {
        self.heard.load(Ordering::SeqCst) != ticket.0
    }

    fn trusted(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.trusted_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Uuid = Uuid::from_u128(1);
    const TOKEN: TokenHash = [1; 32];
    const OTHER: TokenHash = [2; 32];

    fn session(n: u128) -> Remembered {
        Remembered {
            session: Session {
                session_id: Uuid::from_u128(n),
                account_id: ADA,
            },
            expires_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn trusted() -> Memory {
        let memory = Memory::new();
        memory.trust_until(Instant::now() + Duration::from_secs(60));
        memory
    }

    #[test]
    fn nothing_is_believed_before_somebody_vouches_nor_afterwards() {
        let memory = Memory::new();
        assert!(memory.ticket().is_none());
        memory.trust_until(Instant::now() + Duration::from_secs(60));
        assert!(memory.ticket().is_some());
        memory.distrust();
        assert!(memory.ticket().is_none());
        let past = Instant::now().checked_sub(Duration::from_millis(1));
        memory.trust_until(past.unwrap());
        assert!(memory.ticket().is_none(), "it has lapsed");
    }

    #[test]
    fn a_revoked_session_is_forgotten_and_the_others_stay() {
        let memory = trusted();
        let ticket = memory.ticket().unwrap();
        memory.keep_session(ticket, TOKEN, session(1));
        memory.keep_session(ticket, OTHER, session(2));
        memory.forget(Revocation::Session {
            account_id: ADA,
            session_id: Uuid::from_u128(1),
        });
        assert!(memory.session(&TOKEN).is_none());
        assert!(memory.session(&OTHER).is_some());
    }

    #[test]
    fn what_was_read_before_a_revocation_is_not_remembered_after_it() {
        let memory = trusted();
        let ticket = memory.ticket().unwrap();
        memory.forget(Revocation::All { account_id: ADA });
        memory.keep_session(ticket, TOKEN, session(1));
        memory.keep_account(ticket, ADA, Account::default());
        assert!(memory.session(&TOKEN).is_none());
        assert!(memory.account(ADA).is_none());
    }

    #[test]
    fn after_a_lapse_it_begins_empty() {
        let memory = trusted();
        memory.keep_session(memory.ticket().unwrap(), TOKEN, session(1));
        memory.distrust();
        memory.trust_until(Instant::now() + Duration::from_secs(60));
        assert!(memory.session(&TOKEN).is_none());
    }

    #[test]
    fn roles_are_forgotten_with_the_account() {
        let memory = trusted();
        memory.keep_account(memory.ticket().unwrap(), ADA, Account::default());
        memory.forget(Revocation::Roles { account_id: ADA });
        assert!(memory.account(ADA).is_none());
    }
}
