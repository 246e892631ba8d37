//! One group as one member sees it.

use std::collections::BTreeMap;
use std::rc::Rc;

use openmls::prelude::*;
use openmls_traits::storage::StorageProvider as _;

use crate::client::{Core, Identity};
use crate::failure::{Code, Failure, Outcome};
use crate::message;
use crate::wipe::scrub_stack;

/// Epochs back whose payloads still open, as mls-rs keeps when it stores them. The default of OpenMLS, none, loses every
/// payload that is under way across a commit.
pub(crate) const PAST_EPOCHS: usize = 3;
/// Plaintexts are padded to a multiple of this, as mls-rs does below 256 bytes.
pub(crate) const PADDING: usize = 32;

/// Generations that may be missing behind and before the newest message of a sender; 1024 before is what mls-rs allows.
pub(crate) fn sender_ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(1024, 1024)
}

/// As [`crate::client::Client::create_group`] sets it. Mixed: commits are sent in clear and signed, as SLIM does, and taken
/// either way; payloads are always encrypted.
pub(crate) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .sender_ratchet_configuration(sender_ratchet())
        .max_past_epochs(PAST_EPOCHS)
        .padding_size(PADDING)
        .use_ratchet_tree_extension(true)
        .build()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub index: u32,
    pub identity: Identity,
}

fn leaves(members: impl Iterator<Item = Member>) -> Outcome<Vec<Leaf>> {
    members
        .map(|Member { index, credential, signature_key, .. }| {
            Ok(Leaf { index: index.u32(), identity: Identity::new(&credential, signature_key)? })
        })
        .collect()
}

/// A welcome that was opened. Its members are to be checked before [`Self::accept`].
pub struct StagedJoin {
    core: Rc<Core>,
    welcome: StagedWelcome,
    pub members: Vec<Leaf>,
    pub sender: u32,
    pub own_index: u32,
}

impl StagedJoin {
    pub(crate) fn new(core: Rc<Core>, welcome: StagedWelcome) -> Outcome<Self> {
        if welcome.group_context().ciphersuite() != core.suite {
            return Err(Code::UnsupportedSuite.into());
        }
        let members = leaves(welcome.members())?;
        let (sender, own_index) = (welcome.welcome_sender_index().u32(), welcome.own_leaf_index().u32());
        Ok(StagedJoin { core, welcome, members, sender, own_index })
    }

    pub fn accept(self) -> Outcome<Group> {
        let group = self.welcome.into_group(&self.core.provider)?;
        Ok(Group::new(self.core, group))
    }
}

/// A commit that was verified but not applied. `added` and `path` are to be checked before [`Group::merge_staged`].
pub struct StagedChange {
    commit: StagedCommit,
    group_id: GroupId,
    /// The epoch it ends.
    epoch: u64,
    pub committer: u32,
    pub added: Vec<Identity>,
    pub removed: Vec<u32>,
    /// The new leaf of the committer.
    pub path: Option<Identity>,
    /// Whether we are among the removed.
    pub self_removed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub plaintext: Vec<u8>,
    pub sender: u32,
    pub aad: Vec<u8>,
    pub epoch: u64,
}

pub struct Group {
    core: Rc<Core>,
    group: MlsGroup,
    /// The first epoch we have the secrets of.
    first_epoch: u64,
    /// Since which epoch a leaf belongs to who has it now, where that is not since `first_epoch`.
    since: BTreeMap<u32, u64>,
}

impl Group {
    pub(crate) fn new(core: Rc<Core>, group: MlsGroup) -> Self {
        let first_epoch = group.epoch().as_u64();
        Group { core, group, first_epoch, since: BTreeMap::new() }
    }

    pub fn group_id(&self) -> Vec<u8> {
        self.group.group_id().to_vec()
    }

    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    pub fn own_index(&self) -> u32 {
        self.group.own_leaf_index().u32()
    }

    /// False once a commit removed us.
    pub fn is_active(&self) -> bool {
        self.group.is_active()
    }

    pub fn members(&self) -> Outcome<Vec<Leaf>> {
        leaves(self.group.members())
    }

