import { readSwitch } from './switch-word.js';

/** What decides how the chat is shown. */
export interface Surroundings {
  readonly isJson: boolean;
  readonly isPlain: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number };
}

/** How the chat is shown: redrawn in a terminal, line by line, or as JSON Lines. */
export type RunMode = 'tui' | 'plain' | 'json';

// Below this the live region has no place, and terminals without a size report zero.
const MIN_ROWS = 6;
const MIN_COLUMNS = 20;

/** Chooses the run mode. The terminal UI needs a real terminal on both ends, and nobody who listens to it. */
export function chooseRunMode({ isJson, isPlain, env, stdin, stdout }: Surroundings): RunMode {
  if (isJson) return 'json';
  if (isPlain || isSet(env['ACCESSIBLE']) || isSet(env['INK_SCREEN_READER']) || env['TERM'] === 'dumb') return 'plain';
  if (stdin.isTTY !== true || stdout.isTTY !== true) return 'plain';
  return (stdout.rows ?? 0) >= MIN_ROWS && (stdout.columns ?? 0) >= MIN_COLUMNS ? 'tui' : 'plain';
}

/** For people who cannot use the other modes any word will do that is not a no. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '' && readSwitch(value) !== false;
}
