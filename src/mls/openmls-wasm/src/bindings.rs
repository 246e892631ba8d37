//! What JavaScript sees: the types of this crate with bytes in and bytes out. No decisions are made here.
//!
//! A failure is thrown as an `Error` whose message is `code|lifetime|detail`; the adapter in TypeScript takes it apart. A
//! panic is a `RuntimeError` instead, and leaves the object it happened in unusable.

use wasm_bindgen::prelude::*;

use crate::client;
use crate::failure::{Code, Failure};
use crate::group;

type Js<T> = Result<T, JsError>;

impl From<Failure> for JsError {
    fn from(Failure { code, lifetime, detail }: Failure) -> Self {
        let lifetime = lifetime.map(|seconds| seconds.to_string()).unwrap_or_default();
        JsError::new(&format!("{}|{lifetime}|{detail}", code.as_str()))
    }
}

#[wasm_bindgen(getter_with_clone)]
pub struct Identity {
    #[wasm_bindgen(readonly)]
    pub credential: Vec<u8>,
    #[wasm_bindgen(readonly, js_name = signatureKey)]
    pub signature_key: Vec<u8>,
}

impl From<client::Identity> for Identity {
    fn from(client::Identity { credential, signature_key }: client::Identity) -> Self {
        Identity { credential, signature_key }
    }
}

#[wasm_bindgen(getter_with_clone)]
pub struct Leaf {
    #[wasm_bindgen(readonly)]
    pub index: u32,
    #[wasm_bindgen(readonly)]
    pub credential: Vec<u8>,
    #[wasm_bindgen(readonly, js_name = signatureKey)]
    pub signature_key: Vec<u8>,
}

impl From<group::Leaf> for Leaf {
    fn from(group::Leaf { index, identity }: group::Leaf) -> Self {
        Leaf { index, credential: identity.credential, signature_key: identity.signature_key }
    }
}

#[wasm_bindgen(getter_with_clone)]
pub struct KeyPackageInfo {
    #[wasm_bindgen(readonly)]
    pub credential: Vec<u8>,
    #[wasm_bindgen(readonly, js_name = signatureKey)]
    pub signature_key: Vec<u8>,
    #[wasm_bindgen(readonly)]
    pub suite: u16,
    #[wasm_bindgen(readonly, js_name = notBefore)]
    pub not_before: u64,
    #[wasm_bindgen(readonly, js_name = notAfter)]
    pub not_after: u64,
}

#[wasm_bindgen(getter_with_clone)]
pub struct Addition {
    #[wasm_bindgen(readonly)]
    pub commit: Vec<u8>,
    #[wasm_bindgen(readonly)]
    pub welcome: Vec<u8>,
}

#[wasm_bindgen(getter_with_clone)]
pub struct Opened {
    #[wasm_bindgen(readonly)]
    pub plaintext: Vec<u8>,
    #[wasm_bindgen(readonly)]
    pub sender: u32,
    #[wasm_bindgen(readonly)]
    pub aad: Vec<u8>,
    #[wasm_bindgen(readonly)]
    pub epoch: u64,
}

#[wasm_bindgen]
pub struct Client(client::Client);

#[wasm_bindgen]
impl Client {
    #[wasm_bindgen(constructor)]
    pub fn new(suite: u16) -> Js<Client> {
        Ok(Client(client::Client::new(suite)?))
    }

    #[wasm_bindgen(js_name = fromKey)]
    pub fn from_key(suite: u16, private_key: Vec<u8>, public_key: Vec<u8>) -> Js<Client> {
        Ok(Client(client::Client::from_key(suite, private_key, public_key)?))
    }

    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> Vec<u8> {
        self.0.public_key()
    }

    #[wasm_bindgen(js_name = setCredential)]
    pub fn set_credential(&self, credential: Vec<u8>) {
        self.0.set_credential(credential);
    }

    pub fn sign(&self, data: &[u8]) -> Js<Vec<u8>> {
        Ok(self.0.sign(data)?)
    }

    #[wasm_bindgen(js_name = createKeyPackage)]
    pub fn create_key_package(&self) -> Js<Vec<u8>> {
        Ok(self.0.create_key_package()?)
    }

    #[wasm_bindgen(js_name = inspectKeyPackage)]
    pub fn inspect_key_package(&self, bytes: &[u8]) -> Js<KeyPackageInfo> {
        let client::KeyPackageInfo { identity, suite, not_before, not_after } = self.0.inspect_key_package(bytes)?;
        let Identity { credential, signature_key } = identity.into();
        Ok(KeyPackageInfo { credential, signature_key, suite, not_before, not_after })
    }

    #[wasm_bindgen(js_name = createGroup)]
    pub fn create_group(&self) -> Js<Group> {
        Ok(Group(self.0.create_group()?))
    }

    #[wasm_bindgen(js_name = stageWelcome)]
    pub fn stage_welcome(&self, bytes: &[u8]) -> Js<StagedJoin> {
        Ok(StagedJoin(Some(self.0.stage_welcome(bytes)?)))
    }
}

