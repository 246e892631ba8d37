//! HPKE (RFC 9180) in base mode with one message per encapsulation, which is all that MLS uses of it.

use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType};
use zeroize::Zeroizing;

use crate::kem::{labeled_expand, labeled_extract, Kem, KeyPair};
use crate::symmetric::{open, seal, Secret, HASH_BYTES, KEY_BYTES, NONCE_BYTES};

const BASE_MODE: u8 = 0;

#[derive(Clone, Copy, Debug)]
pub struct Hpke {
    pub kem: Kem,
}

/// What both sides know after one encapsulation (section 5.1).
struct Context {
    hpke: Hpke,
    secret: Secret,
    /// key_schedule_context
    schedule: [u8; 1 + 2 * HASH_BYTES],
}

impl Context {
    fn new(hpke: Hpke, shared: &Secret, info: &[u8]) -> Self {
        let suite = hpke.suite();
        let mut schedule = [BASE_MODE; 1 + 2 * HASH_BYTES];
        let (no_psk, about) = schedule[1..].split_at_mut(HASH_BYTES);
        no_psk.copy_from_slice(labeled_extract(&suite, &[], b"psk_id_hash", &[]).as_ref());
        about.copy_from_slice(labeled_extract(&suite, &[], b"info_hash", info).as_ref());
        let secret = labeled_extract(&suite, shared.as_ref(), b"secret", &[]);
        Context { hpke, secret, schedule }
    }

    fn expand<const N: usize>(&self, label: &[u8]) -> Result<Zeroizing<[u8; N]>, CryptoError> {
        let mut output = Zeroizing::new([0; N]);
        labeled_expand(&self.hpke.suite(), &self.secret, label, &[&self.schedule], output.as_mut())?;
        Ok(output)
    }

    fn key(&self) -> Result<Zeroizing<[u8; KEY_BYTES]>, CryptoError> {
        self.expand(b"key")
    }

    /// Of the first message, and there is no other.
    fn nonce(&self) -> Result<Zeroizing<[u8; NONCE_BYTES]>, CryptoError> {
        self.expand(b"base_nonce")
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let secret = self.expand(b"exp")?;
        let mut output = Zeroizing::new(vec![0; length]);
        labeled_expand(&self.hpke.suite(), &secret, b"sec", &[context], &mut output)?;
        Ok(output)
    }
}

impl Hpke {
    pub fn new(HpkeConfig(kem, kdf, aead): HpkeConfig) -> Result<Self, CryptoError> {
        match (kdf, aead) {
            (HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128) => Ok(Hpke { kem: Kem::new(kem)? }),
            _ => Err(CryptoError::UnsupportedCiphersuite),
        }
    }

    /// "HPKE", and the numbers of the KEM, of HKDF-SHA256 and of AES-128-GCM.
    fn suite(self) -> [u8; 10] {
        let [high, low] = self.kem.id();
        [b'H', b'P', b'K', b'E', high, low, 0, 1, 0, 1]
    }

    /// The encapsulation and the ciphertext. The key pair must be a fresh one.
    pub fn seal(
        self,
        ephemeral: &KeyPair,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let (shared, encapsulated) = self.kem.encapsulate(ephemeral, recipient)?;
        let context = Context::new(self, &shared, info);
        let ciphertext = seal(context.key()?.as_ref(), context.nonce()?.as_ref(), aad, plaintext)?;
        Ok((encapsulated, ciphertext))
    }

    pub fn open(
        self,
        encapsulated: &[u8],
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let context = self.receiver(encapsulated, recipient, info)?;
        open(context.key()?.as_ref(), context.nonce()?.as_ref(), aad, ciphertext)
    }

    /// The encapsulation and a secret of the given length. The key pair must be a fresh one.
    pub fn send_export(
        self,
        ephemeral: &KeyPair,
        recipient: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), CryptoError> {
        let (shared, encapsulated) = self.kem.encapsulate(ephemeral, recipient)?;
        Ok((encapsulated, Context::new(self, &shared, info).export(context, length)?))
    }

    pub fn receive_export(
        self,
        encapsulated: &[u8],
        recipient: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.receiver(encapsulated, recipient, info)?.export(context, length)
    }

    fn receiver(self, encapsulated: &[u8], private: &[u8], info: &[u8]) -> Result<Context, CryptoError> {
        let shared = self.kem.decapsulate(&self.kem.key_pair(private)?, encapsulated)?;
        Ok(Context::new(self, &shared, info))
    }
}
