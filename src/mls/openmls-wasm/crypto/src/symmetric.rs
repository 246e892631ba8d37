//! HKDF and AEAD of both suites: HKDF-SHA256 and AES-128-GCM.

use aes_gcm::aead::{Aead, Nonce, Payload};
use aes_gcm::{Aes128Gcm, KeyInit};
use hkdf::{Hkdf, HkdfExtract};
use openmls_traits::types::CryptoError;
use sha2::Sha256;
use zeroize::Zeroizing;

pub const HASH_BYTES: usize = 32;
pub const KEY_BYTES: usize = 16;
pub const NONCE_BYTES: usize = 12;

pub type Secret = Zeroizing<[u8; HASH_BYTES]>;

/// The input in parts, so that secrets need not be copied together.
pub fn extract(salt: &[u8], parts: &[&[u8]]) -> Secret {
    let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
    for part in parts {
        extract.input_ikm(part);
    }
    Zeroizing::new(extract.finalize().0.into())
}

/// Fills `output`. Fails if the secret is shorter than a hash or the output longer than 255 of them.
pub fn expand(secret: &[u8], info: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
    Hkdf::<Sha256>::from_prk(secret)
        .map_err(|_| CryptoError::InvalidLength)?
        .expand_multi_info(info, output)
        .map_err(|_| CryptoError::HkdfOutputLengthInvalid)
}

fn cipher(key: &[u8]) -> Result<Aes128Gcm, CryptoError> {
    Aes128Gcm::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)
}

fn nonce(bytes: &[u8]) -> Result<&Nonce<Aes128Gcm>, CryptoError> {
    bytes.try_into().map_err(|_| CryptoError::InvalidLength)
}

pub fn seal(key: &[u8], nonce_bytes: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    cipher(key)?
        .encrypt(nonce(nonce_bytes)?, Payload { msg: plaintext, aad })
        .map_err(|_| CryptoError::CryptoLibraryError)
}

pub fn open(key: &[u8], nonce_bytes: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    cipher(key)?
        .decrypt(nonce(nonce_bytes)?, Payload { msg: ciphertext, aad })
        .map_err(|_| CryptoError::AeadDecryptionError)
}
