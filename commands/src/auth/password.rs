//! Passwords: what is accepted as one, and argon2id off the async threads.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Error, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::AuthError;

/// A password as typed: 8 to 256 characters. Never stored, never shown.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

/// Why a text was not accepted as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 8 characters.
    #[error("must have at least 8 characters")]
    TooShort,
    /// More than 256 characters.
    #[error("must have at most 256 characters")]
    TooLong,
    /// U+0000.
    #[error("must not contain the NUL character (U+0000)")]
    Nul,
}

impl Password {
    /// Accepts 8 to 256 characters (NIST SP 800-63B 5.1.1.2 asks for 8 at least, 64 allowed).
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn parse(password: impl Into<String>) -> Result<Self, PasswordError> {
        let password = password.into();
        if password.contains('\0') {
            return Err(PasswordError::Nul);
        }
        match password.chars().count() {
            0..8 => Err(PasswordError::TooShort),
            8..=256 => Ok(Self(password)),
            _ => Err(PasswordError::TooLong),
        }
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordError;

    fn try_from(password: String) -> Result<Self, PasswordError> {
        Self::parse(password)
    }
}

impl JsonSchema for Password {
    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "password", "minLength": 8, "maxLength": 256,
            "pattern": r"^[^\u0000]*$",
        })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Hashes on blocking threads, no more at a time than there are processors: a crowd that signs in
/// waits its turn instead of taking every core and 19 MiB each.
#[derive(Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(processors)),
        }
    }

    /// The argon2id hash (OWASP's parameters, which are the crate's defaults) in PHC form.
    pub(super) async fn hash(&self, password: Password) -> Result<String, AuthError> {
        self.blocking(move || {
            let salt = SaltString::generate(&mut OsRng);
            Ok(Argon2::default()
                .hash_password(password.0.as_bytes(), &salt)?
                .to_string())
        })
        .await
    }

    /// Whether `password` is the one behind `hash`. Without a hash the same work is done for nothing.
    pub(super) async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, AuthError> {
        self.blocking(move || {
            let Some(hash) = hash else {
                let salt = SaltString::generate(&mut OsRng);
                Argon2::default().hash_password(password.0.as_bytes(), &salt)?;
                return Ok(false);
            };
            let hash = PasswordHash::new(&hash)?;
            match Argon2::default().verify_password(password.0.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(Error::Password) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, AuthError> {
        // The semaphore is never closed, and the work neither panics nor is cancelled.
        let _turn = self.turns.acquire().await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| AuthError::Hash(Error::Crypto))?
            .map_err(AuthError::Hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_256_characters() {
        assert_eq!(
            Password::parse("1234567").err(),
            Some(PasswordError::TooShort)
        );
        assert!(Password::parse("12345678").is_ok());
        assert_eq!(
            Password::parse("x".repeat(257)).err(),
            Some(PasswordError::TooLong)
        );
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let hasher = Hasher::new();
        let password = |text: &str| Password::parse(text).unwrap();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let verify =
            |text: &str, hash: Option<&String>| hasher.verify(password(text), hash.cloned());
        assert!(verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!verify("battery staple", Some(&hash)).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
    }
}
