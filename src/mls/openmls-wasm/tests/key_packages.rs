//! Keys, credentials and key packages.

mod common;

use common::*;
use openmls_wasm::client::Client;
use openmls_wasm::failure::Code;

/// The one of a real slim-bindings 1.4.0 participant; its lifetime begins at 1795477040 (2026-11-24).
const REAL: &str = concat!(
    "0001000500010001203c9b6d86aa066808710e6fcfb79411c708d6cd00c957bcf02e7659bc7f680a6c206f2cb992d175cbba",
    "8055e73dab349af4fa83125c6f29fb7a5a3728dbff7ab24a208603e83513a225d4382c897f0ba167e86d074676d38e7a8ce3",
    "f5597b7d57c96a000140b96f72672f6e732f626f622f666666666666666666666666666666665f34334d7a727842313a3137",
    "39353437373034303a7a704a4c33757559357544774b7a48743a65794a7764574a725a586b694f694a6f5a314276546c4a50",
    "6155706b5554524d53577776517a5a47626a5a484d456853626d4a55616d357854545176566c706c4d7a4659655664765053",
    "4a393a634b375137733271434763684752476132435237364c644c783468326d34586c784b663050785978646c380200010a",
    "00010003000200070005000002000101000000006b04ce30000000006ce601b000404057adeecfb5e2ec815233538f587f1d",
    "808f82a7cc1aded1a01a254f06351f6b051b0b89df79e5343d5c57571aea8d4a9001850b0709f9feaf30f8baa87131640300",
    "40408290dd704a557d489a22e90118e1cdb02f2bec2431d956ec552309bc072873c12afad7a3d0b1ef40e9d39aa5f8b5aaad",
    "07ae317fa7af4152a7ca407549707400",
);

#[test]
fn keys_have_the_lengths_of_their_suite() {
    let lengths = SUITES.map(|suite| Client::new(suite).unwrap().public_key().len());
    assert_eq!(lengths, [32, 65]);
    assert_eq!(code(Client::new(3)), Code::UnsupportedSuite);
}

#[test]
fn a_key_package_says_what_was_put_into_it() {
    for suite in SUITES {
        let ann = client(suite, "ann");
        let package = ann.create_key_package().unwrap();
        assert_eq!(package[..8], [0, 1, 0, 5, 0, 1, 0, suite as u8]);
        // Read by a client of the other suite.
        let info = Client::new(3 - suite).unwrap().inspect_key_package(&package).unwrap();
        assert_eq!(info.identity.credential, b"ann");
        assert_eq!(info.identity.signature_key, ann.public_key());
        assert_eq!(info.suite, suite);
        assert_eq!(info.not_after - info.not_before, 84 * 24 * 3600 + 3600);
        assert_ne!(package, ann.create_key_package().unwrap());
    }
}

#[test]
fn without_a_credential_there_is_no_key_package_and_no_group() {
    let nobody = Client::new(1).unwrap();
    assert_eq!(code(nobody.create_key_package()), Code::NoCredential);
    assert_eq!(code(nobody.create_group()), Code::NoCredential);
}

#[test]
fn a_new_credential_is_for_what_comes() {
    let ann = client(1, "ann");
    let old = ann.create_key_package().unwrap();
    ann.set_credential(b"ann, later".to_vec());
    let new = ann.create_key_package().unwrap();
    let credential = |package: &[u8]| ann.inspect_key_package(package).unwrap().identity.credential;
    assert_eq!((credential(&old), credential(&new)), (b"ann".to_vec(), b"ann, later".to_vec()));
}

#[test]
fn the_suite_of_a_group_is_that_of_its_founder() {
    let mut members = group(1, &["ann"]);
    let ben = client(2, "ben");
    assert_eq!(code(members[0].group.add(&ben.create_key_package().unwrap(), None)), Code::UnsupportedSuite);
}

#[test]
fn a_suite_that_nobody_has_is_told_from_nonsense() {
    let ann = client(1, "ann");
    let mut package = ann.create_key_package().unwrap();
    package[7] = 77;
    assert_eq!(code(ann.inspect_key_package(&package)), Code::UnsupportedSuite);
    package[7] = 3;
    assert_eq!(code(ann.inspect_key_package(&package)), Code::UnsupportedSuite);
    let ben = client(1, "ben");
    let (_, mut welcome) = group(1, &["cid"])[0].group.add(&ben.create_key_package().unwrap(), None).unwrap();
    welcome[5] = 77;
    assert_eq!(code(ben.stage_welcome(&welcome)), Code::UnsupportedSuite);
}

#[test]
fn a_tampered_key_package_is_refused() {
    for suite in SUITES {
        let ann = client(suite, "ann");
        let package = ann.create_key_package().unwrap();
        for position in 0..package.len() {
            assert!(ann.inspect_key_package(&flipped(&package, position)).is_err(), "suite {suite}, byte {position}");
        }
        let name = package.windows(3).position(|window| window == b"ann").unwrap();
        assert_eq!(code(ann.inspect_key_package(&flipped(&package, name))), Code::BadSignature);
        assert_eq!(code(ann.inspect_key_package(&package[..package.len() - 1])), Code::Malformed);
    }
}

#[test]
fn a_key_package_of_a_real_peer_parses() {
    let package = hex(REAL);
    assert_eq!(package.len(), 466);
    let ann = client(1, "ann");
    // Its lifetime is looked at last, so the answer is one of these on any date.
    match ann.inspect_key_package(&package) {
        Ok(info) => {
            assert!(info.identity.credential.starts_with(b"org/ns/bob/ffffffffffffffff_43MzrxB1:1795477040:"));
            assert_eq!(info.identity.signature_key.len(), 32);
            assert_eq!((info.suite, info.not_before, info.not_after), (1, 1795477040, 1827013040));
        }
        Err(failure) => match failure.code {
            Code::LifetimeNotYet => assert_eq!(failure.lifetime, Some(1795477040)),
            other => assert_eq!((other, failure.lifetime), (Code::LifetimeExpired, Some(1827013040))),
        },
    }
    assert_eq!(code(ann.inspect_key_package(&flipped(&package, 465))), Code::BadSignature);
}

#[test]
fn keys_that_were_made_elsewhere_work() {
    // RFC 8032, 7.1, test 1.
    let private = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let ann = Client::from_key(1, private.clone(), public.clone()).unwrap();
    assert_eq!(ann.public_key(), public);
    assert_eq!(
        ann.sign(b"").unwrap(),
        hex(concat!(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ))
    );
    ann.set_credential(b"ann".to_vec());
    let mut members = group(1, &["ben"]);
    add(&mut members, ann);
    talk(&mut members);

    // RFC 6979, A.2.5.
    let private256 = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let public256 = hex(concat!(
        "04",
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    ));
    assert_eq!(Client::from_key(2, private256.clone(), public256.clone()).unwrap().public_key(), public256);

    assert_eq!(code(Client::from_key(1, private.clone(), flipped(&public, 0))), Code::BadSignature);
    assert_eq!(code(Client::from_key(1, private.clone(), vec![])), Code::BadSignature);
    assert_eq!(code(Client::from_key(1, private[1..].to_vec(), public)), Code::Malformed);
    assert_eq!(code(Client::from_key(2, vec![0; 32], public256.clone())), Code::Malformed);
    assert_eq!(code(Client::from_key(2, vec![0xff; 32], public256.clone())), Code::Malformed);
    assert_eq!(code(Client::from_key(2, private, public256)), Code::BadSignature);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
