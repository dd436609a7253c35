//! What is done with the key of an installation: values are sealed at rest, and hashed so that only this installation can
//! compare them.

use crate::value::text::hex;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of the random part in front of each sealed value.
const NONCE_BYTES: usize = 24;
/// Rounds that a passphrase is hashed: some tenths of a second once at the start, and for each guess.
const ROUNDS: u32 = 100_000;

type HmacSha256 = Hmac<Sha256>;

/// PBKDF2 with one block, which is all that 32 bytes need.
///
/// Source: RFC 8018, section 5.2.
fn stretch(passphrase: &[u8], salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let keyed = mac(passphrase);
    let mut first = keyed.clone();
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let mut round: [u8; 32] = first.finalize().into_bytes().into();
    let mut sum = Zeroizing::new(round);
    for _ in 1..ROUNDS {
        let mut next = keyed.clone();
        next.update(&round);
        round = next.finalize().into_bytes().into();
        for (s, r) in sum.iter_mut().zip(round) {
            *s ^= r;
        }
    }
    sum
}

fn derive(master: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = mac(master);
    mac.update(purpose);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn mac(key: &[u8]) -> HmacSha256 {
    <HmacSha256 as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Seals, opens and hashes.
pub(super) struct Seal {
    sealing: Zeroizing<[u8; 32]>,
    hashing: Zeroizing<[u8; 32]>,
}

impl Seal {
    /// Of a key.
    pub(super) fn of(key: &[u8; 32]) -> Self {
        Self { sealing: derive(key, b"flowc sealing 1"), hashing: derive(key, b"flowc hashing 1") }
    }

    /// Of a passphrase, in a store with this salt.
    pub(super) fn of_passphrase(passphrase: &str, salt: &[u8; 16]) -> Self {
        Self::of(&stretch(passphrase.as_bytes(), salt))
    }

    /// Seals a value; `place` is the table it stands in, so that it opens nowhere else.
    pub(super) fn close(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .expect("a value that fits in memory is shorter than the cipher's limit");
        let mut out = Vec::with_capacity(NONCE_BYTES + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens a value; none when it was sealed with another key, for another place, or has been changed.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }

    /// 32 hex digits that only this key makes of this text.
    pub(super) fn hash(&self, text: &str) -> String {
        let mut mac = mac(&*self.hashing);
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes()[..16])
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(&*self.sealing).expect("the key has the cipher's 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use crate::store::key::Key;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_place_only() {
        let salt = [7; 16];
        let seal = Key::from_text("a passphrase").open(&salt);
        let sealed = seal.close("tokens", b"secret");
        assert_eq!(seal.open("tokens", &sealed).unwrap().as_slice(), b"secret");
        assert!(seal.open("log", &sealed).is_none());
        assert!(Key::from_text("another").open(&salt).open("tokens", &sealed).is_none());
        assert!(Key::from_text("a passphrase").open(&[8; 16]).open("tokens", &sealed).is_none());
        assert!(seal.open("tokens", &sealed[..10]).is_none());
        assert_ne!(seal.close("tokens", b"secret"), sealed);
    }
}
