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
 * What must be written when the terminal became narrower, before Ink draws its next frame.
 *
 * Most terminals wrap the lines of the live region anew, so that it takes more rows than Ink erases. This goes to its first row,
 * erases everything from there, and leaves the cursor where Ink believes it to be.
 *
 * @param layout - what is on the screen
 * @param columns - the new width
 * @param reflows - whether the terminal wraps lines anew; where it does not, going up further would erase the chat
 */
export function eraseReflowed(layout: LiveLayout, columns: number, reflows: boolean): string {
  const cursor = layout.cursor ?? { x: 0, y: layout.rows.length };
  let extra = 0;
  if (reflows) {
    for (const { text } of layout.rows.slice(0, cursor.y)) extra += Math.max(1, Math.ceil(widthOf(text) / columns)) - 1;
    extra += Math.floor(cursor.x / columns);
  }
  const up = cursor.y + extra;
  const upwards = up > 0 ? `\u001b[${up}A` : '';
  const downwards = cursor.y > 0 ? `\u001b[${cursor.y}B` : '';
  return `${upwards}\r\u001b[J${downwards}`;
}

/** Whether the terminal wraps lines anew when it is resized. The classic xterm and the Linux console cut them. */
export function reflowsLines(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['TMUX'] !== undefined || (env['XTERM_VERSION'] === undefined && env['TERM'] !== 'linux');
}
