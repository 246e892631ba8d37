import type { Name } from '../name/index.js';

/** What the tokens of 0.7.x and of later peers have in common: 8 random letters or digits at the end of the subject. */
const SUBJECT_SUFFIX = /_[0-9A-Za-z]{8}$/;
const SUFFIX_LENGTH = 9;

/** How a member handles payloads in a group with MLS, and how that is known. What is missing: nothing is known, so it encrypts. */
type Finding =
  /** It sent ciphertext, or its tokens vouch for a key as those of 1.3 and later do. Final: nothing that is clear undoes it. */
  | 'encrypts'
  /** It sent in clear. */
  | 'sent-clear';

/**
 * Which members of a group with MLS can read what is encrypted (session.md 8.3). 0.7.0 to 1.0.0 agree on keys, and then send and
 * read clear text only: their application would get the ciphertext. Who can is found before anybody has spoken, where anything
 * tells it:
 *
 * - With a shared secret, the token in the leaf of a 0.7.x member names `org/ns/app`; later ones name `org/ns/app/id`.
 * - From 1.3 on the token of each message vouches for a key.
 *
 * Nothing tells 1.0.0 from 1.0.1 … 1.2, nor 0.7.x from 1.0 … 1.2 with JWTs: they count as members that can, for that gives no
 * text away. What a member sends settles it.
 */
export class PeerAbilities {
  readonly #findings = new Map<string, Finding>();
  /** What leaves of 0.7.x members name. */
  #oldNames: ReadonlySet<string> = new Set();

  /** Whether nobody is taken for one that reads clear text only; the common case, found at once. */
  get allRead(): boolean {
    return this.#findings.size === 0 ? this.#oldNames.size === 0 : false;
  }

  /** Whether a member can read clear text only. */
  readsClearOnly(name: Name): boolean {
    const finding = this.#findings.get(name.key);
    if (finding !== undefined) return finding === 'sent-clear';
    return this.#oldNames.size > 0 && this.#oldNames.has(name.withoutId().toString());
  }

  /** The members of the MLS group, by the subjects of their tokens. */
  setSubjects(subjects: readonly string[]): void {
    const old = subjects.filter((subject) => SUBJECT_SUFFIX.test(subject));
    this.#oldNames = new Set(old.map((subject) => subject.slice(0, -SUFFIX_LENGTH)));
  }

  /** A payload of a member came in; false if that was known already. */
  onPayload(name: Name, isClear: boolean): boolean {
    return this.#note(name, isClear ? 'sent-clear' : 'encrypts');
  }

  /** A token of a member vouches for a key. */
  onKey(name: Name): boolean {
    return this.#note(name, 'encrypts');
  }

  /** A member that is gone. */
  forget(name: Name): void {
    this.#findings.delete(name.key);
  }

  #note(name: Name, finding: Finding): boolean {
    const known = this.#findings.get(name.key);
    if (known === finding || known === 'encrypts') return false;
    this.#findings.set(name.key, finding);
    return true;
  }
}
