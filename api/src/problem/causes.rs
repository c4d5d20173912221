//! Refusals and failures of the other crates as problems.

use std::convert::Infallible;
use std::error::Error;

use fido_commands::ExecuteError;
use fido_commands::account::AccountRefusal;
use fido_commands::auth::{AuthError, FRESH};
use fido_commands::conversation::ConversationRefusal;
use fido_commands::erasure::EraseError;
use fido_commands::log::LogError;
use fido_commands::plan::PlanRefusal;
use fido_commands::store::past::PastError;
use fido_commands::vault::VaultError;
use fido_domain::recorded::Undecodable;
use fido_projections::ReadError;

use super::{Kind, Problem};
use crate::stream::NotFollowing;

impl<R> From<ExecuteError<R>> for Problem
where
    R: Error + Send + Sync + 'static,
    Problem: From<R>,
{
    fn from(error: ExecuteError<R>) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::ClaimTaken { .. } => Self::new(Kind::Conflict).detail(error.to_string()),
            ExecuteError::Stale { .. } => {
                Self::new(Kind::PreconditionFailed).detail(error.to_string())
            }
            ExecuteError::KeyReused => Self::new(Kind::IdempotencyKeyReused)
                .field("Idempotency-Key", "was used for another request before"),
            ExecuteError::Erased { .. } => Self::new(Kind::NotFound),
            ExecuteError::Contended { .. } | ExecuteError::Overloaded => {
                Self::new(Kind::Busy).because(error)
            }
            ExecuteError::Unavailable(_) => Self::new(Kind::Unavailable).because(error),
            ExecuteError::Corrupt { .. } => Self::new(Kind::Internal).because(error),
            ExecuteError::Diverged { head } => Self::new(Kind::LogDiverged)
                .detail(format!(
                    "The log ends at {head}, before what has been seen of it. Reading goes on; \
                     writing waits for an operator to run `fido log fork`."
                ))
                .because(error),
        }
    }
}

impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<AccountRefusal> for Problem {
    fn from(refusal: AccountRefusal) -> Self {
        let kind = match refusal {
            AccountRefusal::AlreadyRegistered
            | AccountRefusal::AlwaysUser
            | AccountRefusal::TooManyConsents
            | AccountRefusal::OtherIdentityLinked => Kind::Conflict,
            AccountRefusal::NotFound => Kind::NotFound,
        };
        Self::new(kind).detail(refusal.to_string())
    }
}

impl From<ConversationRefusal> for Problem {
    fn from(refusal: ConversationRefusal) -> Self {
        let kind = match refusal {
            ConversationRefusal::NotFound | ConversationRefusal::NoSuchReply => Kind::NotFound,
            ConversationRefusal::Archived => Kind::ConversationArchived,
            ConversationRefusal::ReplyInProgress { .. } => Kind::ReplyInProgress,
            ConversationRefusal::ReplyNotLast => Kind::ReplyNotLast,
            ConversationRefusal::NothingToRate => Kind::NothingToRate,
            ConversationRefusal::AlreadyStarted
            | ConversationRefusal::ReplyNotOpen
            | ConversationRefusal::Superseded { .. } => Kind::Conflict,
        };
        Self::new(kind).detail(refusal.to_string())
    }
}

impl From<PlanRefusal> for Problem {
    fn from(refusal: PlanRefusal) -> Self {
        let kind = match refusal {
            // A generation that is not in progress cannot be stopped: there is none.
            PlanRefusal::NotFound
            | PlanRefusal::NoSuchRevision { .. }
            | PlanRefusal::GenerationNotOpen => Kind::NotFound,
            PlanRefusal::Archived => Kind::PlanArchived,
            PlanRefusal::StaleRevision { .. } => Kind::PreconditionFailed,
            PlanRefusal::SectionApproved { .. } => Kind::SectionApproved,
            PlanRefusal::SectionEmpty { .. } => Kind::SectionEmpty,
            PlanRefusal::TooManyFacts => Kind::TooManyFacts,
            PlanRefusal::NothingToGenerate => Kind::NothingToGenerate,
            PlanRefusal::GenerationInProgress { .. } => Kind::GenerationInProgress,
            PlanRefusal::AlreadyStarted
            | PlanRefusal::FactEnteredByPerson { .. }
            | PlanRefusal::SectionNotRequested { .. }
            | PlanRefusal::Superseded { .. } => Kind::Conflict,
        };
        Self::new(kind).detail(refusal.to_string())
    }
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Self {
        match error {
            PastError::ToCome { .. } | PastError::Lost { .. } => {
                Self::new(Kind::InvalidParameter).field("at", error.to_string())
            }
            PastError::Log(error) => error.into(),
            PastError::Vault(error) => error.into(),
            PastError::Undecodable(error) => error.into(),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::EmailTaken => {
                Self::new(Kind::EmailTaken).field("email", "belongs to an account already")
            }
            AuthError::WrongCredentials => Self::new(Kind::WrongCredentials),
            AuthError::Throttled { retry_after } => {
                Self::new(Kind::TooManyAttempts).retry_after(retry_after)
            }
            AuthError::Busy => Self::new(Kind::Busy).because(error),
            AuthError::InvalidToken => {
                Self::new(Kind::InvalidBody).field("token", "is not good, or no longer")
            }
            AuthError::Access(error) => (*error).into(),
            AuthError::PasswordNeeded => {
                Self::new(Kind::InvalidBody).field("password", "is required")
            }
            AuthError::SignInNotFresh => Self::new(Kind::SignInAgain).detail(format!(
                "The account has no password: sign in again, and ask within {} minutes.",
                FRESH.whole_minutes()
            )),
            AuthError::LinkRequired => Self::new(Kind::LinkRequired)
                .detail("Sign in to that account with its password, and link this identity to it."),
            AuthError::IdentityTaken => Self::new(Kind::IdentityTaken),
            AuthError::EmailUnverified => Self::new(Kind::EmailUnverified),
            AuthError::Store(error) => (*error).into(),
            AuthError::Log(error) => error.into(),
            AuthError::Undecodable(error) => error.into(),
            AuthError::Vault(error) => error.into(),
            AuthError::Database(_) => Self::new(Kind::Unavailable).because(error),
            AuthError::Hash(_) => Self::new(Kind::Internal).because(error),
        }
    }
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::NotFound => Self::new(Kind::NotFound),
            EraseError::Vault(error) => error.into(),
            EraseError::NoRegister | EraseError::Register(_) | EraseError::Store(_) => {
                Self::new(Kind::Unavailable).because(error)
            }
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let kind = match error {
            VaultError::Database(_) => Kind::Unavailable,
            VaultError::Erased => Kind::NotFound,
            VaultError::OtherMasterKey { .. } | VaultError::Damaged(_) => Kind::Internal,
        };
        Self::new(kind).because(error)
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        let kind = match error {
            LogError::Database(_) => Kind::Unavailable,
            LogError::Malformed { .. } | LogError::NoEpoch(_) => Kind::Internal,
        };
        Self::new(kind).because(error)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Behind { .. } => Self::new(Kind::ReplicaBehind).detail(error.to_string()),
            ReadError::NoneAlive | ReadError::Unavailable(_) => {
                Self::new(Kind::Unavailable).because(error)
            }
        }
    }
}

impl From<NotFollowing> for Problem {
    fn from(error: NotFollowing) -> Self {
        Self::new(Kind::Unavailable).because(error)
    }
}

impl From<Undecodable> for Problem {
    fn from(error: Undecodable) -> Self {
        // Its source quotes what was stored, which is nobody's business in a log.
        Self::new(Kind::Internal).because(error.to_string())
    }
}
