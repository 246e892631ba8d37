//! Payloads: order, loss, replay, forgery.

mod common;

use common::*;
use openmls_wasm::failure::Code;

fn pair(suite: u16) -> (Member, Member) {
    let mut members = group(suite, &["ann", "ben"]);
    let ben = members.pop().unwrap();
    (members.pop().unwrap(), ben)
}

fn send(member: &mut Member, text: &str) -> Vec<u8> {
    member.group.encrypt(text.as_bytes(), vec![]).unwrap()
}

#[test]
fn a_payload_is_a_private_message_and_padded() {
    for suite in SUITES {
        let (mut ann, _) = pair(suite);
        let short = send(&mut ann, "");
        assert_eq!(short[..4], [0, 1, 0, 2]);
        let sizes: Vec<_> = (0..64).map(|length| send(&mut ann, &"x".repeat(length)).len()).collect();
        let mut distinct = sizes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        // An ECDSA signature in DER may itself be a byte or two shorter.
        assert!(distinct.len() <= 4, "{distinct:?}");
    }
}

#[test]
fn messages_open_in_any_order_and_once() {
    for suite in SUITES {
        let (mut ann, mut ben) = pair(suite);
        let messages: Vec<_> = (0..50).map(|n| send(&mut ann, &n.to_string())).collect();
        for (n, message) in messages.iter().enumerate().rev() {
            assert_eq!(ben.group.decrypt(message).unwrap().plaintext, n.to_string().as_bytes());
        }
        for message in &messages {
            assert_eq!(code(ben.group.decrypt(message)), Code::Replay);
        }
    }
}

#[test]
fn a_thousand_lost_messages_are_too_few_to_matter_and_1025_are_too_many() {
    let (mut ann, mut ben) = pair(1);
    let first = send(&mut ann, "first");
    for _ in 0..1023 {
        send(&mut ann, "lost");
    }
    let farthest = send(&mut ann, "farthest");
    assert_eq!(ben.group.decrypt(&farthest).unwrap().plaintext, b"farthest");
    assert_eq!(ben.group.decrypt(&first).unwrap_err().code, Code::TooFarBehind);

    let (mut ann, mut ben) = pair(1);
    let first = send(&mut ann, "first");
    for _ in 0..1023 {
        send(&mut ann, "lost");
    }
    send(&mut ann, "farthest");
    let too_far = send(&mut ann, "too far");
    assert_eq!(code(ben.group.decrypt(&too_far)), Code::TooFarAhead);
    assert_eq!(ben.group.decrypt(&first).unwrap().plaintext, b"first");
    assert_eq!(ben.group.decrypt(&too_far).unwrap().plaintext, b"too far");
}

#[test]
fn a_tampered_message_does_not_use_up_the_genuine_one() {
    for suite in SUITES {
        let (mut ann, mut ben) = pair(suite);
        let message = send(&mut ann, "genuine");
        for position in 0..message.len() {
            assert!(ben.group.decrypt(&flipped(&message, position)).is_err(), "suite {suite}, byte {position}");
        }
        assert_eq!(code(ben.group.decrypt(&flipped(&message, message.len() - 1))), Code::Aead);
        assert_eq!(ben.group.decrypt(&message).unwrap().plaintext, b"genuine");
    }
}

#[test]
fn a_message_cut_short_or_with_a_tail_is_malformed() {
    let (mut ann, mut ben) = pair(1);
    let message = send(&mut ann, "whole");
    for length in 0..message.len() {
        assert_eq!(code(ben.group.decrypt(&message[..length])), Code::Malformed);
    }
    assert_eq!(code(ben.group.decrypt(&[message.as_slice(), b"x"].concat())), Code::Malformed);
    assert_eq!(code(ben.group.decrypt(b"plain text")), Code::Malformed);
    assert_eq!(ben.group.decrypt(&message).unwrap().plaintext, b"whole");
}

#[test]
fn associated_data_travels_and_holds_for_one_message() {
    for suite in SUITES {
        let (mut ann, mut ben) = pair(suite);
        let with = ann.group.encrypt(b"text", b"header".to_vec()).unwrap();
        let without = send(&mut ann, "text");
        assert_eq!(ben.group.decrypt(&with).unwrap().aad, b"header");
        assert_eq!(ben.group.decrypt(&without).unwrap().aad, b"");
    }
}

