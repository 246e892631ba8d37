import { sanitiseLine } from '../chat/index.js';
import { AuthError, type ErrorCode, type SlimError } from '../util/index.js';

/** How to start this program, for lines that are to be pasted. */
export const PROGRAM = 'npx slim-chat';

/** What to do, where the error itself does not say it. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  refused: `To start one here: ${PROGRAM} node`,
  'not-a-slim-node': 'Or use another port at every member: --slim http://127.0.0.1:46400',
  'unsupported-generation': `To start one here: ${PROGRAM} node --listen 127.0.0.1:46400, and --slim http://127.0.0.1:46400 at every member`,
  'port-in-use': `Use another port: ${PROGRAM} node --listen 127.0.0.1:46400, and --slim http://127.0.0.1:46400`,
};

/** What ends the program before or instead of a chat, in words: the error, then what to do. No stack. */
export function errorScreen(error: SlimError): readonly string[] {
  const hint = typeof error.details?.['hint'] === 'string' ? error.details['hint'] : undefined;
  const what = hint === undefined ? error.message : error.message.replace(`. ${hint}`, '');
  const lines = [`slim-chat: ${sanitiseLine(what)}`];
  if (hint !== undefined) lines.push(`  ${sanitiseLine(hint)}`);
  const advice = ADVICE[error.code];
  if (advice !== undefined) lines.push(`  ${advice}`);
  if (error instanceof AuthError && hint === undefined) lines.push('  Check --shared-secret');
  return lines;
}

/** What a bug looks like to the user. */
export function crashScreen(crashFile: string | undefined, error: unknown): readonly string[] {
  if (crashFile !== undefined) {
    return [`slim-chat: unexpected error, this is a bug. Details: ${crashFile}`];
  }
  const text = error instanceof Error ? error.message : String(error);
  return [`slim-chat: unexpected error, this is a bug: ${sanitiseLine(text)}`];
}
