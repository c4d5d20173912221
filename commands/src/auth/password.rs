//! Passwords: what is accepted as one, and argon2id off the async threads.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Error, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
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

/// Memory of one hash in KiB, passes over it, and lanes: OWASP's first choice for argon2id
/// (Password Storage Cheat Sheet). A hash carries its own, so that they can be raised later.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many may wait for each thread that hashes: about two seconds of work.
const WAITING: usize = 64;

/// Hashes on blocking threads, on half of the processors: a crowd that signs in waits its turn
/// instead of taking every core and 19 MiB each, and when too many wait, the next is sent away.
#[derive(Clone)]
pub(super) struct Hasher {
    /// Everybody who hashes or waits to.
    places: Arc<Semaphore>,
    /// Those who hash.
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (processors / 2).max(1);
        Self::with(threads, threads * (1 + WAITING))
    }

    fn with(threads: usize, places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(threads)),
        }
    }

    /// The argon2id hash in PHC form.
    pub(super) async fn hash(&self, password: Password) -> Result<String, AuthError> {
        self.blocking(move || hashed(&password)).await
    }

    /// Whether `password` is the one behind `hash`. Without a hash the same work is done for nothing.
    pub(super) async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, AuthError> {
        self.blocking(move || {
            let Some(hash) = hash else {
                hashed(&password)?;
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
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| AuthError::Busy)?;
        // Never closed, and given back when the work is done, not when nobody waits for it any more.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        })
        .await
        .map_err(|_| AuthError::Hash(Error::Crypto))?
        .map_err(AuthError::Hash)
    }
}

fn hashed(password: &Password) -> Result<String, Error> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let salt = SaltString::generate(&mut OsRng);
    let hash = argon2.hash_password(password.0.as_bytes(), &salt)?;
    Ok(hash.to_string())
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

    #[test]
    fn the_hash_says_how_it_was_made() {
        let hash = hashed(&Password::parse("correct horse").unwrap()).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
    }

    #[tokio::test]
    async fn who_finds_no_place_is_sent_away_at_once_and_who_waits_is_served() {
        let hasher = Hasher::with(1, 3);
        let turn = Arc::clone(&hasher.turns).acquire_owned().await.unwrap();
        let hash = || hasher.hash(Password::parse("correct horse").unwrap());
        let mut waiting = std::pin::pin!(futures::future::join3(hash(), hash(), hash()));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(matches!(hash().await, Err(AuthError::Busy)));
        drop(turn);
        let (one, two, three) = waiting.await;
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert!(hash().await.is_ok(), "there is room again");
    }

    #[tokio::test]
    async fn whoever_goes_away_does_not_make_room_for_more_than_can_be_hashed() {
        let hasher = Hasher::with(1, 1);
        let (begun, is_begun) = std::sync::mpsc::channel::<()>();
        let (end, is_to_end) = std::sync::mpsc::channel::<()>();
        let working = hasher.blocking(move || {
            begun.send(()).ok();
            is_to_end.recv().ok();
            Ok(())
        });
        {
            let mut working = std::pin::pin!(working);
            while is_begun.try_recv().is_err() {
                assert!(futures::poll!(&mut working).is_pending());
                tokio::task::yield_now().await;
            }
        }
        let hash = || hasher.hash(Password::parse("correct horse").unwrap());
        assert!(matches!(hash().await, Err(AuthError::Busy)));
        end.send(()).unwrap();
        while hasher.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(hash().await.is_ok());
    }
}
