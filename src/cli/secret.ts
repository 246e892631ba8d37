import { readFileSync } from 'node:fs';

import { validateSecret } from '../auth/index.js';
import { ConfigError, invisibleEnd, UsageError, withoutByteOrderMark } from '../util/index.js';

// Public on purpose: a first try on one computer needs no key exchange. It protects nothing, and the screen says so.
const DEMO_SECRET = 'slim-chat demo secret, known to everybody, protects nothing';

/** Where the shared secret may come from. */
export interface SecretSources {
  /** `--shared-secret` or its variable. */
  readonly text: string | undefined;
  /** `--shared-secret-file` or its variable. */
  readonly file: string | undefined;
  /** What the user has set of these, for messages. */
  readonly label: string;
  /** Whether the node cannot be reached from other computers. */
  readonly isLoopback: boolean;
  /** Where the node is, for people. */
  readonly endpoint: string;
}

/** A secret, kept from being printed by accident. */
export class Secret {
  readonly #value: string;
  /** Whether it is the public one. */
  readonly isDemo: boolean;

  constructor(value: string, isDemo: boolean) {
    this.#value = value;
    this.isDemo = isDemo;
  }

  /** The secret itself. */
  reveal(): string {
    return this.#value;
  }
}

/**
 * Finds the shared secret: the text, the file, or, for a node on this computer, the public demo secret. The same characters make
 * the same secret wherever they come from: a byte order mark before them and line ends after them are left out, which editors and
 * `echo` add and nobody means.
 *
 * @throws UsageError `missing-option`, `invalid-option`, `secret-too-short`; ConfigError `bad-config` for an unreadable file
 */
export function findSecret({ text, file, label, isLoopback, endpoint }: SecretSources): Secret {
  if (text !== undefined && file !== undefined) {
    throw new UsageError('invalid-option', 'Give either --shared-secret or --shared-secret-file, not both.');
  }
  const value = text ?? (file === undefined ? undefined : readSecret(file, label));
  if (value !== undefined) {
    const secret = withoutByteOrderMark(value).replace(LINE_ENDS, '');
    checkVisible(secret, label);
    validateSecret(secret);
    return new Secret(secret, false);
  }
  if (isLoopback) return new Secret(DEMO_SECRET, true);
  throw new UsageError(
    'missing-option',
    `A shared secret is needed for ${endpoint}; the demo secret is for this computer only. ` +
      'Give --shared-secret-file FILE or set SLIM_SHARED_SECRET, the same at every member.',
  );
}

const LINE_ENDS = /[\r\n]+$/;

/** What stands in for bytes that are no UTF-8, however many different ones there were. */
const NO_TEXT = '\ufffd';

/**
 * Other members use the secret byte by byte. What nobody sees at its ends is hardly meant, but is not ours to take away: with the
 * others it may count, and then no one of them would meet us.
 */
function checkVisible(secret: string, label: string): void {
  if (secret.includes(NO_TEXT)) {
    throw new UsageError(
      'invalid-option',
      `The shared secret of ${label} is not text in UTF-8. To make one: openssl rand -base64 32`,
    );
  }
  const end = invisibleEnd(secret);
  if (end === undefined) return;
  throw new UsageError(
    'invalid-option',
    `The shared secret of ${label} begins or ends with something that nobody sees (${end}). ` +
      'Take it away, here and at every other member that has it.',
  );
}

// Neither the path nor Node's error, which has it, is shown: somebody may have given the secret instead of a file.
function readSecret(file: string, label: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError('bad-config', `Cannot read the file of ${label} (${code}).`);
  }
}
