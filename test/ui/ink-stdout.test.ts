import { PassThrough } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { eraseReflowed, inkStdout, reflowOf } from '../../src/ui/ink-stdout.js';
import { type LiveLayout } from '../../src/ui/live-layout.js';

describe('the terminal as Ink sees it', () => {
  test('is endlessly tall, and otherwise the stream itself', () => {
    const stream = Object.assign(new PassThrough(), { rows: 24, columns: 80, isTTY: true });
    const seen = inkStdout(stream as unknown as NodeJS.WriteStream);
    expect(seen.rows).toBeGreaterThan(1_000_000);
    expect(seen.columns).toBe(80);
    expect(seen.isTTY).toBe(true);
    const resized: number[] = [];
    const listener = (): void => void resized.push(1);
    seen.on('resize', listener);
    stream.emit('resize');
    seen.off('resize', listener);
    stream.emit('resize');
    expect(resized).toEqual([1]);
    seen.write('text');
    expect(String(stream.read())).toBe('text');
  });
});

describe('erasing what a narrower terminal has wrapped anew', () => {
  const layout: LiveLayout = {
    rows: [
      { kind: 'pending', text: 'x'.repeat(50) },
      { kind: 'composer', text: `> ${'y'.repeat(30)}` },
      { kind: 'status', text: 'z'.repeat(70) },
    ],
    cursor: { x: 32, y: 1 },
  };

  test('goes up over the rows that the lines above the cursor take now', () => {
    // 50 columns take 3 rows of 20, and the cursor is on the second row of its own line.
    expect(eraseReflowed(layout, 20, 'all')).toBe('\u001b[4A\r\u001b[J\u001b[1B');
  });

  test('counts what is added below the cursor where that moves it', () => {
    // The status line takes 3 rows more, the composer one, the line above two.
    expect(eraseReflowed(layout, 20, 'xterm.js')).toBe('\u001b[7A\r\u001b[J\u001b[1B');
    const short: LiveLayout = { ...layout, rows: layout.rows.with(2, { kind: 'status', text: 'short' }) };
    expect(eraseReflowed(short, 20, 'xterm.js')).toBe('\u001b[3A\r\u001b[J\u001b[1B');
  });

  test('does not count what the terminal leaves alone', () => {
    expect(eraseReflowed(layout, 20, 'others')).toBe('\u001b[3A\r\u001b[J\u001b[1B');
  });

  test('goes up over as many rows as before where lines are cut', () => {
    expect(eraseReflowed(layout, 20, 'none')).toBe('\u001b[1A\r\u001b[J\u001b[1B');
  });

  test('starts below the last row when there is no cursor', () => {
    expect(eraseReflowed({ ...layout, cursor: undefined }, 40, 'others')).toBe('\u001b[5A\r\u001b[J\u001b[3B');
  });

  test('stays in its row when there is nothing above', () => {
    expect(eraseReflowed({ rows: layout.rows.slice(1), cursor: { x: 2, y: 0 } }, 20, 'all')).toBe('\r\u001b[J');
  });

  test('knows what terminals do to lines', () => {
    expect(reflowOf({ TERM: 'xterm-256color' })).toBe('others');
    expect(reflowOf({ TERM: 'xterm', XTERM_VERSION: 'XTerm(379)' })).toBe('none');
    expect(reflowOf({ TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' })).toBe('xterm.js');
    expect(reflowOf({ TERM: 'linux' })).toBe('none');
    expect(reflowOf({ TERM: 'screen', XTERM_VERSION: 'XTerm(379)', TMUX: '/tmp/x' })).toBe('all');
  });
});
