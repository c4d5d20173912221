//! Who else can say who somebody is (OpenID Connect).

use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Args;
use fido_api::{ClientSecret, Oidc, OidcSettings, ProviderSettings, Url};
use fido_domain::account::ProviderName;

use super::secrets;

/// How people may sign in with what others vouch for.
#[derive(Debug, Clone, Args)]
pub struct OidcArgs {
    /// All providers (OpenID Connect) that people can sign in with, separated by spaces. What each
    /// calls this installation is in FIDO_OIDC_NAME_CLIENT_ID, and the secret, if there is one, in
    /// FIDO_OIDC_NAME_CLIENT_SECRET (or ..._FILE).
    #[arg(long, env = "FIDO_OIDC", value_name = "NAME=ISSUER …")]
    oidc: Option<List<Issuer>>,
    /// Where browsers reach this API: scheme, host and port. A provider sends them back to
    /// URL/v1/auth/oidc/NAME/callback.
    #[arg(long, env = "FIDO_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,
    /// Where else a browser may be sent after signing in, separated by spaces: scheme, host and port
    /// each.
    #[arg(long, env = "FIDO_RETURN_ORIGINS", value_name = "URL …")]
    return_origins: Option<List<Url>>,
}

impl OidcArgs {
    /// The providers, with their secrets. `reached_at` is where browsers reach this API when nothing
    /// else is said.
    ///
    /// # Errors
    /// When something that a provider needs is missing, or cannot be right.
    pub fn resolve(&self, reached_at: Option<Url>) -> Result<Oidc> {
        let issuers = self.oidc.as_ref().map(|List(issuers)| issuers.as_slice());
        let issuers = issuers.unwrap_or_default();
        if issuers.is_empty() {
            return Ok(Oidc::default());
        }
        let public_url = self.public_url.clone().or(reached_at);
        let origins = self.return_origins.clone().map(|List(origins)| origins);
        let settings = OidcSettings {
            providers: issuers.iter().map(provider).collect::<Result<_>>()?,
            public_url: public_url.context("FIDO_OIDC needs FIDO_PUBLIC_URL")?,
            return_origins: origins.unwrap_or_default(),
        };
        Ok(Oidc::try_new(settings)?)
    }
}

fn provider(Issuer { name, url }: &Issuer) -> Result<ProviderSettings> {
    let variable = |what: &str| {
        let name = name.as_str().to_ascii_uppercase().replace('-', "_");
        format!("FIDO_OIDC_{name}_{what}")
    };
    let id = variable("CLIENT_ID");
    let secret = secrets::secret(&variable("CLIENT_SECRET"))?;
    Ok(ProviderSettings {
        name: name.clone(),
        issuer: url.clone(),
        client_id: secrets::secret(&id)?.with_context(|| format!("{id} is not set"))?,
        client_secret: secret.map(ClientSecret::new),
    })
}

/// `NAME=ISSUER`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Issuer {
    name: ProviderName,
    url: String,
}

impl FromStr for Issuer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, url) = text.split_once('=').ok_or("must be NAME=ISSUER")?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.chars().all(fits) {
            return Err("a provider's name is made of small letters, digits and -".to_owned());
        }
        Ok(Self {
            name: ProviderName::parse(name).map_err(|error| error.to_string())?,
            url: url.to_owned(),
        })
    }
}

/// Items with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct List<T>(Vec<T>);

impl<T: FromStr> FromStr for List<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let list: Result<_, _> = text.split_whitespace().map(str::parse).collect();
        list.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        oidc: OidcArgs,
    }

    fn parsed(list: &str) -> Option<Vec<String>> {
        let command = Command::try_parse_from(["fido", "--oidc", list]).ok()?;
        let List(issuers) = command.oidc.oidc?;
        let shown = |issuer: Issuer| format!("{}={}", issuer.name, issuer.url);
        Some(issuers.into_iter().map(shown).collect())
    }

    #[test]
    fn providers_are_a_list_of_names_and_issuers() {
        let two = parsed(" google=https://accounts.google.com\n my-own=https://id.example/a ");
        let google = "google=https://accounts.google.com";
        assert_eq!(two.unwrap(), [google, "my-own=https://id.example/a"]);
        assert_eq!(parsed("").unwrap(), [""; 0]);
        for wrong in [
            "google",
            "=https://a.example",
            "a/b=https://a.example",
            "A=https://a",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn without_providers_nothing_is_needed() {
        let command = Command::try_parse_from(["fido"]).unwrap();
        assert!(command.oidc.resolve(None).is_ok());
    }
}
