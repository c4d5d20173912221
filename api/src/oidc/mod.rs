//! Signing in with what another provider vouches for: OpenID Connect, authorization code with PKCE.
//!
//! The browser is sent to the provider with a secret of its own in a cookie, from which state, nonce
//! and code verifier follow; when it comes back, on whichever instance, it must bring both.

mod described;
mod error;
mod http;
mod landing;
mod provider;
mod settings;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use fido_commands::auth::{Attempt, BrowserSecret};
use fido_domain::access::SignInWay;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::answer::{At, Found};
use crate::document::about;
use crate::extract::{Json, Query, Visitor};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::{Answer, Api, App};
use described::Elsewhere;
use error::OidcError;
use http::Http;
use landing::Landing;
use provider::Provider;

pub use settings::{ClientSecret, OidcSettings, OidcSettingsError, ProviderSettings};

pub(crate) fn routes() -> ApiRouter<Arc<Api>> {
    let astray = &[Kind::Unavailable];
    let failed = &[
        Kind::SignInFailed,
        Kind::EmailTaken,
        Kind::EmailUnverified,
        Kind::Conflict,
        Kind::Unavailable,
    ];
    ApiRouter::new()
        .api_route(
            "/v1/auth/oidc/{provider}/start",
            get_with(
                start,
                about("start_oidc", "Sign in with a provider", astray),
            ),
        )
        .api_route(
            "/v1/auth/oidc/{provider}/link",
            post_with(
                link,
                about("link_oidc", "Sign in with it, too, from now on", astray),
            ),
        )
        .api_route(
            "/v1/auth/oidc/{provider}/callback",
            get_with(
                callback,
                about("finish_oidc", "Come back from a provider", failed),
            ),
        )
        .with_path_items(|item| item.tag("sessions"))
}

/// All providers of this installation; by default none. Cheap to clone.
#[derive(Clone, Default)]
pub struct Oidc(Option<Arc<Inner>>);

struct Inner {
    providers: Vec<Arc<Provider>>,
    landing: Landing,
}

impl Oidc {
    /// The providers of `settings`. Nobody is asked anything before somebody wants to sign in.
    ///
    /// # Errors
    /// [`OidcSettingsError`].
    pub fn try_new(settings: OidcSettings) -> Result<Self, OidcSettingsError> {
        settings.check_providers()?;
        let (landing, http) = (settings.landing()?, Http::new()?);
        let providers = settings.providers.into_iter().map(|settings| {
            let path = format!("/v1/auth/oidc/{}/callback", settings.name);
            Arc::new(Provider::new(settings, landing.own(&path), http.clone()))
        });
        Ok(Self(Some(Arc::new(Inner {
            providers: providers.collect(),
            landing,
        }))))
    }
}

/// The provider that the path names, and where people may land.
struct Named {
    provider: Arc<Provider>,
    all: Arc<Inner>,
}

impl FromRequestParts<Arc<Api>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        let unknown = || Problem::new(Kind::NotFound);
        let parameters = RawPathParams::from_request_parts(parts, api).await;
        let parameters = parameters.map_err(|_| unknown())?;
        let (_, name) = parameters.iter().next().ok_or_else(unknown)?;
        let all = api.config.oidc.0.clone().ok_or_else(unknown)?;
        let mut providers = all.providers.iter();
        let provider = providers.find(|known| known.name().as_str() == name);
        let provider = Arc::clone(provider.ok_or_else(unknown)?);
        Ok(Self { provider, all })
    }
}

/// Where somebody wants to be in the end.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"return_to": "/plans"}))]
struct Destination {
    /// A path of this installation, or a URL of an origin that is allowed; without it, the root.
    return_to: Option<String>,
}

async fn start(
    State(api): App,
    named: Named,
    Query(destination): Query<Destination>,
) -> Answer<Elsewhere> {
    let (secret, url, _) = named.begin(&api, destination, None).await?;
    let location = [(header::LOCATION, String::from(url))];
    Ok(Elsewhere::to(
        location,
        api.config.cookie.send_away(&secret),
    ))
}

/// Where to send the browser of somebody who wants to link an identity.
#[derive(Debug, Serialize, JsonSchema)]
struct Departure {
    /// The page of the provider.
    authorize_url: String,
    /// Until when the browser must be back.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: OffsetDateTime,
}

async fn link(
    State(api): App,
    who: SignedIn,
    named: Named,
    Json(destination): Json<Destination>,
) -> Answer<Found<Departure>> {
    let account_id = Some(who.account_id);
    let (secret, url, expires_at) = named.begin(&api, destination, account_id).await?;
    let departure = Departure {
        authorize_url: url.into(),
        expires_at,
    };
    Ok(Found::of(departure).with(api.config.cookie.send_away(&secret)))
}

/// What a provider sends back with the browser, as far as it counts here.
#[derive(Debug, Deserialize, JsonSchema)]
struct Homecoming {
    /// What the browser was sent away with.
    state: String,
    /// What the provider exchanges for an ID token.
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who the provider is (RFC 9207).
    iss: Option<String>,
}

async fn callback(
    State(api): App,
    named: Named,
    visitor: Visitor,
    headers: HeaderMap,
    Query(back): Query<Homecoming>,
) -> Answer<Elsewhere> {
    let secret = api
        .config
        .cookie
        .sent_away(&headers)
        .ok_or(OidcError::Strange)?;
    let attempt = named.finish(&api, &secret, &back).await?;
    let code = back
        .code
        .filter(|_| back.error.is_none())
        .ok_or(OidcError::Refused)?;
    let vouched = named.provider.vouch(code, &secret).await?;
    let forget = api.config.cookie.is_back();
    let land = [(header::LOCATION, attempt.return_to)];
    let Some(account_id) = attempt.account_id else {
        let entered = api.auth.enter(vouched, visitor.origin()).await?;
        let (origin, way) = (visitor.origin(), SignInWay::Oidc);
        let opened = api.auth.sign_in(entered.account_id, way, origin).await?;
        let cookie = api.config.cookie.keep(&opened);
        let position = entered.registered_at.map(At);
        return Ok(Elsewhere::to(land, (forget, cookie, position)));
    };
    let linked = api
        .auth
        .link(account_id, vouched.identity, visitor.origin())
        .await?;
    Ok(Elsewhere::to(land, (forget, At(linked.position))))
}

impl Named {
    /// Notes that a browser is sent to the provider: with which secret, where to, and until when.
    async fn begin(
        &self,
        api: &Api,
        destination: Destination,
        account_id: Option<Uuid>,
    ) -> Answer<(BrowserSecret, Url, OffsetDateTime)> {
        let return_to = self.all.landing.at(destination.return_to.as_deref())?;
        let secret = BrowserSecret::generate();
        let url = self.provider.entrance(&secret).await?;
        let attempt = Attempt {
            provider: self.provider.name().clone(),
            return_to: return_to.into(),
            account_id,
        };
        let expires_at = api.auth.begin_attempt(&secret, &attempt).await?;
        Ok((secret, url, expires_at))
    }

    /// The attempt with which the browser comes back, once.
    async fn finish(
        &self,
        api: &Api,
        secret: &BrowserSecret,
        back: &Homecoming,
    ) -> Answer<Attempt> {
        if back
            .iss
            .as_deref()
            .is_some_and(|iss| !self.provider.is_called(iss))
        {
            return Err(OidcError::Strange.into());
        }
        let name = self.provider.name();
        let attempt = api.auth.finish_attempt(secret, name, &back.state).await?;
        Ok(attempt.ok_or(OidcError::Strange)?)
    }
}
