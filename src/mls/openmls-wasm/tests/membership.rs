//! Joining, leaving, and the commits in between.

mod common;

use common::*;
use openmls_wasm::client::Client;
use openmls_wasm::failure::Code;

fn names(members: &[Member]) -> Vec<String> {
    let members = members[0].group.members().unwrap();
    members.iter().map(|leaf| String::from_utf8(leaf.identity.credential.clone()).unwrap()).collect()
}

#[test]
fn members_come_go_and_come_again() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben", "cid"]);
        talk(&mut members);
        let ben = remove(&mut members, 1);
        assert!(!ben.group.is_active());
        talk(&mut members);
        assert_eq!(names(&members), ["ann", "cid"]);

        // The same client, with a key package of its own for the second time. Its old group may still be there.
        add(&mut members, ben.client);
        talk(&mut members);
        drop(ben.group);
        talk(&mut members);
        assert_eq!(names(&members), ["ann", "ben", "cid"]);
        assert_eq!(members[0].group.epoch(), 4);
    }
}

#[test]
fn anybody_may_commit() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    let dan = client(1, "dan");
    let (commit, welcome) = members[2].group.add(&dan.create_key_package().unwrap(), None).unwrap();
    members[2].group.merge_pending().unwrap();
    for position in [0, 1] {
        let change = members[position].group.stage_commit(&commit).unwrap();
        assert_eq!(change.committer, 2);
        members[position].group.merge_staged(change).unwrap();
    }
    let join = dan.stage_welcome(&welcome).unwrap();
    assert_eq!((join.sender, join.own_index, join.members.len()), (2, 3, 4));
    let group = join.accept().unwrap();
    members.push(Member { client: dan, group });
    talk(&mut members);
}

#[test]
fn a_staged_commit_tells_what_it_would_do() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben", "cid"]);
        let dan = client(suite, "dan");
        let (add, _) = members[0].group.add(&dan.create_key_package().unwrap(), None).unwrap();
        let change = members[1].group.stage_commit(&add).unwrap();
        assert_eq!((change.committer, change.added.len(), change.self_removed), (0, 1, false));
        assert_eq!(change.added[0].credential, b"dan");
        assert_eq!(change.added[0].signature_key, dan.public_key());
        assert!(change.removed.is_empty());
        assert!(change.path.is_none(), "adds have no path, like those of mls-rs");
        assert_eq!(members[1].group.epoch(), 2, "staging changes nothing");

        members[0].group.clear_pending().unwrap();
        let remove = members[0].group.remove(2, None).unwrap();
        let change = members[1].group.stage_commit(&remove).unwrap();
        assert_eq!((change.committer, change.removed.clone(), change.self_removed), (0, vec![2], false));
        assert_eq!(change.path.as_ref().unwrap().credential, b"ann");
        assert!(members[2].group.stage_commit(&remove).unwrap().self_removed);
    }
}

#[test]
fn a_commit_can_carry_a_new_credential_of_the_committer() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben"]);
        let key = members[0].client.public_key();
        let cid = client(suite, "cid");
        let (commit, welcome) =
            members[0].group.add(&cid.create_key_package().unwrap(), Some(b"ann, later".to_vec())).unwrap();
        let change = members[1].group.stage_commit(&commit).unwrap();
        let path = change.path.clone().unwrap();
        assert_eq!((path.credential.as_slice(), path.signature_key), (&b"ann, later"[..], key));
        members[1].group.merge_staged(change).unwrap();
        members[0].group.merge_pending().unwrap();
        let group = cid.stage_welcome(&welcome).unwrap().accept().unwrap();
        members.push(Member { client: cid, group });
        talk(&mut members);
        assert_eq!(names(&members), ["ann, later", "ben", "cid"]);

        let commit = members[0].group.remove(1, Some(b"ann, last".to_vec())).unwrap();
        members[0].group.merge_pending().unwrap();
        follow(&mut members[2].group, &commit);
        members.remove(1);
        talk(&mut members);
        assert_eq!(names(&members), ["ann, last", "cid"]);
    }
}

#[test]
fn a_message_that_is_under_way_across_a_refresh_still_opens() {
    let mut members = group(1, &["ann", "ben"]);
    let late = members[0].group.encrypt(b"late", vec![]).unwrap();
    let cid = client(1, "cid");
    let (commit, _) = members[0].group.add(&cid.create_key_package().unwrap(), Some(b"ann 2".to_vec())).unwrap();
    members[0].group.merge_pending().unwrap();
    follow(&mut members[1].group, &commit);
    assert_eq!(members[1].group.decrypt(&late).unwrap().plaintext, b"late");
}

