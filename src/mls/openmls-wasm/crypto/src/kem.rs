//! The key encapsulation of HPKE (RFC 9180, section 4.1) over X25519 and P-256.

use openmls_traits::types::{CryptoError, HpkeKemType};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::random::random;
use crate::symmetric::{expand, extract, Secret, HASH_BYTES};

/// Length of a private key, and of what a Diffie-Hellman gives, with both curves.
const SCALAR_BYTES: usize = 32;
const POINT_BYTES: usize = 65;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    X25519,
    P256,
}

/// Private keys are overwritten when they are dropped, by the crates that they come from.
pub enum KeyPair {
    X25519(StaticSecret),
    P256(p256::SecretKey),
}

impl KeyPair {
    pub fn private(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(match self {
            KeyPair::X25519(key) => key.to_bytes(),
            KeyPair::P256(key) => key.to_bytes().into(),
        })
    }

    pub fn public(&self) -> Vec<u8> {
        match self {
            KeyPair::X25519(key) => PublicKey::from(key).as_bytes().to_vec(),
            KeyPair::P256(key) => key.public_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    fn agree(&self, public: &[u8]) -> Result<Zeroizing<[u8; SCALAR_BYTES]>, CryptoError> {
        match self {
            KeyPair::X25519(key) => {
                let public: [u8; SCALAR_BYTES] = public.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
                let shared = key.diffie_hellman(&public.into());
                // RFC 9180, 7.1.4: the result must not be all zero.
                if !shared.was_contributory() {
                    return Err(CryptoError::InvalidPublicKey);
                }
                Ok(Zeroizing::new(shared.to_bytes()))
            }
            KeyPair::P256(key) => {
                if public.len() != POINT_BYTES {
                    return Err(CryptoError::InvalidPublicKey);
                }
                let public = p256::PublicKey::from_sec1_bytes(public).map_err(|_| CryptoError::InvalidPublicKey)?;
                Ok(Zeroizing::new((*key.diffie_hellman(&public).raw_secret_bytes()).into()))
            }
        }
    }
}

impl Kem {
    pub fn new(kem: HpkeKemType) -> Result<Self, CryptoError> {
        match kem {
            HpkeKemType::DhKem25519 => Ok(Kem::X25519),
            HpkeKemType::DhKemP256 => Ok(Kem::P256),
            _ => Err(CryptoError::UnsupportedCiphersuite),
        }
    }

    pub(super) fn id(self) -> [u8; 2] {
        match self {
            Kem::X25519 => [0x00, 0x20],
            Kem::P256 => [0x00, 0x10],
        }
    }

    fn suite(self) -> [u8; 5] {
        let [high, low] = self.id();
        [b'K', b'E', b'M', high, low]
    }

    pub fn key_pair(self, private: &[u8]) -> Result<KeyPair, CryptoError> {
        match self {
            Kem::X25519 => {
                let bytes =
                    Zeroizing::new(<[u8; SCALAR_BYTES]>::try_from(private).map_err(|_| CryptoError::InvalidLength)?);
                Ok(KeyPair::X25519(StaticSecret::from(*bytes)))
            }
            Kem::P256 => {
                // Shorter ones would be taken, too, and filled up.
                if private.len() != SCALAR_BYTES {
                    return Err(CryptoError::InvalidLength);
                }
                Ok(KeyPair::P256(p256::SecretKey::from_slice(private).map_err(|_| CryptoError::CryptoLibraryError)?))
            }
        }
    }

    pub fn generate(self) -> Result<KeyPair, CryptoError> {
        let mut bytes = Zeroizing::new([0; SCALAR_BYTES]);
        loop {
            random(bytes.as_mut())?;
            // One P-256 scalar in 2^32 is too large.
            if let Ok(pair) = self.key_pair(bytes.as_ref()) {
                return Ok(pair);
            }
        }
    }

    /// DeriveKeyPair of RFC 9180, section 7.1.3.
    pub fn derive(self, material: &[u8]) -> Result<KeyPair, CryptoError> {
        let secret = self.labeled_extract(&[], b"dkp_prk", material);
        let mut bytes = Zeroizing::new([0; SCALAR_BYTES]);
        match self {
            Kem::X25519 => {
                self.labeled_expand(&secret, b"sk", &[], bytes.as_mut())?;
                self.key_pair(bytes.as_ref())
            }
            Kem::P256 => {
                for counter in 0..=u8::MAX {
                    self.labeled_expand(&secret, b"candidate", &[&[counter]], bytes.as_mut())?;
                    if let Ok(pair) = self.key_pair(bytes.as_ref()) {
                        return Ok(pair);
                    }
                }
                Err(CryptoError::CryptoLibraryError)
            }
        }
    }

    /// A secret for the owner of a public key, and what lets that owner find it. The key pair must be a fresh one.
    pub(super) fn encapsulate(self, ephemeral: &KeyPair, recipient: &[u8]) -> Result<(Secret, Vec<u8>), CryptoError> {
        let encapsulated = ephemeral.public();
        let secret = self.shared(ephemeral, recipient, &encapsulated, recipient)?;
        Ok((secret, encapsulated))
    }

    pub(super) fn decapsulate(self, recipient: &KeyPair, encapsulated: &[u8]) -> Result<Secret, CryptoError> {
        self.shared(recipient, encapsulated, encapsulated, &recipient.public())
    }

    fn shared(self, own: &KeyPair, other: &[u8], encapsulated: &[u8], recipient: &[u8]) -> Result<Secret, CryptoError> {
        let agreed = own.agree(other)?;
        let secret = self.labeled_extract(&[], b"eae_prk", agreed.as_ref());
        let mut shared = Secret::default();
        self.labeled_expand(&secret, b"shared_secret", &[encapsulated, recipient], shared.as_mut())?;
        Ok(shared)
    }

    fn labeled_extract(self, salt: &[u8], label: &[u8], material: &[u8]) -> Secret {
        labeled_extract(&self.suite(), salt, label, material)
    }

    fn labeled_expand(
        self,
        secret: &[u8; HASH_BYTES],
        label: &[u8],
        info: &[&[u8]],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        labeled_expand(&self.suite(), secret, label, info, output)
    }
}

const VERSION: &[u8] = b"HPKE-v1";

/// LabeledExtract of RFC 9180, section 4.
pub(super) fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], material: &[u8]) -> Secret {
    extract(salt, &[VERSION, suite, label, material])
}

/// LabeledExpand of RFC 9180, section 4.
pub(super) fn labeled_expand(
    suite: &[u8],
    secret: &[u8; HASH_BYTES],
    label: &[u8],
    info: &[&[u8]],
    output: &mut [u8],
) -> Result<(), CryptoError> {
    let length = u16::try_from(output.len()).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?.to_be_bytes();
    let head: [&[u8]; 4] = [&length, VERSION, suite, label];
    expand(secret, &[&head, info].concat(), output)
}
