//! What OpenMLS keeps outside of its groups, in memory.
//!
//! A group holds all of its state itself and only ever reads back two things: the private half of a key package (when a
//! welcome comes) and the HPKE keys of its current epoch (when a commit comes). These are kept. Everything else is written
//! for the sake of a restart, which this package does not offer, so it is dropped: the provider that comes with OpenMLS
//! would turn all message secrets into JSON for each message that is sent or received, and leave copies of them behind.

use std::cell::RefCell;
use std::collections::HashMap;

use openmls_traits::storage::{traits, Entity, Key, StorageProvider, CURRENT_VERSION};
use openmls_traits::OpenMlsProvider;

/// Cryptography, randomness and the vault of one client.
#[derive(Default)]
pub struct Provider {
    crypto: openmls_wasm_crypto::Provider,
    vault: Vault,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = openmls_wasm_crypto::Provider;
    type RandProvider = openmls_wasm_crypto::Provider;
    type StorageProvider = Vault;

    fn storage(&self) -> &Vault {
        &self.vault
    }

    fn crypto(&self) -> &openmls_wasm_crypto::Provider {
        &self.crypto
    }

    fn rand(&self) -> &openmls_wasm_crypto::Provider {
        &self.crypto
    }
}

#[derive(Default)]
pub struct Vault {
    key_packages: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
    epoch_keys: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
}

/// Something could not be turned into bytes or back: a bug.
pub type VaultError = postcard::Error;

impl Vault {
    /// Number of things kept; to see that nothing stays behind.
    pub fn len(&self) -> usize {
        self.key_packages.borrow().len() + self.epoch_keys.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key packages as they are now, for [`Self::restore_key_packages`].
    pub(crate) fn save_key_packages(&self) -> HashMap<Vec<u8>, Vec<u8>> {
        self.key_packages.borrow().clone()
    }

    pub(crate) fn restore_key_packages(&self, saved: HashMap<Vec<u8>, Vec<u8>>) {
        self.key_packages.replace(saved);
    }
}

fn key_of<T: Key<CURRENT_VERSION>>(value: &T) -> Result<Vec<u8>, VaultError> {
    postcard::to_stdvec(value)
}

fn epoch_key<G: Key<CURRENT_VERSION>, E: Key<CURRENT_VERSION>>(
    group_id: &G,
    epoch: &E,
    leaf_index: u32,
) -> Result<Vec<u8>, VaultError> {
    let mut key = key_of(group_id)?;
    key.extend(key_of(epoch)?);
    key.extend(leaf_index.to_be_bytes());
    Ok(key)
}

/// Writers and deleters of what is not kept.
macro_rules! dropped {
    ($($name:ident<$($kind:ident),+>($($argument:ty),+);)+) => {$(
        fn $name<$($kind: traits::$kind<CURRENT_VERSION>),+>(&self, $(_: $argument),+) -> Result<(), VaultError> {
            Ok(())
        }
    )+};
}

/// Readers of what is not kept. `$none` is what they find.
macro_rules! absent {
    ($($name:ident<$($kind:ident),+>($argument:ty) -> $found:ty = $none:expr;)+) => {$(
        fn $name<$($kind: traits::$kind<CURRENT_VERSION>),+>(&self, _: $argument) -> Result<$found, VaultError> {
            Ok($none)
        }
    )+};
}

impl StorageProvider<CURRENT_VERSION> for Vault {
    type Error = VaultError;

    fn write_key_package<H: traits::HashReference<CURRENT_VERSION>, K: traits::KeyPackage<CURRENT_VERSION>>(
        &self,
        hash_ref: &H,
        key_package: &K,
    ) -> Result<(), VaultError> {
        self.key_packages.borrow_mut().insert(key_of(hash_ref)?, postcard::to_stdvec(key_package)?);
        Ok(())
    }

    fn key_package<H: traits::HashReference<CURRENT_VERSION>, K: traits::KeyPackage<CURRENT_VERSION>>(
        &self,
        hash_ref: &H,
    ) -> Result<Option<K>, VaultError> {
        self.key_packages.borrow().get(&key_of(hash_ref)?).map(|value| read(value)).transpose()
    }