#[test]
fn an_own_commit_waits_until_it_is_merged_or_cleared() {
    let mut members = group(1, &["ann", "ben"]);
    let (cid, dan) = (client(1, "cid"), client(1, "dan"));
    let ann = &mut members[0].group;
    assert_eq!(code(ann.merge_pending()), Code::NoPendingCommit);
    ann.clear_pending().unwrap();

    ann.add(&cid.create_key_package().unwrap(), None).unwrap();
    assert_eq!(ann.epoch(), 1);
    assert_eq!(code(ann.add(&dan.create_key_package().unwrap(), None)), Code::PendingCommit);
    assert_eq!(code(ann.remove(1, None)), Code::PendingCommit);
    ann.clear_pending().unwrap();
    assert_eq!(code(ann.merge_pending()), Code::NoPendingCommit);
    talk(&mut members);

    add(&mut members, dan);
    talk(&mut members);
}

#[test]
fn messages_can_be_sent_and_read_while_an_own_commit_waits() {
    let mut members = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    members[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
    talk(&mut members);
}

#[test]
fn of_two_commits_staged_in_one_epoch_one_is_merged() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    let dan = client(1, "dan");
    let (one, _) = members[0].group.add(&dan.create_key_package().unwrap(), None).unwrap();
    let two = members[1].group.remove(0, None).unwrap();
    let cid = &mut members[2].group;
    let (one, two) = (cid.stage_commit(&one).unwrap(), cid.stage_commit(&two).unwrap());
    cid.merge_staged(one).unwrap();
    assert_eq!(code(cid.merge_staged(two)), Code::WrongEpochPast);
}

#[test]
fn a_staged_commit_of_another_group_is_not_merged() {
    let mut here = group(1, &["ann", "ben"]);
    let mut there = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    let (commit, _) = here[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
    let change = here[1].group.stage_commit(&commit).unwrap();
    assert_eq!(code(there[1].group.merge_staged(change)), Code::WrongGroup);
}

#[test]
fn commits_of_other_epochs_are_told_apart() {
    let mut members = group(1, &["ann", "ben"]);
    let (cid, dan) = (client(1, "cid"), client(1, "dan"));
    let (first, _) = members[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
    members[0].group.merge_pending().unwrap();
    let (second, _) = members[0].group.add(&dan.create_key_package().unwrap(), None).unwrap();
    members[0].group.merge_pending().unwrap();

    let ben = &mut members[1].group;
    assert_eq!(code(ben.stage_commit(&second)), Code::WrongEpochFuture);
    follow(ben, &first);
    assert_eq!(code(ben.stage_commit(&first)), Code::WrongEpochPast);
    follow(ben, &second);
    assert_eq!(ben.epoch(), 3);

    assert_eq!(code(members[0].group.stage_commit(&second)), Code::WrongEpochPast);
}

#[test]
fn own_commits_that_come_back_are_known() {
    let mut members = group(1, &["ann", "ben"]);
    let cid = client(1, "cid");
    let ann = &mut members[0].group;
    let (commit, _) = ann.add(&cid.create_key_package().unwrap(), None).unwrap();
    assert_eq!(code(ann.stage_commit(&commit)), Code::OwnMessage);
    ann.clear_pending().unwrap();
    assert_eq!(code(ann.stage_commit(&commit)), Code::OwnMessage);
    let commit = ann.remove(1, None).unwrap();
    ann.clear_pending().unwrap();
    assert_eq!(code(ann.stage_commit(&commit)), Code::OwnMessage);
}

#[test]
fn tampered_commits_are_refused_and_the_genuine_one_is_taken() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben", "cid"]);
        let commit = members[0].group.remove(2, None).unwrap();
        let ben = &mut members[1].group;
        for position in (0..commit.len()).step_by(7) {
            assert!(ben.stage_commit(&flipped(&commit, position)).is_err(), "suite {suite}, byte {position}");
        }
        assert_eq!(code(ben.stage_commit(&flipped(&commit, commit.len() - 1))), Code::BadSignature);
        follow(ben, &commit);
    }
}

#[test]
fn a_removed_member_is_out() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    let mut ben = remove(&mut members, 1);
    let message = members[0].group.encrypt(b"without ben", vec![]).unwrap();
    assert_eq!(code(ben.group.decrypt(&message)), Code::Inactive);
    assert_eq!(code(ben.group.encrypt(b"still here", vec![])), Code::Inactive);
    assert_eq!(code(ben.group.remove(0, None)), Code::Inactive);
    assert_eq!(code(ben.group.merge_pending()), Code::Inactive);
    assert_eq!(code(ben.group.export_secret("label", b"", 32)), Code::Inactive);
    let key_package = client(1, "dan").create_key_package().unwrap();
    assert_eq!(code(ben.group.add(&key_package, None)), Code::Inactive);
    let (commit, _) = members[0].group.add(&key_package, None).unwrap();
    assert_eq!(code(ben.group.stage_commit(&commit)), Code::Inactive);
}

