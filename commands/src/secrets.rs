//! The master key, and the keyed hashes made with it. Neither is ever shown.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The secret that everything kept secret by Fido hangs on.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// A text that is not a master key.
#[derive(Debug, thiserror::Error)]
#[error(
    "the master key must be 64 hexadecimal digits (32 bytes); make one with: openssl rand -hex 32"
)]
pub struct NotAMasterKey;

impl MasterKey {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`NotAMasterKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAMasterKey> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| NotAMasterKey)?;
        Ok(Self(key))
    }

    /// A new one, as text to be kept in a file that only its owner can read.
    pub fn generate() -> String {
        hex::encode(crate::ambient::secret_bytes())
    }

    /// The keyed hash (HMAC-SHA-256) under which `value` is claimed: equal values are recognised,
    /// and nobody without the key can try out which value it is.
    pub fn claim_hash(&self, kind: &str, value: &str) -> Vec<u8> {
        self.hmac(&["claim", kind, value])
    }

    fn hmac(&self, parts: &[&str]) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().to_vec()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_depends_on_key_kind_and_value() {
        let key = MasterKey::parse(&MasterKey::generate()).unwrap();
        let other = MasterKey::parse(&MasterKey::generate()).unwrap();
        let hash = key.claim_hash("email", "ada@example.com");
        assert_eq!(hash, key.claim_hash("email", "ada@example.com"));
        assert_ne!(hash, key.claim_hash("email", "bob@example.com"));
        assert_ne!(hash, key.claim_hash("emai", "lada@example.com"));
        assert_ne!(hash, other.claim_hash("email", "ada@example.com"));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        assert!(MasterKey::parse("abc").is_err());
        assert!(MasterKey::parse(&"g".repeat(64)).is_err());
        assert!(MasterKey::parse(&"0f".repeat(32)).is_ok());
    }
}
