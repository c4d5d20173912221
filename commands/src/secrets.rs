//! The master key, and encryption with keys. No key is ever shown.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::ambient;

/// A key of 32 bytes, for XChaCha20-Poly1305 or HMAC-SHA-256.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

/// Something encrypted that this key does not open: another key's, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not encrypted with this key, or it was changed since")]
pub struct NotOpened;

/// The length of a nonce. At 24 bytes a random one never repeats in practice.
const NONCE: usize = 24;

impl Key {
    pub(crate) fn generate() -> Self {
        Self(ambient::random())
    }

    /// Encrypts `content` (XChaCha20-Poly1305): a random nonce, then the ciphertext with its tag.
    /// It only opens together with the same `context`.
    pub(crate) fn encrypt(&self, context: &[&str], content: &[u8]) -> Vec<u8> {
        let nonce = ambient::random::<NONCE>();
        let payload = Payload {
            msg: content,
            aad: &joined(context),
        };
        #[expect(clippy::expect_used, reason = "fails beyond 256 GiB only")]
        let encrypted = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(&XNonce::from(nonce), payload)
            .expect("content of bounded length");
        [nonce.as_slice(), &encrypted].concat()
    }

    /// What [`encrypt`](Self::encrypt) was given.
    pub(crate) fn decrypt(&self, context: &[&str], encrypted: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (nonce, msg) = encrypted.split_first_chunk::<NONCE>().ok_or(NotOpened)?;
        let payload = Payload {
            msg,
            aad: &joined(context),
        };
        XChaCha20Poly1305::new(&self.0.into())
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| NotOpened)
    }

    /// The key encrypted, for keeping.
    pub(crate) fn wrap(&self, context: &[&str], key: &Self) -> Vec<u8> {
        self.encrypt(context, &key.0)
    }

    /// The key that [`wrap`](Self::wrap) was given.
    pub(crate) fn unwrap(&self, context: &[&str], wrapped: &[u8]) -> Result<Self, NotOpened> {
        let key = self.decrypt(context, wrapped)?;
        key.try_into().map(Self).map_err(|_| NotOpened)
    }

    /// HMAC-SHA-256 over `parts`, each with its length before it.
    pub(crate) fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("a key of 32 bytes");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// The parts with the length of each before it, so that no two lists of parts are the same bytes.
fn joined(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The secret that everything kept secret by Fido hangs on.
#[derive(Clone, Debug)]
pub struct MasterKey(Key);

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
        Ok(Self(Key(key)))
    }

    /// A new one, as text to be kept in a file that only its owner can read.
    pub fn generate() -> String {
        hex::encode(ambient::random::<32>())
    }

    /// A name for it that gives nothing away, to tell which master key has wrapped what.
    pub fn id(&self) -> String {
        hex::encode(&self.0.hash(&[b"id"])[..8])
    }

    pub(crate) fn key(&self) -> &Key {
        &self.0
    }
}

/// The master key in use, and while it is being rotated the one before.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    /// Wraps everything that is wrapped from now on.
    pub current: MasterKey,
    /// Still opens what it has wrapped.
    pub previous: Option<MasterKey>,
}

impl MasterKeys {
    /// The one of the two that is called `id`.
    pub(crate) fn named(&self, id: &str) -> Option<&MasterKey> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.id() == id)
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            previous: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_opens_with_the_same_key_and_context_alone() {
        let (key, other) = (Key::generate(), Key::generate());
        let encrypted = key.encrypt(&["a", "bc"], b"hello");
        assert_eq!(key.decrypt(&["a", "bc"], &encrypted), Ok(b"hello".to_vec()));
        assert_eq!(key.decrypt(&["ab", "c"], &encrypted), Err(NotOpened));
        assert_eq!(other.decrypt(&["a", "bc"], &encrypted), Err(NotOpened));
        assert_ne!(key.encrypt(&["a", "bc"], b"hello"), encrypted);
        let mut changed = encrypted.clone();
        changed[NONCE] ^= 1;
        assert_eq!(key.decrypt(&["a", "bc"], &changed), Err(NotOpened));
        for length in 0..encrypted.len() {
            assert_eq!(
                key.decrypt(&["a", "bc"], &encrypted[..length]),
                Err(NotOpened)
            );
        }
    }

    #[test]
    fn a_hash_depends_on_key_and_every_part() {
        let (key, other) = (Key::generate(), Key::generate());
        let hash = key.hash(&[b"email", b"ada@example.com"]);
        assert_eq!(hash, key.hash(&[b"email", b"ada@example.com"]));
        assert_ne!(hash, key.hash(&[b"emai", b"lada@example.com"]));
        assert_ne!(hash, other.hash(&[b"email", b"ada@example.com"]));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        assert!(MasterKey::parse("abc").is_err());
        assert!(MasterKey::parse(&"g".repeat(64)).is_err());
        let key = MasterKey::parse(&"0f".repeat(32)).unwrap();
        assert_eq!(key.id(), MasterKey::parse(&"0F".repeat(32)).unwrap().id());
    }
}
