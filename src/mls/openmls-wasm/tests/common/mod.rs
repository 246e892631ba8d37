//! People with a client and, mostly, a group.
#![allow(dead_code, reason = "each test file compiles its own copy and uses a part of it")]

use openmls_wasm::client::Client;
use openmls_wasm::failure::{Code, Outcome};
use openmls_wasm::group::Group;

pub const SUITES: [u16; 2] = [1, 2];

pub fn client(suite: u16, name: &str) -> Client {
    let client = Client::new(suite).unwrap();
    client.set_credential(name.into());
    client
}

pub struct Member {
    pub client: Client,
    pub group: Group,
}

/// A group of the given people; the first one made it and makes every commit.
pub fn group(suite: u16, names: &[&str]) -> Vec<Member> {
    let founder = client(suite, names[0]);
    let group = founder.create_group().unwrap();
    let mut members = vec![Member { client: founder, group }];
    for name in &names[1..] {
        let newcomer = client(suite, name);
        add(&mut members, newcomer);
    }
    members
}

/// The first member adds a client, all follow.
pub fn add(members: &mut Vec<Member>, newcomer: Client) {
    let key_package = newcomer.create_key_package().unwrap();
    let (commit, welcome) = members[0].group.add(&key_package, None).unwrap();
    members[0].group.merge_pending().unwrap();
    for member in &mut members[1..] {
        follow(&mut member.group, &commit);
    }
    let group = newcomer.stage_welcome(&welcome).unwrap().accept().unwrap();
    members.push(Member { client: newcomer, group });
}

/// The first member removes the one at `position`, all follow, the removed one as well. Gives that one back.
pub fn remove(members: &mut Vec<Member>, position: usize) -> Member {
    let index = members[position].group.own_index();
    let commit = members[0].group.remove(index, None).unwrap();
    members[0].group.merge_pending().unwrap();
    for member in &mut members[1..] {
        follow(&mut member.group, &commit);
    }
    members.remove(position)
}

pub fn follow(group: &mut Group, commit: &[u8]) {
    let change = group.stage_commit(commit).unwrap();
    group.merge_staged(change).unwrap();
}

/// Everybody says something and everybody else reads it; all see the same members.
pub fn talk(members: &mut [Member]) {
    let roster = members[0].group.members().unwrap();
    for sender in 0..members.len() {
        let text = format!("from {sender}");
        let message = members[sender].group.encrypt(text.as_bytes(), vec![]).unwrap();
        let (index, epoch) = (members[sender].group.own_index(), members[sender].group.epoch());
        assert_eq!(members[sender].group.members().unwrap(), roster);
        for (reader, member) in members.iter_mut().enumerate() {
            if reader == sender {
                continue;
            }
            let opened = member.group.decrypt(&message).unwrap();
            assert_eq!(
                (opened.plaintext.as_slice(), opened.sender, opened.epoch, opened.aad.as_slice()),
                (text.as_bytes(), index, epoch, &[][..])
            );
        }
    }
}

pub fn code<T>(outcome: Outcome<T>) -> Code {
    match outcome {
        Ok(_) => panic!("should have failed"),
        Err(failure) => failure.code,
    }
}

/// A copy with one bit flipped.
pub fn flipped(bytes: &[u8], position: usize) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    copy[position] ^= 1;
    copy
}
