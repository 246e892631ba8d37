//! One client: a signature key pair, a credential, a vault.

use std::cell::RefCell;
use std::rc::Rc;

use openmls::prelude::*;
use openmls_wasm_crypto::signature::SignatureKey;
use zeroize::Zeroizing;

use crate::failure::{Code, Failure, Outcome};
use crate::group::{join_config, Group, StagedJoin, PADDING, PAST_EPOCHS};
use crate::message;
use crate::vault::Provider;
use crate::wipe::scrub_stack;

/// A credential and the key that it is about. Nobody has checked that: OpenMLS knows nothing of SLIM tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub credential: Vec<u8>,
    pub signature_key: Vec<u8>,
}

impl Identity {
    pub(crate) fn of_leaf(leaf: &LeafNode) -> Outcome<Self> {
        Self::new(leaf.credential(), leaf.signature_key().as_slice().to_vec())
    }

    pub(crate) fn new(credential: &Credential, signature_key: Vec<u8>) -> Outcome<Self> {
        let credential = BasicCredential::try_from(credential.clone())
            .map_err(|_| Failure::new(Code::UnsupportedSuite, "not a basic credential"))?;
        Ok(Identity { credential: credential.identity().to_vec(), signature_key })
    }
}

/// What a key package says; its signatures hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageInfo {
    pub identity: Identity,
    pub suite: u16,
    /// Unix seconds.
    pub not_before: u64,
    pub not_after: u64,
}

pub struct Client {
    core: Rc<Core>,
}

/// What a client and its groups share.
pub(crate) struct Core {
    pub provider: Provider,
    pub suite: Ciphersuite,
    pub key: SignatureKey,
    credential: RefCell<Option<Vec<u8>>>,
}

impl Core {
    pub fn credential(&self) -> Outcome<CredentialWithKey> {
        let identity = self.credential.borrow().clone().ok_or(Code::NoCredential)?;
        Ok(self.with_key(identity))
    }

    /// Any credential with the key of this client.
    pub fn with_key(&self, identity: Vec<u8>) -> CredentialWithKey {
        CredentialWithKey { credential: BasicCredential::new(identity).into(), signature_key: self.key.public().into() }
    }

    /// Advertise what we use, not everything the crypto provider can do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(None, Some(&[self.suite]), None, None, Some(&[CredentialType::Basic]))
    }
}

fn suite_of(id: u16) -> Outcome<Ciphersuite> {
    match id {
        1 => Ok(Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519),
        2 => Ok(Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256),
        other => Err(Failure::new(Code::UnsupportedSuite, other.to_string())),
    }
}

impl Client {
    /// A client with new keys.
    pub fn new(suite: u16) -> Outcome<Self> {
        let suite = suite_of(suite)?;
        let key = SignatureKey::generate(suite.signature_algorithm())
            .map_err(|error| Failure::new(Code::Internal, format!("{error:?}")))?;
        Ok(Self::with_key(suite, key))
    }

    /// A client with keys made elsewhere: Ed25519 has a seed and a key of 32 bytes, P-256 a scalar of 32 and a point of 65.
    pub fn from_key(suite: u16, private_key: Vec<u8>, public_key: Vec<u8>) -> Outcome<Self> {
        let suite = suite_of(suite)?;
        let private_key = Zeroizing::new(private_key);
        let key = SignatureKey::new(suite.signature_algorithm(), &private_key)
            .map_err(|_| Failure::new(Code::Malformed, "not a private key of 32 bytes"))?;
        if key.public() != public_key {
            return Err(Failure::new(Code::BadSignature, "the public key is not that of the private key"));
        }
        Ok(Self::with_key(suite, key))
    }

    fn with_key(suite: Ciphersuite, key: SignatureKey) -> Self {
        Client { core: Rc::new(Core { provider: Provider::default(), suite, key, credential: RefCell::new(None) }) }
    }

    pub fn public_key(&self) -> Vec<u8> {
        self.core.key.public()
    }

    /// The credential of key packages and groups that are made from now on.
    pub fn set_credential(&self, credential: Vec<u8>) {
        self.core.credential.replace(Some(credential));
    }

    /// Ed25519: 64 bytes; ECDSA: DER.
    pub fn sign(&self, data: &[u8]) -> Outcome<Vec<u8>> {
        self.core.key.signature(data).map_err(|error| Failure::new(Code::Internal, format!("{error:?}")))
    }

    /// A key package for one join; its private half stays in here.
    pub fn create_key_package(&self) -> Outcome<Vec<u8>> {
        let core = &self.core;
        let bundle = KeyPackage::builder().leaf_node_capabilities(core.capabilities()).build(
            core.suite,
            &core.provider,
            &core.key,
            core.credential()?,
        )?;
        message::bytes(&MlsMessageOut::from(bundle.key_package().clone()))
    }

    /// Checks signatures and lifetime, of either suite.
    pub fn inspect_key_package(&self, bytes: &[u8]) -> Outcome<KeyPackageInfo> {
        let package = message::key_package(bytes, self.core.provider.crypto())?;
        let lifetime = package.life_time();
        Ok(KeyPackageInfo {
            identity: Identity::of_leaf(package.leaf_node())?,
            suite: package.ciphersuite().into(),
            not_before: lifetime.not_before(),
            not_after: lifetime.not_after(),
        })
    }

    /// A group of one, with a random id of 32 bytes like those of mls-rs.
    pub fn create_group(&self) -> Outcome<Group> {
        let core = &self.core;
        let id =
            core.provider.rand().random_vec(32).map_err(|error| Failure::new(Code::Internal, format!("{error:?}")))?;
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(core.suite)
            .capabilities(core.capabilities())
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .sender_ratchet_configuration(crate::group::sender_ratchet())
            .max_past_epochs(PAST_EPOCHS)
            .padding_size(PADDING)
            .use_ratchet_tree_extension(true)
            .build();
        let group = MlsGroup::new_with_group_id(
            &core.provider,
            &core.key,
            &config,
            GroupId::from_slice(&id),
            core.credential()?,
        )?;
        Ok(Group::new(Rc::clone(core), group))
    }

    /// Reads a welcome. Nothing is joined before [`StagedJoin::accept`]. A key package opens one welcome; one that cannot be
    /// opened does not use it up, or else anybody could send nonsense first.
    pub fn stage_welcome(&self, bytes: &[u8]) -> Outcome<StagedJoin> {
        let welcome = message::welcome(bytes)?;
        let provider = &self.core.provider;
        let saved = provider.storage().save_key_packages();
        let staged = StagedWelcome::build_from_welcome(provider, &join_config(), welcome)
            // Leaves that were never renewed live for 84 days at OpenMLS; a longer group must still take newcomers.
            .and_then(|builder| builder.skip_lifetime_validation().build());
        let join = staged.map_err(Failure::from).and_then(|staged| StagedJoin::new(Rc::clone(&self.core), staged));
        if join.is_err() {
            provider.storage().restore_key_packages(saved);
        }
        join
    }

    /// How much the vault holds, for tests.
    #[doc(hidden)]
    pub fn vault_len(&self) -> usize {
        self.core.provider.storage().len()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        scrub_stack();
    }
}
