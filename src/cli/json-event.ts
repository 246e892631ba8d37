import type { ChatEvent } from '../chat/index.js';
import { anyOf, Characters } from '../util/index.js';

/** Version of the JSON contract. */
const VERSION = 1;

// JSON.stringify leaves these as they are, and the output may end up on a terminal.
const UNSAFE = anyOf(Characters.highControls, Characters.lineSeparators, Characters.bidiControls);

/** One event as a line of JSON, without its end. */
export function formatJsonEvent({ type, at, ...rest }: ChatEvent): string {
  const fields: Record<string, unknown> = { ...rest };
  // Numbers of this program's own, which mean nothing outside.
  delete fields['key'];
  return JSON.stringify({ v: VERSION, type, at, ...fields }).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