/// Empty once it was accepted.
#[wasm_bindgen]
pub struct StagedJoin(Option<group::StagedJoin>);

fn used_up() -> Failure {
    Failure::new(Code::Internal, "used up")
}

#[wasm_bindgen]
impl StagedJoin {
    pub fn members(&self) -> Js<Vec<Leaf>> {
        Ok(self.0.as_ref().ok_or_else(used_up)?.members.iter().cloned().map(Leaf::from).collect())
    }

    #[wasm_bindgen(getter)]
    pub fn sender(&self) -> Js<u32> {
        Ok(self.0.as_ref().ok_or_else(used_up)?.sender)
    }

    #[wasm_bindgen(getter, js_name = ownIndex)]
    pub fn own_index(&self) -> Js<u32> {
        Ok(self.0.as_ref().ok_or_else(used_up)?.own_index)
    }

    pub fn accept(&mut self) -> Js<Group> {
        Ok(Group(self.0.take().ok_or_else(used_up)?.accept()?))
    }
}

/// Empty once it was merged.
#[wasm_bindgen]
pub struct StagedCommit(Option<group::StagedChange>);

impl StagedCommit {
    fn get(&self) -> Js<&group::StagedChange> {
        Ok(self.0.as_ref().ok_or_else(used_up)?)
    }
}

#[wasm_bindgen]
impl StagedCommit {
    #[wasm_bindgen(getter)]
    pub fn committer(&self) -> Js<u32> {
        Ok(self.get()?.committer)
    }

    pub fn added(&self) -> Js<Vec<Identity>> {
        Ok(self.get()?.added.iter().cloned().map(Identity::from).collect())
    }

    pub fn removed(&self) -> Js<Vec<u32>> {
        Ok(self.get()?.removed.clone())
    }

    pub fn path(&self) -> Js<Option<Identity>> {
        Ok(self.get()?.path.clone().map(Identity::from))
    }

    #[wasm_bindgen(getter, js_name = selfRemoved)]
    pub fn self_removed(&self) -> Js<bool> {
        Ok(self.get()?.self_removed)
    }
}

#[wasm_bindgen]
pub struct Group(group::Group);

#[wasm_bindgen]
impl Group {
    #[wasm_bindgen(getter, js_name = groupId)]
    pub fn group_id(&self) -> Vec<u8> {
        self.0.group_id()
    }

    #[wasm_bindgen(getter)]
    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    #[wasm_bindgen(getter, js_name = ownIndex)]
    pub fn own_index(&self) -> u32 {
        self.0.own_index()
    }

    #[wasm_bindgen(getter)]
    pub fn active(&self) -> bool {
        self.0.is_active()
    }

    pub fn members(&self) -> Js<Vec<Leaf>> {
        Ok(self.0.members()?.into_iter().map(Leaf::from).collect())
    }

    pub fn add(&mut self, key_package: &[u8], refresh: Option<Vec<u8>>) -> Js<Addition> {
        let (commit, welcome) = self.0.add(key_package, refresh)?;
        Ok(Addition { commit, welcome })
    }

    pub fn remove(&mut self, index: u32, refresh: Option<Vec<u8>>) -> Js<Vec<u8>> {
        Ok(self.0.remove(index, refresh)?)
    }

    #[wasm_bindgen(js_name = mergePending)]
    pub fn merge_pending(&mut self) -> Js<()> {
        Ok(self.0.merge_pending()?)
    }

    #[wasm_bindgen(js_name = clearPending)]
    pub fn clear_pending(&mut self) -> Js<()> {
        Ok(self.0.clear_pending()?)
    }

    #[wasm_bindgen(js_name = stageCommit)]
    pub fn stage_commit(&mut self, bytes: &[u8]) -> Js<StagedCommit> {
        Ok(StagedCommit(Some(self.0.stage_commit(bytes)?)))
    }

    #[wasm_bindgen(js_name = mergeStaged)]
    pub fn merge_staged(&mut self, commit: &mut StagedCommit) -> Js<()> {
        Ok(self.0.merge_staged(commit.0.take().ok_or_else(used_up)?)?)
    }

    pub fn encrypt(&mut self, plaintext: &[u8], aad: Vec<u8>) -> Js<Vec<u8>> {
        Ok(self.0.encrypt(plaintext, aad)?)
    }

    pub fn decrypt(&mut self, bytes: &[u8]) -> Js<Opened> {
        let group::Opened { plaintext, sender, aad, epoch } = self.0.decrypt(bytes)?;
        Ok(Opened { plaintext, sender, aad, epoch })
    }

    #[wasm_bindgen(js_name = exportSecret)]
    pub fn export_secret(&self, label: &str, context: &[u8], length: usize) -> Js<Vec<u8>> {
        Ok(self.0.export_secret(label, context, length)?)
    }
}
