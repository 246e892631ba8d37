import { widthOf } from '../chat/index.js';
import type { LiveLayout, ScreenSize } from './live-layout.js';

/** The terminal as Ink sees it. */
export interface InkStdout {
  readonly stream: NodeJS.WriteStream;
  /** Lets Ink see the size that the terminal has now. */
  readonly refreshSize: () => void;
}

/**
 * The terminal as Ink may see it: endlessly tall, and as wide as it was when that was told last.
 *
 * Ink 6.8 wipes the screen with the user's scrollback and prints everything again when a frame is as tall as the terminal, and it
 * compares the last frame with the size of now: a terminal that shrinks under a frame that did fit is enough. The live region is
 * kept small by its layout, so Ink has no use for the number of rows, and here it cannot come to that conclusion.
 *
 * It also draws at each resize, in the middle of a window that is being dragged, what was laid out for another width. So it learns
 * of a new width only when that is settled.
 *
 * @param beforeWrite - called before anything that Ink writes
 */
export function inkStdout(stdout: NodeJS.WriteStream, beforeWrite: () => void): InkStdout {
  const listeners = new Set<() => void>();
  let { columns } = stdout;
  const on = (event: string, listener: () => void): unknown =>
    event === 'resize' ? listeners.add(listener) : stdout.on(event, listener);
  const off = (event: string, listener: () => void): unknown =>
    event === 'resize' ? listeners.delete(listener) : stdout.off(event, listener);
  const write = (...values: Parameters<typeof stdout.write>): boolean => {
    beforeWrite();
    return stdout.write(...values);
  };
  const stream = new Proxy(stdout, {
    get(target, property): unknown {
      if (property === 'rows') return Number.MAX_SAFE_INTEGER;
      if (property === 'columns') return columns;
      if (property === 'on') return on;
      if (property === 'off') return off;
      if (property === 'write') return write;
      const value: unknown = Reflect.get(target, property, target);
      // Methods run on the stream itself: its private state is not for a proxy.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const refreshSize = (): void => {
    ({ columns } = stdout);
    for (const listener of [...listeners]) listener();
  };
  return { stream, refreshSize };
}

/**
 * What a terminal does to lines that are too long when it becomes narrower.
 *
 * - `none`: cuts them
 * - `all`: wraps them, and the cursor stays with its text
 * - `others`: wraps them; whether also the line with the cursor is unknown
 * - `xterm.js`: wraps them, but moves the cursor down for rows that are added below it, too; then it also wraps the line with the
 *   cursor, else it does not. When it becomes lower, it first drops lines from below the cursor
 */
export type Reflow = 'none' | 'others' | 'all' | 'xterm.js';

/** Rows that some lines take more than one each. */
function extraRows(layout: LiveLayout, from: number, to: number, columns: number): number {
  const counts = layout.rows.slice(from, to).map(({ text }) => Math.max(1, Math.ceil(widthOf(text) / columns)) - 1);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How many rows Ink believes a frame to have: it takes no frame for empty. */
function heightOf({ rows }: LiveLayout): number {
  return Math.max(1, rows.length);
}

/** The row of the cursor as Ink leaves it: without one it stands below the frame. */
function cursorRowOf(layout: LiveLayout): number {
  return layout.cursor?.y ?? heightOf(layout);
}

/** What goes to the first row of the live region and erases it, as long as the terminal has kept its size. */
export function eraseLive(layout: LiveLayout): string {
  return upwards(cursorRowOf(layout)) + ERASE_BELOW;
}

/**
 * What makes room for a frame from the row of the cursor on, and leaves the cursor where Ink believes it to be, so that Ink erases
 * blank rows before it draws the next frame.
 */
export function makeRoom(layout: LiveLayout): string {
  const height = heightOf(layout);
  // Line feeds and no cursor movement: that would end at the edge of the screen.
  return ERASE_BELOW + '\n'.repeat(height) + upwards(height - cursorRowOf(layout));
}

/**
 * What must be written when the size of the terminal has changed, before Ink draws its next frame.
 *
 * Most terminals wrap the lines of the live region anew, so that it takes more rows than Ink erases. This goes to its first row,
 * erases everything from there, and leaves the cursor where Ink believes it to be.
 *
 * @param layout - what is on the screen
 * @param before - the size for which it was drawn
 * @param now - the size of the terminal
 * @param reflow - what the terminal does; going up too far would erase the chat
 */
export function eraseReflowed(layout: LiveLayout, before: ScreenSize, now: ScreenSize, reflow: Reflow): string {
  const { columns } = now;
  const x = layout.cursor?.x ?? 0;
  const y = cursorRowOf(layout);
  const above = reflow === 'none' ? 0 : extraRows(layout, 0, y, columns);
  let drift = 0;
  if (reflow === 'all') drift = Math.floor(x / columns);
  if (reflow === 'xterm.js') {
    // The blank row below the frame goes first.
    const dropped = Math.max(0, before.rows - now.rows - 1);
    const below = extraRows(layout, y + 1, Math.max(y + 1, layout.rows.length - dropped), columns);
    drift = below === 0 ? 0 : below + extraRows(layout, y, y + 1, columns);
  }
  return upwards(y + above + drift) + makeRoom(layout);
}

/** From the cursor's row to the end of the screen. */
const ERASE_BELOW = '\r\u001b[J';

function upwards(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
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