    fn delete_key_package<H: traits::HashReference<CURRENT_VERSION>>(&self, hash_ref: &H) -> Result<(), VaultError> {
        self.key_packages.borrow_mut().remove(&key_of(hash_ref)?);
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        P: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
        key_pairs: &[P],
    ) -> Result<(), VaultError> {
        let key = epoch_key(group_id, epoch, leaf_index)?;
        self.epoch_keys.borrow_mut().insert(key, postcard::to_stdvec(key_pairs)?);
        Ok(())
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        P: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<P>, VaultError> {
        let keys = self.epoch_keys.borrow();
        let Some(value) = keys.get(&epoch_key(group_id, epoch, leaf_index)?) else { return Ok(vec![]) };
        postcard::from_bytes(value)
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<CURRENT_VERSION>, E: traits::EpochKey<CURRENT_VERSION>>(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<(), VaultError> {
        self.epoch_keys.borrow_mut().remove(&epoch_key(group_id, epoch, leaf_index)?);
        Ok(())
    }

    dropped! {
        write_mls_join_config<GroupId, MlsGroupJoinConfig>(&GroupId, &MlsGroupJoinConfig);
        append_own_leaf_node<GroupId, LeafNode>(&GroupId, &LeafNode);
        queue_proposal<GroupId, ProposalRef, QueuedProposal>(&GroupId, &ProposalRef, &QueuedProposal);
        write_tree<GroupId, TreeSync>(&GroupId, &TreeSync);
        write_interim_transcript_hash<GroupId, InterimTranscriptHash>(&GroupId, &InterimTranscriptHash);
        write_context<GroupId, GroupContext>(&GroupId, &GroupContext);
        write_confirmation_tag<GroupId, ConfirmationTag>(&GroupId, &ConfirmationTag);
        write_group_state<GroupState, GroupId>(&GroupId, &GroupState);
        write_message_secrets<GroupId, MessageSecrets>(&GroupId, &MessageSecrets);
        write_resumption_psk_store<GroupId, ResumptionPskStore>(&GroupId, &ResumptionPskStore);
        write_own_leaf_index<GroupId, LeafNodeIndex>(&GroupId, &LeafNodeIndex);
        write_group_epoch_secrets<GroupId, GroupEpochSecrets>(&GroupId, &GroupEpochSecrets);
        write_signature_key_pair<SignaturePublicKey, SignatureKeyPair>(&SignaturePublicKey, &SignatureKeyPair);
        write_encryption_key_pair<EncryptionKey, HpkeKeyPair>(&EncryptionKey, &HpkeKeyPair);
        write_psk<PskId, PskBundle>(&PskId, &PskBundle);
        remove_proposal<GroupId, ProposalRef>(&GroupId, &ProposalRef);
        delete_own_leaf_nodes<GroupId>(&GroupId);
        delete_group_config<GroupId>(&GroupId);
        delete_tree<GroupId>(&GroupId);
        delete_confirmation_tag<GroupId>(&GroupId);
        delete_group_state<GroupId>(&GroupId);
        delete_context<GroupId>(&GroupId);
        delete_interim_transcript_hash<GroupId>(&GroupId);
        delete_message_secrets<GroupId>(&GroupId);
        delete_all_resumption_psk_secrets<GroupId>(&GroupId);
        delete_own_leaf_index<GroupId>(&GroupId);
        delete_group_epoch_secrets<GroupId>(&GroupId);
        clear_proposal_queue<GroupId, ProposalRef>(&GroupId);
        delete_signature_key_pair<SignaturePublicKey>(&SignaturePublicKey);
        delete_encryption_key_pair<EncryptionKey>(&EncryptionKey);
        delete_psk<PskId>(&PskId);
    }

    absent! {
        mls_group_join_config<GroupId, MlsGroupJoinConfig>(&GroupId) -> Option<MlsGroupJoinConfig> = None;
        own_leaf_nodes<GroupId, LeafNode>(&GroupId) -> Vec<LeafNode> = vec![];
        queued_proposal_refs<GroupId, ProposalRef>(&GroupId) -> Vec<ProposalRef> = vec![];
        queued_proposals<GroupId, ProposalRef, QueuedProposal>(&GroupId) -> Vec<(ProposalRef, QueuedProposal)> = vec![];
        tree<GroupId, TreeSync>(&GroupId) -> Option<TreeSync> = None;
        group_context<GroupId, GroupContext>(&GroupId) -> Option<GroupContext> = None;
        interim_transcript_hash<GroupId, InterimTranscriptHash>(&GroupId) -> Option<InterimTranscriptHash> = None;
        confirmation_tag<GroupId, ConfirmationTag>(&GroupId) -> Option<ConfirmationTag> = None;
        group_state<GroupState, GroupId>(&GroupId) -> Option<GroupState> = None;
        message_secrets<GroupId, MessageSecrets>(&GroupId) -> Option<MessageSecrets> = None;
        resumption_psk_store<GroupId, ResumptionPskStore>(&GroupId) -> Option<ResumptionPskStore> = None;
        own_leaf_index<GroupId, LeafNodeIndex>(&GroupId) -> Option<LeafNodeIndex> = None;
        group_epoch_secrets<GroupId, GroupEpochSecrets>(&GroupId) -> Option<GroupEpochSecrets> = None;
        signature_key_pair<SignaturePublicKey, SignatureKeyPair>(&SignaturePublicKey) -> Option<SignatureKeyPair> = None;
        encryption_key_pair<HpkeKeyPair, EncryptionKey>(&EncryptionKey) -> Option<HpkeKeyPair> = None;
        psk<PskBundle, PskId>(&PskId) -> Option<PskBundle> = None;
    }
}

fn read<T: Entity<CURRENT_VERSION>>(value: &[u8]) -> Result<T, VaultError> {
    postcard::from_bytes(value)
}