#[test]
fn associated_data_of_a_message_that_failed_is_not_sent_later() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    let mut ben = remove(&mut members, 1);
    assert_eq!(code(ben.group.encrypt(b"no", b"leaked".to_vec())), Code::Inactive);
    let commit = members[0].group.encrypt(b"text", b"leaked".to_vec()).unwrap();
    assert_eq!(members[1].group.decrypt(&commit).unwrap().aad, b"leaked");
    let commit = members[0].group.remove(2, None).unwrap();
    assert!(!commit.windows(6).any(|window| window == b"leaked"));
}

#[test]
fn own_messages_are_known() {
    let (mut ann, mut ben) = pair(1);
    let message = send(&mut ann, "mine");
    assert_eq!(code(ann.group.decrypt(&message)), Code::OwnMessage);
    assert_eq!(ben.group.decrypt(&message).unwrap().plaintext, b"mine");
}

#[test]
fn payloads_of_three_epochs_back_still_open() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben"]);
        let mut late = vec![];
        for n in 0..5 {
            late.push(members[1].group.encrypt(n.to_string().as_bytes(), vec![]).unwrap());
            add(&mut members, client(suite, &format!("member {n}")));
        }
        // Sent in epochs 1 to 5, read in epoch 6.
        let ann = &mut members[0].group;
        assert_eq!(code(ann.decrypt(&late[0])), Code::WrongEpochPast);
        assert_eq!(code(ann.decrypt(&late[1])), Code::WrongEpochPast);
        for n in [2, 3, 4] {
            let opened = ann.decrypt(&late[n]).unwrap();
            assert_eq!((opened.plaintext, opened.epoch), (n.to_string().into_bytes(), n as u64 + 1));
            assert_eq!(code(ann.decrypt(&late[n])), Code::Replay);
        }
        // From before somebody joined.
        assert_eq!(code(members[6].group.decrypt(&late[4])), Code::WrongEpochPast);
    }
}

#[test]
fn a_payload_of_an_epoch_to_come_waits_for_its_commit() {
    let mut members = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    let (commit, _) = members[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
    members[0].group.merge_pending().unwrap();
    let early = members[0].group.encrypt(b"early", vec![]).unwrap();
    let ben = &mut members[1].group;
    assert_eq!(code(ben.decrypt(&early)), Code::WrongEpochFuture);
    follow(ben, &commit);
    assert_eq!(ben.decrypt(&early).unwrap().plaintext, b"early");
}

#[test]
fn messages_of_another_group_are_known_as_such() {
    let (mut ann, _) = pair(1);
    let (_, mut other) = pair(1);
    let message = send(&mut ann, "elsewhere");
    assert_eq!(code(other.group.decrypt(&message)), Code::WrongGroup);
}

#[test]
fn each_call_takes_its_own_kind_of_message() {
    let mut members = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    let key_package = cid.create_key_package().unwrap();
    let (commit, welcome) = members[0].group.add(&key_package, None).unwrap();
    let payload = members[0].group.encrypt(b"text", vec![]).unwrap();
    let ben = &mut members[1].group;
    for wrong in [&key_package, &commit, &welcome] {
        assert_eq!(code(ben.decrypt(wrong)), Code::WrongType);
    }
    for wrong in [&key_package, &payload, &welcome] {
        assert_eq!(code(ben.stage_commit(wrong)), Code::WrongType);
    }
    for wrong in [&key_package, &payload, &commit] {
        assert_eq!(code(cid.stage_welcome(wrong)), Code::WrongType);
    }
    for wrong in [&payload, &welcome, &commit] {
        assert_eq!(code(cid.inspect_key_package(wrong)), Code::WrongType);
        assert_eq!(code(ben.add(wrong, None)), Code::WrongType);
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut members = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    let key_package = cid.create_key_package().unwrap();
    let (commit, welcome) = members[0].group.add(&key_package, None).unwrap();
    let payload = members[0].group.encrypt(b"text", vec![]).unwrap();
    let ben = &mut members[1].group;
    // A fixed generator, so that a failure can be repeated.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for original in [&key_package, &commit, &welcome, &payload] {
        for _ in 0..400 {
            let mut bytes = original.clone();
            for _ in 0..=random() % 3 {
                let position = random() % bytes.len();
                bytes[position] = random() as u8;
            }
            bytes.truncate(bytes.len() - random() % 2 * (random() % bytes.len()));
            if bytes == *original {
                continue;
            }
            let _ = ben.decrypt(&bytes);
            let _ = ben.stage_commit(&bytes);
            let _ = cid.inspect_key_package(&bytes);
            let _ = cid.stage_welcome(&bytes);
        }
    }
    follow(ben, &commit);
    assert_eq!(cid.stage_welcome(&welcome).unwrap().members.len(), 3);
}
