import { describe, expect, test } from 'vitest';

import { AT, BOB, CAROL, group, message } from './chat-events.js';
import { startUi, type UiRun } from './harness.js';

const STATUS = 'chat-7q2k | 3 members | MLS off';

/** A chat that fills several screens, with everything that the live region can show. */
async function startFull(): Promise<UiRun> {
  const ui = await startUi();
  ui.dispatch(
    ...group(),
    ...Array.from({ length: 40 }, (_, index) => message(`line ${index} of a chat with some words.`)),
  );
  ui.dispatch(
    {
      type: 'own',
      at: AT,
      key: 1,
      content: { payload: 'under way, and long enough to be cut on a narrow screen' },
      session: 1,
    },
    { type: 'delivery', at: AT, key: 1, session: 1, id: 1, state: 'queued', acked: [], missing: [BOB, CAROL] },
  );
  ui.type('half a message that is longer than a narrow screen is wide');
  await ui.see(`> half a message that is longer than a narrow screen is wide\n${STATUS}`);
  return ui;
}

const STORMS: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
  ['narrower step by step', Array.from({ length: 50 }, (_, step) => [79 - step, 24] as const)],
  ['narrower and lower step by step', Array.from({ length: 15 }, (_, step) => [78 - 3 * step, 23 - step] as const)],
  ['wider and higher step by step', Array.from({ length: 20 }, (_, step) => [82 + 3 * step, 25 + step] as const)],
  [
    'to and fro',
    Array.from(
      { length: 60 },
      (_, step) => [70 + 3 * Math.abs(7 - (step % 15)), 20 + Math.abs(4 - (step % 9))] as const,
    ),
  ],
  [
    'lower and higher',
    Array.from({ length: 30 }, (_, step) => (step % 2 === 0 ? ([80, 8] as const) : ([80, 40] as const))),
  ],
];

describe('a window that is dragged', () => {
  test.each(STORMS)('%s leaves one live region and the whole chat', async (_what, sizes) => {
    const ui = await startFull();
    const before = ui.transcript();
    // The window begins to move a little, and then faster than the program can draw.
    ui.resize(79, 24);
    await ui.until('no live region', () => !ui.screen().join('\n').includes(STATUS));
    for (const [columns, rows] of sizes) ui.resize(columns, rows);
    ui.resize(80, 24);
    await ui.until('the chat as before', () => ui.transcript().join('\n') === before.join('\n')).catch(() => undefined);
    expect(ui.transcript()).toEqual(before);
    expect(ui.output()).not.toMatch(/\u001b\[[23]J/);
  });
});
