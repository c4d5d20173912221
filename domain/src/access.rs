//! Access: who came in, who was kept out, and what staff looked at. One stream for each account and
//! day; whoever was refused without being known by an account has the streams of nobody.

use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::text::Line;
use crate::upcast::newest;
use crate::{Evolve, Private, StoredEvent};

/// Whose data it is when it is nobody's who is known.
pub const NOBODY: Uuid = Uuid::nil();

/// What the ids of access streams are made from, for ever.
const NAMES: Uuid = Uuid::from_u128(0x9f4c_1c1e_7d0b_4a52_8a8e_6f1d_2b90_77c3);

/// What a device wrote behind the path.
pub type QueryText = Line<1000>;
/// A network address in text.
pub type NetworkAddress = Line<64>;

/// The stream of what happened around `account` on `day` of UTC: bounded, and found without asking.
pub fn stream_of(account: Uuid, day: Date) -> Uuid {
    Uuid::new_v5(&NAMES, format!("{account} {day}").as_bytes())
}

/// The stream in which the process `process` tells of strangers in the hour `hour` since 1970: one
/// writer each, so that a storm at the door makes no conflicts.
pub fn stream_of_strangers(process: Uuid, hour: i64) -> Uuid {
    Uuid::new_v5(&NAMES, format!("strangers {process} {hour}").as_bytes())
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// With the account's password.
    Password,
    /// By a provider that the account trusts.
    Oidc,
}

/// Why a sign-in was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The password was not the account's.
    WrongPassword,
    /// There had been too many attempts; the password was not looked at.
    Throttled,
}

/// Why sessions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignOutReason {
    /// The device itself signed out.
    SignedOut,
    /// The person ended it from another device.
    Revoked,
    /// The person changed the password.
    PasswordChanged,
    /// The person set a new password, having forgotten the old one.
    PasswordReset,
}

/// By what right a password was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordProof {
    /// The person knew the old one.
    OldPassword,
    /// The person reads the account's mail.
    Mail,
}

/// Why somebody unknown was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrangerRefusal {
    /// They tried to sign in to an account that there is not.
    UnknownAccount,
    /// They tried to sign in too often, to an account that there is not.
    Throttled,
    /// They showed a token that is none, or no longer one.
    InvalidToken,
    /// Another site had made their browser ask.
    CrossSite,
}

/// What can happen at the door of Fido.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum AccessEvent {
    /// Somebody signed in. Opening an account does so too, and is told by `account_registered` alone.
    #[serde(rename = "signed_in")]
    SignedIn {
        /// The session that began.
        session_id: Uuid,
        /// How they proved who they are.
        way: SignInWay,
    },
    /// Sessions ended before their time.
    #[serde(rename = "signed_out")]
    SignedOut {
        /// Which.
        session_ids: Vec<Uuid>,
        /// Why.
        reason: SignOutReason,
    },
    /// Somebody at one address tried to sign in to the account and was not let in, within one second.
    #[serde(rename = "sign_in_denied")]
    SignInDenied {
        /// Why.
        reason: Denial,
        /// How often.
        count: u32,
    },
    /// Somebody asked for a mail with which to set a new password, and it was sent.
    #[serde(rename = "password_reset_requested")]
    PasswordResetRequested {},
    /// The password was replaced.
    #[serde(rename = "password_changed")]
    PasswordChanged {
        /// By what right.
        proof: PasswordProof,
    },
    /// The account asked for what it may not do, within one second.
    #[serde(rename = "access_forbidden")]
    AccessForbidden {
        /// What for: method and route.
        request: String,
        /// How often.
        count: u32,
    },
    /// The account asked for a change that was refused, within one second.
    #[serde(rename = "command_refused")]
    CommandRefused {
        /// What for: method and route.
        request: String,
        /// Why: the name of the problem in the answer.
        problem: String,
        /// How often.
        count: u32,
    },
    /// Somebody of the staff is about to be shown what is not theirs.
    #[serde(rename = "sensitive_read")]
    SensitiveRead {
        /// What: the path that was asked for.
        path: String,
        /// Of which part: the query that was asked with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<Private<QueryText>>,
    },
    /// Somebody without an account was refused at one address, within one second.
    #[serde(rename = "strangers_refused")]
    StrangersRefused {
        /// Why.
        refusal: StrangerRefusal,
        /// How often.
        count: u32,
        /// Where they are; none for the many that came in one second after the first hundreds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Private<NetworkAddress>>,
    },
}

impl DomainEvent for AccessEvent {
    fn event_type(&self) -> String {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::SignedOut { .. } => "signed_out",
            Self::SignInDenied { .. } => "sign_in_denied",
            Self::PasswordResetRequested {} => "password_reset_requested",
            Self::PasswordChanged { .. } => "password_changed",
            Self::AccessForbidden { .. } => "access_forbidden",
            Self::CommandRefused { .. } => "command_refused",
            Self::SensitiveRead { .. } => "sensitive_read",
            Self::StrangersRefused { .. } => "strangers_refused",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        newest::<Self>(&self.event_type()).to_owned()
    }
}

impl StoredEvent for AccessEvent {}

/// Nothing is decided by what happened at the door: it is told, and nothing follows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Access {}

impl Evolve for Access {
    const TYPE: &'static str = "access";
    type Event = AccessEvent;

    fn evolve(&mut self, _event: &AccessEvent) {}
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_stream_is_of_one_account_and_one_day() {
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let day = date!(2026 - 11 - 24);
        assert_eq!(stream_of(ada, day), stream_of(ada, day));
        assert_ne!(stream_of(ada, day), stream_of(bob, day));
        assert_ne!(stream_of(ada, day), stream_of(ada, date!(2026 - 11 - 25)));
        assert_ne!(stream_of_strangers(ada, 1), stream_of_strangers(ada, 2));
    }

    #[test]
    fn the_ids_of_streams_stay_as_they_are() {
        let ada = Uuid::from_u128(1);
        assert_eq!(
            stream_of(ada, date!(2026 - 11 - 24)).to_string(),
            "00284801-f63a-5e2d-8c52-e109b4ab6b7c"
        );
        assert_eq!(
            stream_of_strangers(ada, 494_000).to_string(),
            "a700784c-3ba5-5c54-9f4a-519f0738dedd"
        );
    }
}
