import type { Name } from '../name/index.js';
import { RecentSet } from '../util/index.js';
import type { Delivered, Effect, Env, MlsPolicy, SessionNotice } from './machine.js';
import type { MlsOperations } from './mls-operations.js';

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

/** Whom the protection must know: everybody but this app. */
export type OtherMembers = () => readonly Name[];

/**
 * Encryption of payloads in a session with MLS (session.md 8.3). Nothing in the handshake tells peers that encrypt (1.0.1 and
 * later) from those that only keep keys (0.7.0 to 1.0.0); what they send does.
 *
 * Each change of protection is told as a notice of kind `mls`, so that nothing is ever downgraded in silence.
 */
export class PayloadProtection {
  readonly #policy: MlsPolicy;
  readonly #mls: MlsOperations;
  readonly #others: OtherMembers;
  /** How each member sends, as far as it has sent. */
  readonly #sendsClear = new Map<string, boolean>();
  /** Messages that could not be decrypted, and were told of: they come again and again. */
  readonly #undecryptable = new RecentSet<string>();
  #epoch: number | undefined;
  #told: string | undefined;

  constructor(policy: MlsPolicy, mls: MlsOperations, others: OtherMembers) {
    this.#policy = policy;
    this.#mls = mls;
    this.#others = others;
  }

  /** Whether the next payload leaves as ciphertext. */
  get isEncrypting(): boolean {
    if (this.#policy === 'clear') return false;
    if (this.#policy === 'require') return true;
    const others = this.#others();
    return others.length === 0 || !others.every((name) => this.#sendsClear.get(name.key) === true);
  }

  /** The group is there, or has moved on. */
  onEpoch(epoch: number): Effect[] {
    this.#epoch = epoch;
    return this.tell();
  }

  /** Tells the state if it differs from what was told last. */
  tell(): Effect[] {
    const notice = this.#notice();
    const key = JSON.stringify(notice);
    if (key === this.#told) return [];
    this.#told = key;
    return [{ kind: 'notify', notice }];
  }

  /** A member that is gone. */
  forget(name: Name): void {
    this.#sendsClear.delete(name.key);
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
    if (this.#sendsClear.get(source.key) === isClear) return [];
    this.#sendsClear.set(source.key, isClear);
    return this.tell();
  }

  #notice(): SessionNotice {
    if (this.#epoch === undefined) return { kind: 'mls', state: 'joining', clearPeers: [] };
    const clearPeers = this.#others().filter((name) => this.#sendsClear.get(name.key) === true);
    return { kind: 'mls', state: this.isEncrypting ? 'on' : 'keys-only', epoch: this.#epoch, clearPeers };
  }
}

function isPrivateMessage(bytes: Uint8Array): boolean {
  return PRIVATE_MESSAGE_START.every((byte, index) => bytes[index] === byte);
}

function warning(code: 'mls-clear-refused' | 'mls-decrypt-failed', text: string): Effect {
  return { kind: 'notify', notice: { kind: 'warning', code, text } };
}