    /// A commit that adds a member, and the welcome for it. `refresh` is a new own credential, which gives the commit a
    /// path; without it there is none, as mls-rs does. The commit is pending until [`Self::merge_pending`].
    pub fn add(&mut self, key_package: &[u8], refresh: Option<Vec<u8>>) -> Outcome<(Vec<u8>, Vec<u8>)> {
        self.check_ready()?;
        let package = message::key_package(key_package, self.core.provider.crypto())?;
        if package.ciphersuite() != self.core.suite {
            return Err(Code::UnsupportedSuite.into());
        }
        let (commit, welcome) = self.commit(refresh, |builder| builder.propose_adds([package]))?;
        Ok((commit, welcome.ok_or_else(|| Failure::new(Code::Internal, "no welcome"))?))
    }

    /// A commit that removes a member, always with a path. Pending until [`Self::merge_pending`].
    pub fn remove(&mut self, index: u32, refresh: Option<Vec<u8>>) -> Outcome<Vec<u8>> {
        self.check_ready()?;
        let (commit, _) = self.commit(refresh, |builder| builder.propose_removals([LeafNodeIndex::new(index)]))?;
        Ok(commit)
    }

    fn commit(
        &mut self,
        refresh: Option<Vec<u8>>,
        propose: impl FnOnce(CommitBuilder<'_, Initial>) -> CommitBuilder<'_, Initial>,
    ) -> Outcome<(Vec<u8>, Option<Vec<u8>>)> {
        let Core { provider, key, .. } = &*self.core;
        let mut builder = propose(self.group.commit_builder());
        if let Some(credential) = refresh {
            let leaf = LeafNodeParameters::builder().with_credential_with_key(self.core.with_key(credential));
            builder = builder.force_self_update(true).leaf_node_parameters(leaf.build());
        }
        let (commit, welcome, _) = builder
            .load_psks(provider.storage())?
            .build(provider.rand(), provider.crypto(), key, |_| true)?
            .stage_commit(provider)?
            .into_messages();
        Ok((message::bytes(&commit)?, welcome.as_ref().map(message::bytes).transpose()?))
    }

    fn check_active(&self) -> Outcome<()> {
        if self.group.is_active() {
            Ok(())
        } else {
            Err(Code::Inactive.into())
        }
    }

    fn check_ready(&self) -> Outcome<()> {
        self.check_active()?;
        if self.group.pending_commit().is_some() {
            Err(Code::PendingCommit.into())
        } else {
            Ok(())
        }
    }

    /// Enters the epoch of our own commit.
    pub fn merge_pending(&mut self) -> Outcome<()> {
        self.check_active()?;
        if self.group.pending_commit().is_none() {
            return Err(Code::NoPendingCommit.into());
        }
        let before = self.keys_by_index();
        let core = Rc::clone(&self.core);
        self.group.merge_pending_commit(&core.provider)?;
        self.note_new_leaves(&before);
        Ok(())
    }

    /// Forgets our own commit. Nothing happens if there is none.
    pub fn clear_pending(&mut self) -> Outcome<()> {
        let core = Rc::clone(&self.core);
        Ok(self.group.clear_pending_commit(core.provider.storage())?)
    }

    /// Verifies a commit of another member; the group stays in its epoch. A pending commit of our own stays, too.
    pub fn stage_commit(&mut self, bytes: &[u8]) -> Outcome<StagedChange> {
        let message = message::of_group(bytes, ContentType::Commit)?;
        self.check_frame(&message)?;
        let epoch = self.epoch();
        if message.epoch().as_u64() < epoch {
            return Err(Code::WrongEpochPast.into());
        }
        let core = Rc::clone(&self.core);
        let processed = self.group.process_message(&core.provider, message)?;
        let committer = sender_of(&processed)?;
        let commit = match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(commit) if committer != self.own_index() => *commit,
            _ => return Err(Code::OwnMessage.into()),
        };
        let (mut added, mut removed) = (vec![], vec![]);
        for queued in commit.queued_proposals() {
            match queued.proposal() {
                Proposal::Add(add) => added.push(Identity::of_leaf(add.key_package().leaf_node())?),
                Proposal::Remove(remove) => removed.push(remove.removed().u32()),
                // What SLIM never sends must not change a group without being seen.
                other => return Err(Failure::new(Code::WrongType, format!("{:?}", other.proposal_type()))),
            }
        }
        let path = commit.update_path_leaf_node().map(Identity::of_leaf).transpose()?;
        let (group_id, self_removed) = (self.group.group_id().clone(), commit.self_removed());
        Ok(StagedChange { commit, group_id, epoch, committer, added, removed, path, self_removed })
    }

