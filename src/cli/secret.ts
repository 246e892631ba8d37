import { readFileSync } from 'node:fs';

import { validateSecret } from '../auth/index.js';
import { ConfigError, UsageError } from '../util/index.js';

// Public on purpose: a first try on one computer needs no key exchange. It protects nothing, and the screen says so.
const DEMO_SECRET = 'slim-chat demo secret, known to everybody, protects nothing';

/** Where the shared secret may come from. */
export interface SecretSources {
  /** `--shared-secret` or its variable. */
  readonly text: string | undefined;
  /** `--shared-secret-file` or its variable. */
  readonly file: string | undefined;
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
 * Finds the shared secret: the text, the file, or, for a node on this computer, the public demo secret.
 *
 * @throws UsageError `missing-option`, `invalid-option`, `secret-too-short`; ConfigError `bad-config` for an unreadable file
 */
export function findSecret({ text, file, isLoopback, endpoint }: SecretSources): Secret {
  if (text !== undefined && file !== undefined) {
    throw new UsageError('invalid-option', 'Give either --shared-secret or --shared-secret-file, not both.');
  }
  const value = text ?? (file === undefined ? undefined : readSecret(file));
  if (value !== undefined) {
    validateSecret(value);
    return new Secret(value, false);
  }
  if (isLoopback) return new Secret(DEMO_SECRET, true);
  throw new UsageError(
    'missing-option',
    `A shared secret is needed for ${endpoint}; the demo secret is for this computer only. ` +
      'Give --shared-secret-file FILE or set SLIM_SHARED_SECRET, the same at every member.',
  );
}

function readSecret(file: string): string {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError('bad-config', `Cannot read the shared secret from ${JSON.stringify(file)} (${code}).`, {
      cause: error,
    });
  }
  // Editors end a file with a line end that nobody means.
  return content.replace(/\r?\n$/, '');
}
