import { MlsError, type MlsErrorCode, type SlimErrorOptions } from '../util/index.js';

const TEXTS: Readonly<Record<MlsErrorCode, string>> = {
  'mls-malformed': 'These bytes are not MLS.',
  'mls-wrong-type': 'This is another kind of MLS message than the one that was expected.',
  'mls-unsupported-suite': 'The other side uses a cipher suite or a feature that this group does not.',
  'mls-bad-signature': 'A signature does not hold.',
  'mls-tree-mismatch': 'The message does not lead to the group state that it says.',
  'mls-lifetime-not-yet': 'The key package is not valid yet; one of the two clocks is wrong.',
  'mls-lifetime-expired': 'The key package is not valid any more.',
  'mls-no-key-package': 'The welcome is for a key package that is not ours, or that was used before.',
  'mls-wrong-group': 'The message belongs to another group.',
  'mls-wrong-epoch-past': 'The message belongs to an epoch that is over, for us or for its sender.',
  'mls-wrong-epoch-future': 'The message belongs to an epoch to come; a commit is missing.',
  'mls-unknown-sender': 'The sender is not a member of the group.',
  'mls-own-message': 'This is a message of our own.',
  'mls-unexpected-commit': 'The commit changes something else than it should.',
  'mls-aead': 'The message cannot be decrypted; it was changed, or made with other keys.',
  'mls-replay': 'The message was decrypted before.',
  'mls-too-far-ahead': 'Too many messages of this sender are missing before this one.',
  'mls-too-far-behind': 'The message is so late that its key is gone.',
  'mls-duplicate-member': 'That key is in the group already.',
  'mls-unknown-member': 'There is no such member to remove.',
  'mls-pending-commit': 'Another change of the group is not completed yet.',
  'mls-no-pending-commit': 'There is no change of the group to complete.',
  'mls-inactive': 'This member was removed from the group.',
  'mls-token-malformed': 'The identity token of the member is malformed.',
  'mls-token-mac': 'The identity token of the member is forged, made with another secret or key, or for others.',
  'mls-token-expired': 'The identity token of the member is expired.',
  'mls-token-future': 'The identity token of the member is from the future; one of the two clocks is wrong.',
  'mls-pubkey-missing': 'The identity token of the member names no key.',
  'mls-pubkey-mismatch': 'The identity token of the member is about another key.',
  'mls-subject-duplicate': 'There is a member of that identity already.',
  'mls-successor-mismatch': 'The member comes back from a key update as somebody else.',
  'mls-no-credential': 'The MLS client has no credential yet.',
  'mls-freed': 'This MLS object was freed.',
  'mls-internal': 'The MLS engine failed.',
};

/**
 * The error of a code, with its text for people.
 *
 * @param options - `cause` and `details`; details never hold a token or a key
 * @internal
 */
export function mlsError(code: MlsErrorCode, options?: SlimErrorOptions): MlsError {
  return new MlsError(code, TEXTS[code], options);
}

/**
 * Whether a text is one of the codes.
 *
 * @internal
 */
export function isMlsErrorCode(text: string): text is MlsErrorCode {
  return Object.hasOwn(TEXTS, text);
}
