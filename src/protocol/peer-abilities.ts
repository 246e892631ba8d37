import type { Name } from '../name/index.js';
import { RecentSet } from '../util/index.js';

/** Whom the tokens of 0.7.x peers name with a shared secret: `org/ns/app`, then 8 random letters or digits. */
const OLD_SUBJECT = /^([^/]+\/[^/]+\/[^/]+)_[0-9A-Za-z]{8}$/;

/** The same of later ones: `org/ns/app/id`. */
const LATER_SUBJECT = /^([^/]+\/[^/]+\/[^/]+)\/[^/]+_[0-9A-Za-z]{8}$/;

/** What is behind a name in a subject. */
const SUFFIX_LENGTH = 9;

/** How many members are remembered, those that have left included: who comes back into the session is the same program. */
const MAX_MEMBERS = 1024;

/**
 * Which members of a group with MLS can read what is encrypted (session.md 8.3). 0.7.0 to 1.0.0 agree on keys, and then send and
 * read clear text only: their application would get the ciphertext. Who can is found before anybody has spoken, where anything
 * tells it:
 *
 * - With a shared secret, the token in the leaf of a 0.7.x member names `org/ns/app`; later ones name `org/ns/app/id`.
 * - From 1.3 on the token of each message vouches for a key.
 * - Members of ours name their own id there, which the bindings of 1.x never do. They read both, whatever they were told to send.
 *
 * Nothing tells 1.0.0 from 1.0.1 … 1.2, nor 0.7.x from 1.0 … 1.2 with JWTs: they count as members that can, for that gives no
 * text away. What a member sends settles it.
 */
export class PeerAbilities {
  /** Who sent ciphertext, or whose tokens vouch for a key as those of 1.3 and later do. Nothing that is clear undoes it. */
  readonly #encrypting = new RecentSet<string>(MAX_MEMBERS);
  /** Who sent in clear. */
  readonly #clear = new RecentSet<string>(MAX_MEMBERS);
  /** What leaves of 0.7.x members name, and no leaf of a later one. */
  #oldNames: ReadonlySet<string> = new Set();
  /** What leaves of later members name, with the id. */
  #instances: ReadonlySet<string> = new Set();

  /** Whether nobody was ever taken for one that reads clear text only: the common case, found at once. */
  get allRead(): boolean {
    return this.#clear.isEmpty && this.#oldNames.size === 0;
  }

  /** Whether a member can read clear text only. */
  readsClearOnly(name: Name): boolean {
    if (this.allRead || this.#encrypting.has(name.key) || this.#instances.has(name.toString())) return false;
    return this.#clear.has(name.key) || this.#oldNames.has(name.withoutId().toString());
  }

  /**
   * The members of the MLS group, by the subjects of their tokens. Nothing ties a subject to one member: where two of one name
   * differ, one may have given itself the name of the other, and neither counts as old.
   */
  setSubjects(subjects: readonly string[]): void {
    const laterSubjects = subjects.filter((subject) => LATER_SUBJECT.test(subject));
    this.#instances = new Set(laterSubjects.map((subject) => subject.slice(0, -SUFFIX_LENGTH)));
    const later = new Set(appsOf(laterSubjects, LATER_SUBJECT));
    this.#oldNames = new Set(appsOf(subjects, OLD_SUBJECT).filter((app) => !later.has(app)));
  }

  /** A payload of a member came in; false if that says nothing new. */
  onPayload(name: Name, isClear: boolean): boolean {
    if (!isClear) return this.#encrypting.add(name.key);
    return !this.#encrypting.has(name.key) && this.#clear.add(name.key);
  }

  /** A token of a member vouches for a key; false if that says nothing new. */
  onKey(name: Name): boolean {
    return this.#encrypting.add(name.key);
  }
}

/** Whether a token with a shared secret names its app as those of 0.7.x do. Later ones do so where an application wanted it. */
export function isOldSubject(subject: string): boolean {
  return OLD_SUBJECT.test(subject);
}

function appsOf(subjects: readonly string[], form: RegExp): string[] {
  return subjects.flatMap((subject) => form.exec(subject)?.[1] ?? []);
}
