//! Published test vectors, through the face that OpenMLS uses wherever it has no randomness in it.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, CryptoError, HashType, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType, SignatureScheme,
};
use openmls_wasm_crypto::hpke::Hpke;
use openmls_wasm_crypto::signature::SignatureKey;
use openmls_wasm_crypto::Provider;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn flipped(bytes: &[u8], position: usize) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    copy[position] ^= 1;
    copy
}

#[test]
fn ed25519_of_rfc_8032() {
    // Section 7.1, tests 1, 2 and 3.
    for (private, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            concat!(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b",
                "d25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            concat!(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c",
                "387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            concat!(
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659",
                "4a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ] {
        let (public, message, signature) = (hex(public), hex(message), hex(signature));
        let scheme = SignatureScheme::ED25519;
        let key = SignatureKey::new(scheme, &hex(private)).unwrap();
        assert_eq!(key.public(), public);
        assert_eq!(key.signature(&message).unwrap(), signature);
        let crypto = Provider::default();
        assert_eq!(crypto.sign(scheme, &message, &hex(private)).unwrap(), signature);
        // Twice: the second time the key is known.
        for _ in 0..2 {
            crypto.verify_signature(scheme, &message, &public, &signature).unwrap();
            for position in 0..signature.len() {
                let forged = flipped(&signature, position);
                let refused = crypto.verify_signature(scheme, &message, &public, &forged);
                assert_eq!(refused.unwrap_err(), CryptoError::InvalidSignature);
            }
            assert!(crypto.verify_signature(scheme, b"another", &public, &signature).is_err());
            assert!(crypto.verify_signature(scheme, &message, &public, &signature[1..]).is_err());
        }
    }
}

#[test]
fn p256_of_rfc_6979() {
    // Section A.2.5, SHA-256; DER around the two numbers that stand there.
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let private = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let key = SignatureKey::new(scheme, &private).unwrap();
    let crypto = Provider::default();
    for (message, signature) in [
        (
            b"sample".as_slice(),
            concat!(
                "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
            ),
        ),
        (
            b"test",
            concat!(
                "3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
                "0220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
            ),
        ),
    ] {
        let signature = hex(signature);
        assert_eq!(key.signature(message).unwrap(), signature);
        crypto.verify_signature(scheme, message, &key.public(), &signature).unwrap();
        assert!(crypto.verify_signature(scheme, b"another", &key.public(), &signature).is_err());
        assert!(crypto.verify_signature(scheme, message, &key.public(), &flipped(&signature, 20)).is_err());
    }
}

#[test]
fn hkdf_of_rfc_5869() {
    // Appendix A.1 and A.3.
    let crypto = Provider::default();
    for (ikm, salt, info, length, prk, okm) in [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "",
            "",
            42,
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ] {
        let extracted = crypto.hkdf_extract(HashType::Sha2_256, &hex(salt), &hex(ikm)).unwrap();
        assert_eq!(extracted.as_slice(), hex(prk));
        let expanded = crypto.hkdf_expand(HashType::Sha2_256, &hex(prk), &hex(info), length).unwrap();
        assert_eq!(expanded.as_slice(), hex(okm));
    }
    let short = crypto.hkdf_expand(HashType::Sha2_256, &[0; 31], b"", 32);
    assert_eq!(short.unwrap_err(), CryptoError::HkdfOutputLengthInvalid);
    let long = crypto.hkdf_expand(HashType::Sha2_256, &[0; 32], b"", 255 * 32 + 1);
    assert_eq!(long.unwrap_err(), CryptoError::HkdfOutputLengthInvalid);
}

#[test]
fn hmac_and_sha256() {
    let crypto = Provider::default();
    // RFC 4231, test case 2.
    let tag = crypto.hmac(HashType::Sha2_256, b"Jefe", b"what do ya want for nothing?").unwrap();
    assert_eq!(tag.as_slice(), hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    // FIPS 180-4, example of one block.
    let digest = crypto.hash(HashType::Sha2_256, b"abc").unwrap();
    assert_eq!(digest, hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

#[test]
fn aes_128_gcm_as_submitted_to_nist() {
    // "The Galois/Counter Mode of Operation", test cases 1, 2 and 4.
    let crypto = Provider::default();
    let aead = AeadType::Aes128Gcm;
    for (key, nonce, aad, plaintext, ciphertext) in [
        ("00000000000000000000000000000000", "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
        (
            "00000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "00000000000000000000000000000000",
            "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
        ),
        (
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            concat!(
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525",
                "b16aedf5aa0de657ba637b39"
            ),
            concat!(
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05",
                "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"
            ),
        ),
    ] {
        let (key, nonce, aad, plaintext, ciphertext) =
            (hex(key), hex(nonce), hex(aad), hex(plaintext), hex(ciphertext));
        assert_eq!(crypto.aead_encrypt(aead, &key, &plaintext, &nonce, &aad).unwrap(), ciphertext);
        assert_eq!(crypto.aead_decrypt(aead, &key, &ciphertext, &nonce, &aad).unwrap(), plaintext);
        for position in 0..ciphertext.len() {
            let refused = crypto.aead_decrypt(aead, &key, &flipped(&ciphertext, position), &nonce, &aad);
            assert_eq!(refused.unwrap_err(), CryptoError::AeadDecryptionError);
        }
        assert!(crypto.aead_decrypt(aead, &key, &ciphertext, &nonce, b"other").is_err());
        assert!(crypto.aead_decrypt(aead, &key, &ciphertext[..15], &nonce, &aad).is_err());
        assert!(crypto.aead_encrypt(aead, &key[1..], &plaintext, &nonce, &aad).is_err());
        assert!(crypto.aead_encrypt(aead, &key, &plaintext, &nonce[1..], &aad).is_err());
    }
}

/// A case of RFC 9180, appendix A, base mode, first message.
struct Case {
    kem: HpkeKemType,
    ephemeral: [&'static str; 3],
    recipient: [&'static str; 3],
    ciphertext: &'static str,
    exported: &'static str,
}

const CASES: [Case; 2] = [
    // A.1.1
    Case {
        kem: HpkeKemType::DhKem25519,
        ephemeral: [
            "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
            "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        ],
        recipient: [
            "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
            "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
            "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        ],
        ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        exported: "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931",
    },
    // A.3.1
    Case {
        kem: HpkeKemType::DhKemP256,
        ephemeral: [
            "4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e",
            "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
            concat!(
                "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900",
                "be863c403ce65c9bfcb9382657222d18c4"
            ),
        ],
        recipient: [
            "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550",
            "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
            concat!(
                "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d3",
                "0ad6aa8f80e30f1d128aafd68a2ce72ea0"
            ),
        ],
        ciphertext: "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
        exported: "d8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a",
    },
];

const INFO: &[u8] = b"Ode on a Grecian Urn";
const AAD: &[u8] = b"Count-0";
const PLAINTEXT: &[u8] = b"Beauty is truth, truth beauty";

fn config(kem: HpkeKemType) -> HpkeConfig {
    HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128)
}

#[test]
fn hpke_of_rfc_9180() {
    let crypto = Provider::default();
    for Case { kem, ephemeral, recipient, ciphertext, exported } in CASES {
        for [material, private, public] in [ephemeral, recipient] {
            let pair = crypto.derive_hpke_keypair(config(kem), &hex(material)).unwrap();
            assert_eq!(&*pair.private, hex(private));
            assert_eq!(pair.public, hex(public));
        }
        let hpke = Hpke::new(config(kem)).unwrap();
        let fresh = || hpke.kem.derive(&hex(ephemeral[0])).unwrap();
        let [_, private, public] = recipient.map(hex);
        let sealed = hpke.seal(&fresh(), &public, INFO, AAD, PLAINTEXT).unwrap();
        assert_eq!(sealed, (hex(ephemeral[2]), hex(ciphertext)));
        assert_eq!(hpke.open(&sealed.0, &private, INFO, AAD, &sealed.1).unwrap(), PLAINTEXT);
        for position in 0..sealed.1.len() {
            assert!(hpke.open(&sealed.0, &private, INFO, AAD, &flipped(&sealed.1, position)).is_err());
        }
        assert!(hpke.open(&sealed.0, &private, b"other", AAD, &sealed.1).is_err());
        assert!(hpke.open(&sealed.0, &private, INFO, b"other", &sealed.1).is_err());

        let (encapsulated, sent) = hpke.send_export(&fresh(), &public, INFO, b"TestContext", 32).unwrap();
        assert_eq!((encapsulated.as_slice(), sent.as_slice()), (sealed.0.as_slice(), hex(exported).as_slice()));
        let received = hpke.receive_export(&encapsulated, &private, INFO, b"TestContext", 32).unwrap();
        assert_eq!(received, sent);
    }
}
