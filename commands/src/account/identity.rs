//! Who somebody is elsewhere, and signing in with that.

use fido_domain::Private;
use fido_domain::account::{Account, AccountEvent, ProviderName};

use super::{AccountRefusal, Decision};

/// The kind under which identities are claimed: each belongs to one account.
pub const IDENTITY_CLAIM: &str = "identity";

/// Who somebody is to a provider who vouches for it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenIdentity {
    /// What this installation calls the provider.
    pub provider: ProviderName,
    /// What the provider calls itself (OpenID Connect's `iss`).
    pub issuer: String,
    /// How it tells its people apart (`sub`): the same for ever, and nobody else's.
    pub subject: String,
}

impl ProvenIdentity {
    pub(super) fn linked(&self) -> AccountEvent {
        AccountEvent::IdentityLinked {
            provider: self.provider.clone(),
            subject: Private::new(self.subject.clone()),
        }
    }
}

impl std::fmt::Debug for ProvenIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProvenIdentity(… of {})", self.provider)
    }
}

/// One identity of each provider; that of the same person twice is linked once.
pub(super) fn link(account: &Account, identity: &ProvenIdentity) -> Decision {
    match account.identity(&identity.provider) {
        None => Ok(vec![identity.linked()]),
        Some(linked) if linked.is_of(&identity.subject) => Ok(Vec::new()),
        Some(_) => Err(AccountRefusal::OtherIdentityLinked),
    }
}
