//! The secret half of a role's key (an nkey: Ed25519, the server knows the public half alone).

use std::fmt;

use fido_commands::ambient;
use nkeys::{KeyPair, KeyPairType};

/// What was given is no seed of a user. It may be a secret all the same, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no seed of a NATS user; it begins with SU and has 58 letters and digits")]
pub struct NoSeed;

/// A seed. Never shown, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    text: String,
    public_key: String,
}

impl Seed {
    /// A new one, which nobody can guess.
    ///
    /// # Errors
    /// [`NoSeed`], which randomness is always good enough to avoid.
    pub fn generate() -> Result<Self, NoSeed> {
        let pair = KeyPair::new_from_raw(KeyPairType::User, ambient::random());
        let text = pair.and_then(|pair| pair.seed()).map_err(|_| NoSeed)?;
        Self::parse(&text)
    }

    /// The seed that `text` is, white space around it aside.
    ///
    /// # Errors
    /// [`NoSeed`].
    pub fn parse(text: &str) -> Result<Self, NoSeed> {
        let text = text.trim();
        let pair = KeyPair::from_seed(text).map_err(|_| NoSeed)?;
        if !matches!(pair.key_pair_type(), KeyPairType::User) {
            return Err(NoSeed);
        }
        Ok(Self {
            text: text.to_owned(),
            public_key: pair.public_key(),
        })
    }

    /// What the server may know.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The secret itself, to be kept where only its role reads.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_back_and_never_shown() {
        let seed = Seed::generate().unwrap();
        assert_eq!(
            Seed::parse(&format!("{}\n", seed.expose())),
            Ok(seed.clone())
        );
        assert!(seed.public_key().starts_with('U'));
        assert!(!format!("{seed:?}").contains(seed.expose()));
        assert_ne!(Seed::generate().unwrap(), seed);
    }

    #[test]
    fn what_is_no_seed_of_a_user_is_refused() {
        let account = KeyPair::new_account().seed().unwrap();
        let public = Seed::generate().unwrap().public_key;
        for text in ["", "SUA", &account, &public] {
            assert_eq!(Seed::parse(text), Err(NoSeed));
        }
    }
}
