import { PassThrough } from 'node:stream';

import { beforeEach, describe, expect, test } from 'vitest';

import { eraseLive, eraseReflowed, inkStdout, makeRoom, reflowOf } from '../../src/ui/ink-stdout.js';
import { type LiveLayout } from '../../src/ui/live-layout.js';

describe('the terminal as Ink sees it', () => {
  let writes: number[] = [];
  beforeEach(() => {
    writes = [];
  });

  test('is endlessly tall, and otherwise the stream itself', () => {
    const stream = Object.assign(new PassThrough(), { rows: 24, columns: 80, isTTY: true });
    const { stream: seen } = inkStdout(stream as unknown as NodeJS.WriteStream, () => writes.push(1));
    expect(seen.rows).toBeGreaterThan(1_000_000);
    expect(seen.columns).toBe(80);
    expect(seen.isTTY).toBe(true);
    expect(writes).toEqual([]);
    seen.write('text');
    expect(writes).toEqual([1]);
    expect(String(stream.read())).toBe('text');
    const errors: Error[] = [];
    const listener = (error: Error): void => void errors.push(error);
    seen.on('error', listener);
    stream.emit('error', new Error('gone'));
    expect(errors).toHaveLength(1);
  });

  test('has another width only when that is told', () => {
    const stream = Object.assign(new PassThrough(), { rows: 24, columns: 80, isTTY: true });
    const { stream: seen, refreshSize } = inkStdout(stream as unknown as NodeJS.WriteStream, () => writes.push(1));
    const widths: number[] = [];
    const listener = (): void => void widths.push(seen.columns);
    seen.on('resize', listener);
    stream.columns = 40;
    stream.emit('resize');
    expect(seen.columns).toBe(80);
    expect(widths).toEqual([]);
    refreshSize();
    expect(widths).toEqual([40]);
    seen.off('resize', listener);
    refreshSize();
    expect(widths).toEqual([40]);
  });
});

describe('erasing what another size has moved', () => {
  const layout: LiveLayout = {
    rows: [
      { kind: 'pending', text: 'x'.repeat(50) },
      { kind: 'composer', text: `> ${'y'.repeat(30)}` },
      { kind: 'status', text: 'z'.repeat(70) },
    ],
    cursor: { x: 32, y: 1 },
  };
  const before = { columns: 80, rows: 24 };
  const narrow = { columns: 20, rows: 24 };
  /** Room for the rows of the frame and the one below, with the cursor in the second. */
  const room = '\r\u001b[J\n\n\n\u001b[2A';

  test('goes up over the rows that the lines above the cursor take now', () => {
    // 50 columns take 3 rows of 20, and the cursor is on the second row of its own line.
    expect(eraseReflowed(layout, before, narrow, 'all')).toBe(`\u001b[4A${room}`);
  });

  test('counts what is added below the cursor where that moves it', () => {
    // The status line takes 3 rows more, the composer one, the line above two.
    expect(eraseReflowed(layout, before, narrow, 'xterm.js')).toBe(`\u001b[7A${room}`);
    const short: LiveLayout = { ...layout, rows: layout.rows.with(2, { kind: 'status', text: 'short' }) };
    expect(eraseReflowed(short, before, narrow, 'xterm.js')).toBe(`\u001b[3A${room}`);
  });

  test('does not count what a terminal drops that becomes lower, too', () => {
    expect(eraseReflowed(layout, before, { columns: 20, rows: 23 }, 'xterm.js')).toBe(`\u001b[7A${room}`);
    expect(eraseReflowed(layout, before, { columns: 20, rows: 22 }, 'xterm.js')).toBe(`\u001b[3A${room}`);
    expect(eraseReflowed(layout, before, { columns: 20, rows: 6 }, 'xterm.js')).toBe(`\u001b[3A${room}`);
  });

  test('does not count what the terminal leaves alone', () => {
    expect(eraseReflowed(layout, before, narrow, 'others')).toBe(`\u001b[3A${room}`);
  });

  test('goes up over as many rows as before where lines are cut, or where the terminal became wider', () => {
    expect(eraseReflowed(layout, before, narrow, 'none')).toBe(`\u001b[1A${room}`);
    expect(eraseReflowed(layout, before, { columns: 100, rows: 40 }, 'all')).toBe(`\u001b[1A${room}`);
  });

  test('starts below the last row when there is no cursor', () => {
    const withoutCursor = { ...layout, cursor: undefined };
    expect(eraseReflowed(withoutCursor, before, { columns: 40, rows: 24 }, 'others')).toBe('\u001b[5A\r\u001b[J\n\n\n');
    // Ink takes no frame for one empty row.
    expect(eraseReflowed({ rows: [], cursor: undefined }, before, narrow, 'all')).toBe('\u001b[1A\r\u001b[J\n');
  });

  test('erases the live region from its first row on when the program stops, and makes room for it when that goes on', () => {
    expect(eraseLive(layout)).toBe('\u001b[1A\r\u001b[J');
    expect(makeRoom(layout)).toBe(room);
  });

  test('knows what terminals do to lines', () => {
    expect(reflowOf({ TERM: 'xterm-256color' })).toBe('others');
    expect(reflowOf({ TERM: 'xterm', XTERM_VERSION: 'XTerm(379)' })).toBe('none');
    expect(reflowOf({ TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' })).toBe('xterm.js');
    expect(reflowOf({ TERM: 'linux' })).toBe('none');
    expect(reflowOf({ TERM: 'screen', XTERM_VERSION: 'XTerm(379)', TMUX: '/tmp/x' })).toBe('all');
  });
});
