//! Signature keys of both suites: Ed25519, and ECDSA over P-256 with SHA-256 and DER.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ed25519_dalek::{Signer as _, Verifier as _};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{CryptoError, SignatureScheme};
use zeroize::Zeroizing;

use crate::random::random;

const PRIVATE_BYTES: usize = 32;

/// A private key as its crate uses it, with the public one; reading it anew for each signature would take as long as the
/// signature itself. It is overwritten when it is dropped, by the crate that it comes from.
enum Private {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

pub struct SignatureKey(Private);

impl SignatureKey {
    pub fn generate(scheme: SignatureScheme) -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; PRIVATE_BYTES]);
        loop {
            random(bytes.as_mut())?;
            match Self::new(scheme, bytes.as_ref()) {
                // One P-256 scalar in 2^32 is too large.
                Err(CryptoError::CryptoLibraryError) => {}
                key => return key,
            }
        }
    }

    /// An Ed25519 seed or a P-256 scalar, 32 bytes each.
    pub fn new(scheme: SignatureScheme, private: &[u8]) -> Result<Self, CryptoError> {
        let private =
            private.try_into().map(Zeroizing::<[u8; PRIVATE_BYTES]>::new).map_err(|_| CryptoError::InvalidLength)?;
        Ok(SignatureKey(match scheme {
            SignatureScheme::ED25519 => Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(&private)),
            SignatureScheme::ECDSA_SECP256R1_SHA256 => Private::P256(
                p256::ecdsa::SigningKey::from_slice(private.as_ref()).map_err(|_| CryptoError::CryptoLibraryError)?,
            ),
            _ => return Err(CryptoError::UnsupportedSignatureScheme),
        }))
    }

    pub fn private(&self) -> Zeroizing<[u8; PRIVATE_BYTES]> {
        Zeroizing::new(match &self.0 {
            Private::Ed25519(key) => key.to_bytes(),
            Private::P256(key) => key.to_bytes().into(),
        })
    }

    /// Ed25519: 32 bytes; P-256: the uncompressed point of 65.
    pub fn public(&self) -> Vec<u8> {
        match &self.0 {
            Private::Ed25519(key) => key.verifying_key().as_bytes().to_vec(),
            Private::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// Ed25519: 64 bytes; ECDSA: DER.
    pub fn signature(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match &self.0 {
            Private::Ed25519(key) => Ok(key.sign(data).to_bytes().to_vec()),
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(data).map_err(|_| CryptoError::SigningError)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}

impl Signer for SignatureKey {
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.signature(data).map_err(SignerError::CryptoError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        match &self.0 {
            Private::Ed25519(_) => SignatureScheme::ED25519,
            Private::P256(_) => SignatureScheme::ECDSA_SECP256R1_SHA256,
        }
    }
}

/// Members of a group that speak at about the same time; 200 bytes each.
pub const REMEMBERED_KEYS: usize = 64;

/// Checks signatures, and remembers the points that Ed25519 keys stand for: with each message of a member one would be
/// computed again.
#[derive(Default)]
pub struct Verifier {
    points: Mutex<BTreeMap<[u8; 32], ed25519_dalek::VerifyingKey>>,
}

impl Verifier {
    pub fn verify(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match scheme {
            SignatureScheme::ED25519 => {
                let signature = signature.try_into().map_err(|_| CryptoError::InvalidSignature)?;
                self.point(public)?.verify(data, &signature).map_err(|_| CryptoError::InvalidSignature)
            }
            SignatureScheme::ECDSA_SECP256R1_SHA256 => {
                let key =
                    p256::ecdsa::VerifyingKey::from_sec1_bytes(public).map_err(|_| CryptoError::InvalidPublicKey)?;
                let signature =
                    p256::ecdsa::Signature::from_der(signature).map_err(|_| CryptoError::InvalidSignature)?;
                key.verify(data, &signature).map_err(|_| CryptoError::InvalidSignature)
            }
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    /// Keys of small order are refused: a signature by one holds for more than one text.
    fn point(&self, public: &[u8]) -> Result<ed25519_dalek::VerifyingKey, CryptoError> {
        let bytes = <[u8; 32]>::try_from(public).map_err(|_| CryptoError::InvalidPublicKey)?;
        let mut points = self.points.lock().map_err(|_| CryptoError::CryptoLibraryError)?;
        if let Some(key) = points.get(&bytes) {
            return Ok(*key);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| CryptoError::InvalidPublicKey)?;
        if key.is_weak() {
            return Err(CryptoError::InvalidPublicKey);
        }
        if points.len() == REMEMBERED_KEYS {
            points.clear();
        }
        points.insert(bytes, key);
        Ok(key)
    }
}
