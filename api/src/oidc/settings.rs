//! Which providers there are, as the operator says, and where people may land.

use std::fmt;
use std::net::IpAddr;

use fido_domain::account::ProviderName;
use reqwest::Url;

use super::landing::Landing;

/// A secret that this installation shares with a provider.
#[derive(Clone)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Takes the secret over.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// Somebody who can say who a person is.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// What it is called here, and in paths.
    pub name: ProviderName,
    /// What it calls itself, to the letter: the URL below which its configuration is found.
    pub issuer: String,
    /// What it calls this installation.
    pub client_id: String,
    /// What this installation proves itself with, if it has to.
    pub client_secret: Option<ClientSecret>,
}

/// How people may sign in with what others vouch for.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// By whom.
    pub providers: Vec<ProviderSettings>,
    /// Where browsers reach this API: scheme, host and port.
    pub public_url: Url,
    /// Where else than there a browser may be sent in the end: scheme, host and port each.
    pub return_origins: Vec<Url>,
}

/// Settings that cannot be right.
#[derive(Debug, thiserror::Error)]
pub enum OidcSettingsError {
    /// Plain HTTP would show secrets to anybody in between.
    #[error("{0} must be an https URL (http only on this machine)")]
    Insecure(Url),
    /// Not a URL at all.
    #[error("{0} is no URL")]
    NotAUrl(String),
    /// More than scheme, host and port.
    #[error("{0} must be an origin: scheme, host and port, nothing else")]
    NotAnOrigin(Url),
    /// Two of one name.
    #[error("there are two providers named {0}")]
    Twice(ProviderName),
    /// The HTTP client could not be made.
    #[error("TLS cannot be set up")]
    Tls(#[source] reqwest::Error),
}

impl OidcSettings {
    /// Where people may land.
    pub(super) fn landing(&self) -> Result<Landing, OidcSettingsError> {
        for url in self.return_origins.iter().chain([&self.public_url]) {
            if !is_secure(url) {
                return Err(OidcSettingsError::Insecure(url.clone()));
            }
            if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
                return Err(OidcSettingsError::NotAnOrigin(url.clone()));
            }
        }
        Ok(Landing::new(self.public_url.clone(), &self.return_origins))
    }

    pub(super) fn check_providers(&self) -> Result<(), OidcSettingsError> {
        for (n, provider) in self.providers.iter().enumerate() {
            let issuer = Url::parse(&provider.issuer);
            let issuer = issuer.map_err(|_| OidcSettingsError::NotAUrl(provider.issuer.clone()))?;
            if !is_secure(&issuer) {
                return Err(OidcSettingsError::Insecure(issuer));
            }
            if self.providers[..n]
                .iter()
                .any(|other| other.name == provider.name)
            {
                return Err(OidcSettingsError::Twice(provider.name.clone()));
            }
        }
        Ok(())
    }
}

/// Whether nobody in between can read along.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_here(url)
}

fn is_here(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = |address: IpAddr| address.is_loopback();
        host == "localhost" || address.parse().is_ok_and(is_loopback)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(public: &str, origins: &[&str]) -> OidcSettings {
        OidcSettings {
            providers: Vec::new(),
            public_url: public.parse().unwrap(),
            return_origins: origins.iter().map(|url| url.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn an_origin_is_an_origin_and_secure() {
        assert!(
            settings("https://api.example", &["http://localhost:5173"])
                .landing()
                .is_ok()
        );
        for public in [
            "http://api.example",
            "ftp://localhost",
            "https://api.example/v1",
        ] {
            assert!(settings(public, &[]).landing().is_err(), "{public}");
        }
        let open = settings("https://api.example", &["http://app.example"]);
        assert!(matches!(
            open.landing(),
            Err(OidcSettingsError::Insecure(_))
        ));
    }

    #[test]
    fn a_client_secret_is_never_shown() {
        assert_eq!(format!("{:?}", ClientSecret::new("s")), "ClientSecret(…)");
    }
}
