import type { Name } from '../name/index.js';
import { RecentSet } from '../util/index.js';
import type { Delivered, Effect, Env, MlsPolicy, SessionNotice } from './machine.js';
import type { MlsOperations } from './mls-operations.js';
import { PeerAbilities } from './peer-abilities.js';

/** An MLSMessage of version 1 with a PrivateMessage inside begins like this. */
const PRIVATE_MESSAGE_START = [0, 1, 0, 2] as const;

/** What can become of a payload that came in. */
export interface OpenHandlers {
  /** It is readable; `delivered` says whether it was encrypted. */
  onOpened(delivered: Delivered, env: Env): Effect[];
  /** It was opened before. */
  onDuplicate(): Effect[];
  /** It came in clear and the policy forbids that: it counts as arrived, but is not shown. */
  onRefused(): Effect[];
}

/** Who is in the group, as far as the protection must know. */
export interface Membership {
  /** Everybody but this app. */
  readonly others: readonly Name[];
  isMember(name: Name): boolean;
}

/**
 * What a member gets of a message that was encrypted: the ciphertext; a copy in clear, where that is asked for; or nothing, because
 * its application would be given bytes that it cannot read.
 */
export type Copy = 'sealed' | 'clear' | 'none';

/**
 * What a member that cannot read ciphertext is told when it asks for a message that it must not have in clear. Without an answer
 * it would take it for lost, and `group.py` of 0.7.0 ends then.
 */
export const UNREADABLE_NOTE = {
  payloadType: 'msg',
  blob: new TextEncoder().encode('(a message that is encrypted: this version of SLIM cannot read it)'),
} as const;

/**
 * Encryption of payloads in a session with MLS (session.md 8.3). Peers from 1.0.1 on encrypt, those before only keep the keys;
 * {@link PeerAbilities} says how they are told apart.
 *
 * Each change of protection is told as a notice of kind `mls`, before the first message that it is about, so that nothing is ever
 * downgraded in silence.
 */
export class PayloadProtection {
  readonly #policy: MlsPolicy;
  readonly #mls: MlsOperations;
  readonly #group: Membership;
  readonly #abilities = new PeerAbilities();
  /** Messages that could not be decrypted, and were told of: they come again and again. */
  readonly #undecryptable = new RecentSet<string>();
  #epoch: number | undefined;
  #told: string | undefined;

  constructor(policy: MlsPolicy, mls: MlsOperations, group: Membership) {
    this.#policy = policy;
    this.#mls = mls;
    this.#group = group;
  }

  /** Whether the next payload leaves as ciphertext. */
  get isEncrypting(): boolean {
    if (this.#policy === 'clear') return false;
    if (this.#policy === 'require' || this.#abilities.allRead) return true;
    const { others } = this.#group;
    return others.length === 0 || !others.every((name) => this.#abilities.readsClearOnly(name));
  }

  /** Whether it does, and somebody must not get that: then nothing may go to the channel, where all of them listen. */
  get isDivided(): boolean {
    if (this.#abilities.allRead || !this.isEncrypting) return false;
    return this.#group.others.some((name) => this.copyFor(name) !== 'sealed');
  }

  /** Whether members that cannot decrypt get copies in clear of what is encrypted for the others. */
  get givesClearCopies(): boolean {
    return this.#policy === 'mixed';
  }

  /** What a member gets of a message that was encrypted for those who can read that. What `require` asks for is the same for all. */
  copyFor(name: Name): Copy {
    if (this.#policy === 'require' || !this.#abilities.readsClearOnly(name)) return 'sealed';
    return this.givesClearCopies ? 'clear' : 'none';
  }

  /**
   * The group is there, or has moved on; {@link tell} follows when the list of members is up to date.
   *
   * @param subjects - of the tokens of all its members, where they may have changed
   */
  onEpoch(epoch: number, subjects?: readonly string[]): void {
    this.#epoch = epoch;
    if (subjects !== undefined) this.#abilities.setSubjects(subjects);
  }

  /** A member was heard of. `vouchesForKey`: whether its token does. */
  onHeard(name: Name, vouchesForKey: boolean): Effect[] {
    return vouchesForKey && this.#group.isMember(name) && this.#abilities.onKey(name) ? this.tell() : [];
  }

  /** Tells the state if it differs from what was told last. */
  tell(): Effect[] {
    const notice = this.#notice();
    const key = JSON.stringify(notice);
    if (key === this.#told) return [];
    this.#told = key;
    return [{ kind: 'notify', notice }];
  }

  /** Encrypts a payload. */
  seal(payload: Uint8Array, next: Parameters<MlsOperations['request']>[1]): Effect[] {
    return this.#mls.request({ op: 'encrypt', payload }, next);
  }

  /** Makes a payload readable, or says why it is not. */
  open(delivered: Delivered, env: Env, handlers: OpenHandlers): Effect[] {
    const { message, subject, payload } = delivered;
    const { source } = message.header;
    if (!isPrivateMessage(payload)) {
      const noted = this.#note(source, true);
      if (this.#policy !== 'require') return [...noted, ...handlers.onOpened(delivered, env)];
      const text = `a message of ${source.toString()} came in clear and is not shown`;
      return [...noted, warning('mls-clear-refused', text), ...handlers.onRefused()];
    }
    return this.#mls.request({ op: 'decrypt', ciphertext: payload, subject }, (result, later) => {
      if (result.ok) {
        const opened = { ...delivered, payload: result.bytes, isEncrypted: true };
        return [...this.#note(source, false), ...handlers.onOpened(opened, later)];
      }
      switch (result.error.code) {
        case 'mls-replay':
          return handlers.onDuplicate();
        // The commit before it has not arrived, or our welcome: not acknowledged, so it comes again. Or it is from before our time.
        case 'mls-wrong-epoch-future':
        case 'mls-inactive':
        case 'mls-wrong-epoch-past':
          return [];
        default: {
          if (!this.#undecryptable.add(`${source.key}:${String(message.session.messageId)}`)) return [];
          const text = `could not decrypt a message of ${source.toString()}: ${result.error.message}`;
          return [warning('mls-decrypt-failed', text)];
        }
      }
    });
  }

  #note(source: Name, isClear: boolean): Effect[] {
    return this.#group.isMember(source) && this.#abilities.onPayload(source, isClear) ? this.tell() : [];
  }

  #notice(): SessionNotice {
    if (this.#epoch === undefined) return { kind: 'mls', state: 'joining', clearPeers: [] };
    const clearPeers = this.#group.others.filter((name) => this.#abilities.readsClearOnly(name));
    const isOn = this.isEncrypting;
    const clearCopies = isOn && this.givesClearCopies && clearPeers.length > 0;
    return {
      kind: 'mls',
      state: isOn ? 'on' : 'keys-only',
      epoch: this.#epoch,
      clearPeers,
      ...(clearCopies && { clearCopies }),
    };
  }
}

function isPrivateMessage(bytes: Uint8Array): boolean {
  return PRIVATE_MESSAGE_START.every((byte, index) => bytes[index] === byte);
}

function warning(code: 'mls-clear-refused' | 'mls-decrypt-failed', text: string): Effect {
  return { kind: 'notify', notice: { kind: 'warning', code, text } };
}