    /// Enters the epoch of a staged commit. An own pending commit is dropped.
    pub fn merge_staged(&mut self, change: StagedChange) -> Outcome<()> {
        self.check_active()?;
        if &change.group_id != self.group.group_id() {
            return Err(Code::WrongGroup.into());
        }
        // Of two that were staged in one epoch only one can be applied.
        if change.epoch != self.epoch() {
            return Err(Code::WrongEpochPast.into());
        }
        let before = self.keys_by_index();
        let core = Rc::clone(&self.core);
        let ended = self.group.epoch();
        self.group.merge_staged_commit(&core.provider, change.commit)?;
        if change.self_removed {
            // OpenMLS forgets the keys of an epoch when the next ones come, and here none come.
            let (id, index) = (self.group.group_id(), self.own_index());
            core.provider.storage().delete_encryption_epoch_key_pairs(id, &ended, index)?;
        }
        self.note_new_leaves(&before);
        Ok(())
    }

    /// A payload for all members. `aad` travels in clear, but cannot be changed.
    pub fn encrypt(&mut self, plaintext: &[u8], aad: Vec<u8>) -> Outcome<Vec<u8>> {
        let core = Rc::clone(&self.core);
        self.group.set_aad(aad);
        let message = self.group.create_message(&core.provider, &core.key, plaintext);
        // It is cleared by a message that was made; one that was not must not leave it to the next commit.
        self.group.set_aad(vec![]);
        message::bytes(&message?)
    }

    /// Opens a payload of another member. A generation opens once; a message that does not open changes nothing.
    pub fn decrypt(&mut self, bytes: &[u8]) -> Outcome<Opened> {
        let message = message::of_group(bytes, ContentType::Application)?;
        if message.wire_format() != WireFormat::PrivateMessage {
            return Err(Code::WrongType.into());
        }
        self.check_frame(&message)?;
        let epoch = message.epoch().as_u64();
        let oldest = self.epoch().saturating_sub(PAST_EPOCHS as u64).max(self.first_epoch);
        if epoch < oldest {
            return Err(Code::WrongEpochPast.into());
        }
        let core = Rc::clone(&self.core);
        let processed = self.group.process_message(&core.provider, message)?;
        let sender = sender_of(&processed)?;
        let aad = processed.aad().to_vec();
        let ProcessedMessageContent::ApplicationMessage(payload) = processed.into_content() else {
            return Err(Code::OwnMessage.into());
        };
        // The secrets of a past epoch also open what a member sends that was removed since, and the index would name who
        // has the leaf now.
        let is_member = self.group.member_at(LeafNodeIndex::new(sender)).is_some();
        if !is_member || self.since.get(&sender).is_some_and(|since| epoch < *since) {
            return Err(Failure::new(Code::WrongEpochPast, "the sender is no member any more"));
        }
        Ok(Opened { plaintext: payload.into_bytes(), sender, aad, epoch })
    }

    pub fn export_secret(&self, label: &str, context: &[u8], length: usize) -> Outcome<Vec<u8>> {
        self.check_active()?;
        Ok(self.group.export_secret(self.core.provider.crypto(), label, context, length)?)
    }

    /// What can be told from the frame: whether we are still there, and whether it is for this group and not for an epoch
    /// to come.
    fn check_frame(&self, message: &ProtocolMessage) -> Outcome<()> {
        self.check_active()?;
        if message.group_id() != self.group.group_id() {
            return Err(Code::WrongGroup.into());
        }
        if message.epoch() > self.group.epoch() {
            return Err(Code::WrongEpochFuture.into());
        }
        Ok(())
    }

    fn keys_by_index(&self) -> BTreeMap<u32, Vec<u8>> {
        self.group.members().map(|member| (member.index.u32(), member.signature_key)).collect()
    }

    /// After a commit: whose leaf has another key than before, or none before, came just now.
    fn note_new_leaves(&mut self, before: &BTreeMap<u32, Vec<u8>>) {
        let epoch = self.epoch();
        let now = self.keys_by_index();
        self.since.retain(|index, _| now.contains_key(index));
        for (index, key) in now {
            if before.get(&index) != Some(&key) {
                self.since.insert(index, epoch);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Fails only if a group id cannot be turned into bytes; nobody could do anything about it here.
        let _ = self.group.delete(self.core.provider.storage());
        scrub_stack();
    }
}

fn sender_of(message: &ProcessedMessage) -> Outcome<u32> {
    match message.sender() {
        Sender::Member(index) => Ok(index.u32()),
        _ => Err(Code::UnknownSender.into()),
    }
}
