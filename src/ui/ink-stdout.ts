import type { LiveLayout } from './live-layout.js';
import { widthOf } from './width.js';

/**
 * The terminal as Ink may see it: endlessly tall.
 *
 * Ink 6.8 wipes the screen with the user's scrollback and prints everything again when a frame is as tall as the terminal, and it
 * compares the last frame with the size of now: a terminal that shrinks under a frame that did fit is enough. The live region is
 * kept small by its layout, so Ink has no use for the number of rows, and here it cannot come to that conclusion.
 */
export function inkStdout(stdout: NodeJS.WriteStream): NodeJS.WriteStream {
  return new Proxy(stdout, {
    get(target, property): unknown {
      if (property === 'rows') return Number.MAX_SAFE_INTEGER;
      const value: unknown = Reflect.get(target, property, target);
      // Methods run on the stream itself: its private state is not for a proxy.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/**
 * What a terminal does to lines that are too long when it becomes narrower.
 *
 * - `none`: cuts them
 * - `all`: wraps them, and the cursor stays with its text
 * - `others`: wraps them; whether also the line with the cursor is unknown
 * - `xterm.js`: wraps them, but moves the cursor down for rows that are added below it, too; then it also wraps the line with the
 *   cursor, else it does not
 */
export type Reflow = 'none' | 'others' | 'all' | 'xterm.js';

/** Rows that some lines take more than one each. */
function extraRows(layout: LiveLayout, from: number, to: number, columns: number): number {
  const counts = layout.rows.slice(from, to).map(({ text }) => Math.max(1, Math.ceil(widthOf(text) / columns)) - 1);
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * What must be written when the terminal became narrower, before Ink draws its next frame.
 *
 * Most terminals wrap the lines of the live region anew, so that it takes more rows than Ink erases. This goes to its first row,
 * erases everything from there, and leaves the cursor where Ink believes it to be.
 *
 * @param layout - what is on the screen
 * @param columns - the new width
 * @param reflow - what the terminal does; going up too far would erase the chat
 */
export function eraseReflowed(layout: LiveLayout, columns: number, reflow: Reflow): string {
  const { x, y } = layout.cursor ?? { x: 0, y: layout.rows.length };
  const above = reflow === 'none' ? 0 : extraRows(layout, 0, y, columns);
  let drift = 0;
  if (reflow === 'all') drift = Math.floor(x / columns);
  if (reflow === 'xterm.js') {
    const below = extraRows(layout, y + 1, layout.rows.length, columns);
    drift = below === 0 ? 0 : below + extraRows(layout, y, y + 1, columns);
  }
  const up = y + above + drift;
  const upwards = up > 0 ? `\u001b[${up}A` : '';
  const downwards = y > 0 ? `\u001b[${y}B` : '';
  return `${upwards}\r\u001b[J${downwards}`;
}

/**
 * What this terminal does when it becomes narrower. Where it cannot be told, the answer is the one that at worst leaves debris: the
 * classic xterm and the Linux console cut lines, VS Code uses xterm.js, tmux wraps all.
 */
export function reflowOf(env: Readonly<Record<string, string | undefined>>): Reflow {
  if (env['TMUX'] !== undefined) return 'all';
  if (env['TERM_PROGRAM'] === 'vscode') return 'xterm.js';
  return env['XTERM_VERSION'] !== undefined || env['TERM'] === 'linux' ? 'none' : 'others';
}
