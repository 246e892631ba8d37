//! What is refused, what is fresh, and what the memory of keys must not change.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::Signer;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType, SignatureScheme,
};
use openmls_wasm_crypto::signature::{SignatureKey, REMEMBERED_KEYS};
use openmls_wasm_crypto::Provider;

const SCHEMES: [SignatureScheme; 2] = [SignatureScheme::ED25519, SignatureScheme::ECDSA_SECP256R1_SHA256];
const KEMS: [HpkeKemType; 2] = [HpkeKemType::DhKem25519, HpkeKemType::DhKemP256];

fn config(kem: HpkeKemType) -> HpkeConfig {
    HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128)
}

#[test]
fn two_suites_and_no_more() {
    let crypto = Provider::default();
    let suites = crypto.supported_ciphersuites();
    assert_eq!(suites.iter().map(|suite| u16::from(*suite)).collect::<Vec<_>>(), [1, 2]);
    assert!(suites.into_iter().all(|suite| crypto.supports(suite).is_ok()));
    let chacha = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    assert_eq!(crypto.supports(chacha), Err(CryptoError::UnsupportedCiphersuite));
    assert_eq!(crypto.hash(HashType::Sha2_512, b"").unwrap_err(), CryptoError::UnsupportedHashAlgorithm);
    let aes256 = crypto.aead_encrypt(AeadType::Aes256Gcm, &[0; 32], b"", &[0; 12], b"");
    assert_eq!(aes256.unwrap_err(), CryptoError::UnsupportedAeadAlgorithm);
    let p384 = crypto.signature_key_gen(SignatureScheme::ECDSA_SECP384R1_SHA384);
    assert_eq!(p384.unwrap_err(), CryptoError::UnsupportedSignatureScheme);
    let x448 = crypto.derive_hpke_keypair(config(HpkeKemType::DhKem448), &[0; 56]);
    assert!(matches!(x448, Err(CryptoError::UnsupportedCiphersuite)));
}

#[test]
fn new_signature_keys_sign_and_differ() {
    let crypto = Provider::default();
    for scheme in SCHEMES {
        let (private, public) = crypto.signature_key_gen(scheme).unwrap();
        let (_, other) = crypto.signature_key_gen(scheme).unwrap();
        assert_ne!(public, other);
        let key = SignatureKey::new(scheme, &private).unwrap();
        assert_eq!((key.public(), key.signature_scheme()), (public.clone(), scheme));
        let signature = key.sign(b"text").unwrap();
        crypto.verify_signature(scheme, b"text", &public, &signature).unwrap();
        assert!(crypto.verify_signature(scheme, b"text", &other, &signature).is_err());
        assert!(SignatureKey::new(scheme, &private[1..]).is_err());
    }
}

#[test]
fn an_ed25519_key_of_small_order_is_refused() {
    let crypto = Provider::default();
    // The neutral element: with it, this "signature" would hold for every text.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let signature = [neutral, [0; 32]].concat();
    let outcome = crypto.verify_signature(SignatureScheme::ED25519, b"any", &neutral, &signature);
    assert_eq!(outcome.unwrap_err(), CryptoError::InvalidPublicKey);
}

#[test]
fn more_keys_than_are_remembered_still_verify() {
    let crypto = Provider::default();
    let keys: Vec<_> = (0..REMEMBERED_KEYS + 6)
        .map(|n| {
            let mut seed = [7; 32];
            seed[0] = n as u8;
            SignatureKey::new(SignatureScheme::ED25519, &seed).unwrap()
        })
        .collect();
    for (n, key) in keys.iter().chain(&keys[..3]).enumerate() {
        let signature = key.signature(b"text").unwrap();
        crypto.verify_signature(SignatureScheme::ED25519, b"text", &key.public(), &signature).unwrap();
        let other = &keys[(n + 1) % keys.len()];
        assert!(crypto.verify_signature(SignatureScheme::ED25519, b"text", &other.public(), &signature).is_err());
    }
}

#[test]
fn each_encapsulation_is_fresh_and_opens_once_put_together() {
    let crypto = Provider::default();
    for kem in KEMS {
        let pair = crypto.derive_hpke_keypair(config(kem), &[3; 32]).unwrap();
        let seal = || crypto.hpke_seal(config(kem), &pair.public, b"info", b"aad", b"text").unwrap();
        let (one, two) = (seal(), seal());
        assert_ne!(one.kem_output, two.kem_output);
        for sealed in [one, two] {
            let opened = crypto.hpke_open(config(kem), &sealed, &pair.private, b"info", b"aad").unwrap();
            assert_eq!(opened, b"text");
            let other = crypto.hpke_open(config(kem), &sealed, &[9; 32], b"info", b"aad");
            assert_eq!(other.unwrap_err(), CryptoError::HpkeDecryptionError);
        }
        let (encapsulated, sent) =
            crypto.hpke_setup_sender_and_export(config(kem), &pair.public, b"i", b"c", 40).unwrap();
        let received =
            crypto.hpke_setup_receiver_and_export(config(kem), &encapsulated, &pair.private, b"i", b"c", 40).unwrap();
        assert_eq!(sent.len(), 40);
        assert_eq!(&*sent, &*received);
    }
}

#[test]
fn points_that_are_none_are_refused() {
    let crypto = Provider::default();
    let seal = |kem, public: &[u8]| crypto.hpke_seal(config(kem), public, b"", b"", b"");
    // Zero has small order, so the agreed secret would be zero.
    for public in [&[0; 32][..], &[1; 31], &[]] {
        assert_eq!(seal(HpkeKemType::DhKem25519, public).unwrap_err(), CryptoError::InvalidPublicKey);
    }
    let public = crypto.derive_hpke_keypair(config(HpkeKemType::DhKemP256), &[3; 32]).unwrap().public;
    let mut off_curve = public.clone();
    off_curve[64] ^= 1;
    let compressed = [&[2 + (public[64] & 1)], &public[1..33]].concat();
    for public in [off_curve, compressed, vec![0], vec![]] {
        assert_eq!(seal(HpkeKemType::DhKemP256, &public).unwrap_err(), CryptoError::InvalidPublicKey);
    }
}

#[test]
fn random_values_are_never_handed_out_twice() {
    let crypto = Provider::default();
    // Across several refills of the supply, with and without a rest.
    let eights: std::collections::BTreeSet<[u8; 8]> = (0..500).map(|_| crypto.random_array().unwrap()).collect();
    let twelves: std::collections::BTreeSet<[u8; 12]> = (0..500).map(|_| crypto.random_array().unwrap()).collect();
    let keys: std::collections::BTreeSet<[u8; 32]> = (0..50).map(|_| crypto.random_array().unwrap()).collect();
    assert_eq!((eights.len(), twelves.len(), keys.len()), (500, 500, 50));
    assert_eq!(crypto.random_vec(48).unwrap().len(), 48);
    assert_ne!(crypto.random_vec(48).unwrap(), crypto.random_vec(48).unwrap());
}
