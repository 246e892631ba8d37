/**
 * End-to-end encryption of groups (MLS, RFC 9420): the port that sessions use, the engine behind it, and the checks that bind
 * an MLS member to a SLIM identity.
 *
 * The engine is OpenMLS compiled to WebAssembly; `loadOpenMls` reads it when the first session wants it. Everything is
 * synchronous, in memory, and without I/O: commits and welcomes are bytes that the caller sends. Each object in wasm memory has
 * one owner, and must be freed; a call on a freed one is an error and never a crash. Commits and welcomes are staged first, so
 * that the tokens in their leaves can be checked before they count: MLS authenticates keys, not names.
 *
 * Knows nothing of sessions, of the wire format around MLS messages, or of how tokens are made.
 *
 * @packageDocumentation
 */
export {
  checkCommit,
  checkCommitShape,
  checkKeyPackage,
  checkLeaf,
  checkMembers,
  type CommitSubjects,
  type LeafChecks,
  type LeafHolder,
  type LeafToken,
  type LeafTokenVerifier,
} from './leaf-check.js';
export type {
  CommitOptions,
  Decrypted,
  KeyPackageInfo,
  Leaf,
  LeafIdentity,
  MlsAddition,
  MlsClient,
  MlsEngine,
  MlsGroup,
  MlsSuite,
  StagedCommit,
  StagedJoin,
} from './mls-port.js';
export { loadOpenMls } from './openmls-adapter.js';
