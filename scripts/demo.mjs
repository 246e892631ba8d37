/**
 * Shows a group of three: `npm run demo`.
 *
 *   node scripts/demo.mjs           a tmux window with three panes: a moderator, whose program starts the node, and two
 *                                   participants. They exchange a few words, then the panes are yours.
 *   node scripts/demo.mjs --check   the same talk without a screen on a free port; prints the three transcripts and exits with
 *                                   0 only if everyone saw everything
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { runCheck } from './demo/check.mjs';
import { runTmux } from './demo/tmux.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const program = path.join(root, 'dist', 'bin', 'slim-chat.js');

const options = process.argv.slice(2);
if (options.some((option) => option !== '--check')) {
  console.error('usage: npm run demo [-- --check]');
  process.exitCode = 2;
} else if (!existsSync(program)) {
  console.error('demo: the program is not built yet. Run: npm run build');
  process.exitCode = 1;
} else {
  process.exitCode = await (options.includes('--check') ? runCheck(program) : runTmux(program));
}