#[test]
fn what_a_removed_member_sent_last_is_not_read_after_the_removal() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    let before = members[1].group.encrypt(b"before", vec![]).unwrap();
    let [late, later] = [(); 2].map(|()| members[1].group.encrypt(b"late", vec![]).unwrap());
    assert_eq!(members[2].group.decrypt(&before).unwrap().plaintext, b"before");
    remove(&mut members, 1);
    assert_eq!(code(members[0].group.decrypt(&late)), Code::WrongEpochPast);
    // Nor is it taken for a message of who has the leaf now.
    add(&mut members, client(1, "dan"));
    assert_eq!(members[2].group.own_index(), 1);
    assert_eq!(code(members[0].group.decrypt(&later)), Code::WrongEpochPast);
    talk(&mut members);
}

#[test]
fn who_is_in_is_not_added_again() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben"]);
        let cid = client(suite, "cid");
        let key_package = cid.create_key_package().unwrap();
        add(&mut members, cid);
        let used = members[2].client.create_key_package().unwrap();
        let ann = &mut members[0].group;
        assert_eq!(code(ann.add(&key_package, None)), Code::DuplicateMember);
        // Another key package of the same key.
        assert_eq!(code(ann.add(&used, None)), Code::DuplicateMember);
        let own = members[0].client.create_key_package().unwrap();
        assert_eq!(code(members[0].group.add(&own, None)), Code::DuplicateMember);
        talk(&mut members);
    }
}

#[test]
fn only_members_are_removed_and_nobody_removes_himself() {
    let mut members = group(1, &["ann", "ben", "cid"]);
    remove(&mut members, 1);
    let ann = &mut members[0].group;
    assert_eq!(code(ann.remove(1, None)), Code::UnknownMember);
    assert_eq!(code(ann.remove(77, None)), Code::UnknownMember);
    assert_eq!(code(ann.remove(0, None)), Code::UnknownMember);
    talk(&mut members);
}

#[test]
fn a_welcome_opens_once() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben"]);
        let cid = client(suite, "cid");
        let (_, welcome) = members[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
        let stranger = client(suite, "dan");
        stranger.create_key_package().unwrap();
        assert_eq!(code(stranger.stage_welcome(&welcome)), Code::NoKeyPackage);
        assert_eq!(cid.stage_welcome(&welcome).unwrap().own_index, 2);
        assert_eq!(code(cid.stage_welcome(&welcome)), Code::NoKeyPackage);
    }
}

#[test]
fn a_tampered_welcome_does_not_use_up_the_key_package() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben"]);
        let cid = client(suite, "cid");
        let (_, welcome) = members[0].group.add(&cid.create_key_package().unwrap(), None).unwrap();
        members[0].group.merge_pending().unwrap();
        for position in (0..welcome.len()).step_by(61) {
            assert!(cid.stage_welcome(&flipped(&welcome, position)).is_err(), "suite {suite}, byte {position}");
        }
        assert_eq!(code(cid.stage_welcome(&flipped(&welcome, welcome.len() - 1))), Code::Aead);
        assert_eq!(cid.stage_welcome(&welcome).unwrap().members.len(), 3);
    }
}

#[test]
fn groups_of_one_client_do_not_mix() {
    let ann = client(1, "ann");
    let mut mine = Member { group: ann.create_group().unwrap(), client: client(1, "unused") };
    let mut other = group(1, &["ben"]);
    add(&mut other, ann);
    let message = other[0].group.encrypt(b"there", vec![]).unwrap();
    assert_eq!(code(mine.group.decrypt(&message)), Code::WrongGroup);
    assert_eq!(mine.group.group_id().len(), 32);
    assert_ne!(mine.group.group_id(), other[0].group.group_id());
    drop(mine);
    talk(&mut other);
}

#[test]
fn members_export_the_same_secret_and_each_epoch_has_another() {
    let mut members = group(2, &["ann", "ben"]);
    let secret = |member: &Member| member.group.export_secret("label", b"context", 24).unwrap();
    let first = secret(&members[0]);
    assert_eq!((first.len(), &first), (24, &secret(&members[1])));
    assert_ne!(first, members[0].group.export_secret("label", b"other", 24).unwrap());
    add(&mut members, client(2, "cid"));
    assert_ne!(first, secret(&members[0]));
    assert_eq!(secret(&members[0]), secret(&members[2]));
    assert_eq!(code(members[0].group.export_secret("label", b"", 1 << 20)), Code::Malformed);
}

#[test]
fn nothing_stays_in_the_vault() {
    for suite in SUITES {
        let mut members = group(suite, &["ann", "ben", "cid", "dan", "eve"]);
        for position in [3, 1, 2] {
            let gone = remove(&mut members, position);
            drop(gone.group);
            assert_eq!(gone.client.vault_len(), 0);
            add(&mut members, gone.client);
        }
        for Member { client, group } in members {
            assert_eq!(client.vault_len(), 1, "the keys of one epoch");
            drop(group);
            assert_eq!(client.vault_len(), 0);
        }
        let unused: Client = client(suite, "fay");
        let group = unused.create_group().unwrap();
        unused.create_key_package().unwrap();
        drop(group);
        assert_eq!(unused.vault_len(), 1, "a key package that nobody used yet");
    }
}
