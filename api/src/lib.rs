//! How people ask: HTTP in, commands and queries through, JSON and event streams out. Handlers
//! translate; what may happen is decided in `commands`, what can be seen comes from `projections`.

mod access;
mod account;
mod analytics;
mod answer;
mod behind;
mod conversation;
mod copilots;
mod cursor;
mod document;
mod extract;
mod health;
mod idempotency;
mod identity;
mod linger;
mod mail;
mod me;
mod oidc;
mod password;
mod plan;
mod problem;
mod request;
mod roles;
mod router;
mod serve;
mod session;
mod stream;

use std::sync::Arc;

use axum::extract::State;
use fido_commands::EventStore;
use fido_commands::auth::Auth;
use fido_commands::erasure::Eraser;
use fido_nats::Nats;
use fido_projections::Replicas;

pub use identity::SessionCookie;
pub use mail::{MailConfig, Mailer, MailerError};
pub use oidc::{ClientSecret, Oidc, OidcSettings, OidcSettingsError, ProviderSettings};
pub use problem::Problem;
pub use reqwest::Url;
pub use router::{openapi, router};
pub use serve::serve;

/// How the API behaves, as the operator wants it.
#[derive(Clone, Default)]
pub struct ApiConfig {
    /// How browsers are to keep the session.
    pub cookie: SessionCookie,
    /// How people are written to.
    pub mail: MailConfig,
    /// Who else can say who somebody is.
    pub oidc: Oidc,
}

/// Everything that handlers ask.
pub struct Api {
    store: EventStore,
    auth: Auth,
    eraser: Eraser,
    replicas: Replicas,
    nats: Nats,
    hub: stream::Hub,
    last_look: health::LastLook,
    post_office: mail::PostOffice,
    config: ApiConfig,
}

impl Api {
    /// An API on these parts; nothing happens before [`serve`].
    pub fn new(
        store: EventStore,
        auth: Auth,
        eraser: Eraser,
        replicas: Replicas,
        nats: Nats,
        config: ApiConfig,
    ) -> Self {
        Self {
            hub: stream::Hub::new(nats.clone(), store.clone(), replicas.clone(), auth.clone()),
            post_office: mail::PostOffice::new(auth.clone(), config.mail.clone()),
            last_look: health::LastLook::default(),
            store,
            auth,
            eraser,
            replicas,
            nats,
            config,
        }
    }
}

/// How handlers get hold of it.
type App = State<Arc<Api>>;

/// What handlers answer.
type Answer<T> = Result<T, Problem>;
