//! One provider: where to send a browser, and what to make of it when it comes back.

use std::sync::Arc;
use std::time::Duration;

use fido_commands::account::ProvenIdentity;
use fido_commands::auth::{BrowserSecret, Vouched};
use fido_domain::account::{DisplayName, ProviderName};
use fido_domain::text::EmailAddress;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::OidcError;
use super::http::Http;
use super::settings::ProviderSettings;

/// How long what a provider says of itself is believed.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// How soon it may be asked again because of a key that is not known.
const PAUSE: Duration = Duration::from_secs(1);
/// How an ID token may be signed: never with a secret that both sides know, and never not at all.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider, and what it said of itself last.
pub(super) struct Provider {
    settings: ProviderSettings,
    redirect: RedirectUrl,
    http: Http,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    metadata: Arc<CoreProviderMetadata>,
    since: Instant,
}

impl Provider {
    pub(super) fn new(settings: ProviderSettings, redirect: Url, http: Http) -> Self {
        Self {
            settings,
            redirect: RedirectUrl::from_url(redirect),
            http,
            known: Mutex::new(None),
        }
    }

    /// What it is called here.
    pub(super) fn name(&self) -> &ProviderName {
        &self.settings.name
    }

    /// Whether that is what it calls itself.
    pub(super) fn is_called(&self, issuer: &str) -> bool {
        let known = &self.settings.issuer;
        issuer.trim_end_matches('/') == known.trim_end_matches('/')
    }

    /// Where the browser that keeps `secret` has to go.
    pub(super) async fn entrance(&self, secret: &BrowserSecret) -> Result<Url, OidcError> {
        let metadata = self.metadata(KEPT).await?;
        let client = self.client(&metadata);
        let (state, nonce) = (secret.state(), secret.nonce());
        let verifier = PkceCodeVerifier::new(secret.code_verifier());
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// What the provider says of the person who came back with `code` in the browser that keeps
    /// `secret`.
    pub(super) async fn vouch(
        &self,
        code: String,
        secret: &BrowserSecret,
    ) -> Result<Vouched, OidcError> {
        let metadata = self.metadata(KEPT).await?;
        let token = self.redeem(&metadata, code, secret).await?;
        let nonce = Nonce::new(secret.nonce());
        let claims = match self.claims(&metadata, &token, &nonce) {
            // Keys change: it may be one that the provider has made since.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata(PAUSE).await?;
                self.claims(&metadata, &token, &nonce)
            }
            claims => claims,
        }?;
        self.read(&claims)
    }

    /// The ID token that the provider gives for `code`.
    async fn redeem(
        &self,
        metadata: &CoreProviderMetadata,
        code: String,
        secret: &BrowserSecret,
    ) -> Result<CoreIdToken, OidcError> {
        let client = self.client(metadata);
        let http = |request: HttpRequest| self.http.clone().send(request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| OidcError::Misconfigured)?
            .set_pkce_verifier(PkceCodeVerifier::new(secret.code_verifier()))
            .request_async(&http)
            .await?;
        answer.id_token().cloned().ok_or(OidcError::NoIdToken)
    }

    /// What is signed, if all of it is right: signature, issuer, audience, time and nonce.
    fn claims(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let client = self.client(metadata);
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
        token.claims(&verifier, nonce).cloned()
    }

    fn read(&self, claims: &CoreIdTokenClaims) -> Result<Vouched, OidcError> {
        let subject = claims.subject().as_str();
        // OpenID Connect Core 2: at most 255 ASCII characters.
        if subject.is_empty() || subject.len() > 255 || !subject.is_ascii() {
            return Err(OidcError::NoSubject);
        }
        let email = claims
            .email()
            .filter(|_| claims.email_verified() == Some(true));
        let name = claims.name().and_then(|name| name.get(None));
        Ok(Vouched {
            identity: ProvenIdentity {
                provider: self.settings.name.clone(),
                issuer: claims.issuer().as_str().to_owned(),
                subject: subject.to_owned(),
            },
            verified_email: email.and_then(|email| EmailAddress::parse(email.as_str()).ok()),
            display_name: name.and_then(|name| DisplayName::parse(name.as_str()).ok()),
        })
    }

    /// What the provider says of itself, keys included; asked again when it is older than `most`.
    /// One asks while the others wait.
    async fn metadata(&self, most: Duration) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(fresh) = known.as_ref().filter(|known| known.since.elapsed() < most) {
            return Ok(Arc::clone(&fresh.metadata));
        }
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|_| OidcError::Misconfigured)?;
        let http = |request: HttpRequest| self.http.clone().send(request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await?;
        let metadata = Arc::new(metadata);
        *known = Some(Known {
            metadata: Arc::clone(&metadata),
            since: Instant::now(),
        });
        Ok(metadata)
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let secret = self.settings.client_secret.as_ref();
        let secret =
            secret.map(|secret| openidconnect::ClientSecret::new(secret.reveal().to_owned()));
        let id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret);
        client
            .set_redirect_uri(self.redirect.clone())
            .set_auth_type(auth_type(metadata))
    }
}

/// Basic, which every provider has to take, unless it says that it takes something else only.
fn auth_type(metadata: &CoreProviderMetadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|methods| methods.contains(&method));
    let only_in_the_body = takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic);
    if only_in_the_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}
