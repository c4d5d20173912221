//! The kinds of problems: each has a name for machines, a status, and a title for people.

use axum::http::StatusCode;

/// What kind of thing went wrong. The names are part of the contract and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A parameter or a header is not as it must be.
    InvalidParameter,
    /// The body is not JSON.
    MalformedBody,
    /// Nobody is signed in.
    Unauthenticated,
    /// This email address and this password do not belong together.
    WrongCredentials,
    /// Another site made the browser ask.
    CrossSite,
    /// The account lacks the role.
    Forbidden,
    /// It is not there, or not theirs.
    NotFound,
    /// The path is there, for other methods.
    MethodNotAllowed,
    /// The address belongs to another account.
    EmailTaken,
    /// A reply is being written.
    ReplyInProgress,
    /// The conversation was put away.
    ConversationArchived,
    /// What was said after a reply stands on it.
    ReplyNotLast,
    /// There is no text to rate.
    NothingToRate,
    /// The plan was put away.
    PlanArchived,
    /// The section stays as it is until it is reopened.
    SectionApproved,
    /// There is nothing to approve.
    SectionEmpty,
    /// A plan holds no more facts.
    TooManyFacts,
    /// Sections are being written.
    GenerationInProgress,
    /// There is no section to write.
    NothingToGenerate,
    /// The sign-in was too long ago for something that cannot be undone.
    SignInAgain,
    /// The provider does not say that the address is theirs.
    EmailUnverified,
    /// What came back from the provider does not prove who they are.
    SignInFailed,
    /// An account with the same address was opened otherwise.
    LinkRequired,
    /// The identity belongs to another account.
    IdentityTaken,
    /// What was asked does not fit what is.
    Conflict,
    /// It is not in the state any more that the request was based on.
    PreconditionFailed,
    /// The request must say which state it is based on.
    PreconditionRequired,
    /// The body is beyond the limit.
    BodyTooLarge,
    /// The body is of a type that is not understood.
    UnsupportedMediaType,
    /// The body is JSON, but not what is asked for here.
    InvalidBody,
    /// It can be had in other formats only.
    UnknownFormat,
    /// The Idempotency-Key stands for another request.
    IdempotencyKeyReused,
    /// Somebody guesses, or types in a hurry.
    TooManyAttempts,
    /// Fido is wrong.
    Internal,
    /// Too many change the same thing at once.
    Busy,
    /// The replica has not come as far as was asked for.
    ReplicaBehind,
    /// The log has lost its tail, and nobody has said yet how to go on.
    LogDiverged,
    /// A part that is needed cannot be reached.
    Unavailable,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 38] = [
        Self::InvalidParameter,
        Self::MalformedBody,
        Self::Unauthenticated,
        Self::WrongCredentials,
        Self::CrossSite,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::EmailTaken,
        Self::ReplyInProgress,
        Self::ConversationArchived,
        Self::ReplyNotLast,
        Self::NothingToRate,
        Self::PlanArchived,
        Self::SectionApproved,
        Self::SectionEmpty,
        Self::TooManyFacts,
        Self::GenerationInProgress,
        Self::NothingToGenerate,
        Self::SignInAgain,
        Self::EmailUnverified,
        Self::SignInFailed,
        Self::LinkRequired,
        Self::IdentityTaken,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::PreconditionRequired,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidBody,
        Self::UnknownFormat,
        Self::IdempotencyKeyReused,
        Self::TooManyAttempts,
        Self::Internal,
        Self::Busy,
        Self::ReplicaBehind,
        Self::LogDiverged,
        Self::Unavailable,
    ];

    /// The status of the answer.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter | Self::MalformedBody | Self::SignInFailed => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthenticated | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::CrossSite | Self::Forbidden | Self::SignInAgain | Self::EmailUnverified => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::EmailTaken
            | Self::ReplyInProgress
            | Self::ConversationArchived
            | Self::ReplyNotLast
            | Self::NothingToRate
            | Self::PlanArchived
            | Self::SectionApproved
            | Self::SectionEmpty
            | Self::TooManyFacts
            | Self::GenerationInProgress
            | Self::NothingToGenerate
            | Self::LinkRequired
            | Self::IdentityTaken
            | Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidBody | Self::UnknownFormat | Self::IdempotencyKeyReused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::ReplicaBehind | Self::LogDiverged | Self::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The name for machines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InvalidParameter => "invalid-parameter",
            Self::MalformedBody => "malformed-body",
            Self::Unauthenticated => "unauthenticated",
            Self::WrongCredentials => "wrong-credentials",
            Self::CrossSite => "cross-site",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::EmailTaken => "email-taken",
            Self::ReplyInProgress => "reply-in-progress",
            Self::ConversationArchived => "conversation-archived",
            Self::ReplyNotLast => "reply-not-last",
            Self::NothingToRate => "nothing-to-rate",
            Self::PlanArchived => "plan-archived",
            Self::SectionApproved => "section-approved",
            Self::SectionEmpty => "section-empty",
            Self::TooManyFacts => "too-many-facts",
            Self::GenerationInProgress => "generation-in-progress",
            Self::NothingToGenerate => "nothing-to-generate",
            Self::SignInAgain => "sign-in-again",
            Self::EmailUnverified => "email-unverified",
            Self::SignInFailed => "sign-in-failed",
            Self::LinkRequired => "link-required",
            Self::IdentityTaken => "identity-taken",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition-failed",
            Self::PreconditionRequired => "precondition-required",
            Self::BodyTooLarge => "body-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::InvalidBody => "invalid-body",
            Self::UnknownFormat => "unknown-format",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::TooManyAttempts => "too-many-attempts",
            Self::Internal => "internal",
            Self::Busy => "busy",
            Self::ReplicaBehind => "replica-behind",
            Self::LogDiverged => "log-diverged",
            Self::Unavailable => "unavailable",
        }
    }

    /// The problem's `type`.
    pub(crate) fn type_uri(self) -> String {
        format!("/problems/{}", self.name())
    }

    /// What a person reads.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::InvalidParameter => "A parameter of the request is not valid",
            Self::MalformedBody => "The body is not well-formed JSON",
            Self::Unauthenticated => "Please sign in",
            Self::WrongCredentials => "The email address or the password is wrong",
            Self::CrossSite => "This request came from another site",
            Self::Forbidden => "This account may not do that",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "This cannot be done here",
            Self::EmailTaken => "An account with this email address exists already",
            Self::ReplyInProgress => "A reply is being written",
            Self::ConversationArchived => "The conversation is archived",
            Self::ReplyNotLast => "Only the last reply can be written again",
            Self::NothingToRate => "The reply has no text to rate",
            Self::PlanArchived => "The plan is archived",
            Self::SectionApproved => "The section is approved; reopen it first",
            Self::SectionEmpty => "The section is empty",
            Self::TooManyFacts => "The plan holds no more facts",
            Self::GenerationInProgress => "Sections are being written",
            Self::NothingToGenerate => "There is no section to write",
            Self::SignInAgain => "Please sign in again first",
            Self::EmailUnverified => "The provider has not verified your email address",
            Self::SignInFailed => "Signing in with this provider has failed; please try again",
            Self::LinkRequired => "An account with this email address exists already",
            Self::IdentityTaken => "Another account is signed in to with this identity",
            Self::Conflict => "This does not fit the present state",
            Self::PreconditionFailed => "This has changed since you have read it",
            Self::PreconditionRequired => "Please say with If-Match what your change is based on",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body must be JSON",
            Self::InvalidBody => "Some fields are not valid",
            Self::UnknownFormat => "There is no such format",
            Self::IdempotencyKeyReused => "This Idempotency-Key was used for another request",
            Self::TooManyAttempts => "There were too many attempts; please wait a little",
            Self::Internal => "Something went wrong on our side",
            Self::Busy => "Too many changes at once; please try again",
            Self::ReplicaBehind => "This is not visible yet; please try again",
            Self::LogDiverged => {
                "Nothing can be changed until the log is repaired; reading goes on"
            }
            Self::Unavailable => "Fido cannot answer right now; please try again",
        }
    }

    /// Whether signing in (again) is the way out.
    pub(crate) fn asks_to_sign_in(self) -> bool {
        self.status() == StatusCode::UNAUTHORIZED
    }

    /// Whether the same request may well succeed a second later.
    pub(crate) fn passes(self) -> bool {
        self.status() == StatusCode::SERVICE_UNAVAILABLE && self != Self::LogDiverged
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_an_error_status() {
        let names: HashSet<_> = Kind::ALL.map(Kind::name).into();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let status = kind.status();
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{kind:?}"
            );
        }
    }
}
