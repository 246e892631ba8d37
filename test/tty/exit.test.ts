import { describe, expect, test } from 'vitest';

import { group, message } from './chat-events.js';
import { startUi, type UiRun } from './harness.js';

const ARMED = 'Press Ctrl+C again to leave. You are the moderator: the group closes for 2';

async function inGroup(env: Readonly<Record<string, string>> = {}): Promise<UiRun> {
  const ui = await startUi({ env });
  ui.dispatch(...group());
  await ui.see('chat-7q2k | 3 members');
  return ui;
}

/** Waits for the end and looks whether the terminal is as it was. */
async function expectRestored(ui: UiRun, code: number): Promise<void> {
  const end = await ui.exit();
  expect(end.code).toBe(code);
  expect(end.stty).toBe(end.sttyBefore);
  expect(ui.isBracketedPaste()).toBe(false);
  expect(ui.output().lastIndexOf('\u001b[?25h')).toBeGreaterThan(ui.output().lastIndexOf('\u001b[?25l'));
  expect(ui.output()).not.toContain('\u001b[3J');
}

describe('leaving by the keyboard', () => {
  test('takes Ctrl+C twice, and leaves the chat on the screen and the shell below it', async () => {
    const ui = await inGroup();
    ui.type('\u0003');
    await ui.see(ARMED);
    expect(ui.executed).toEqual([]);
    ui.type('\u0003');
    await expectRestored(ui, 0);
    expect(ui.executed).toEqual([{ type: 'exit' }]);
    const [, ...below] = ui.transcript();
    expect(below.slice(0, -1)).toEqual([
      '12:00 -- bob joined (2 members)',
      '12:00 -- carol joined (3 members)',
      'code:0',
    ]);
  });

  test('first clears what is typed', async () => {
    const ui = await inGroup();
    ui.type('not sent');
    await ui.see('> not sent');
    ui.type('\u0003');
    await ui.see(ARMED);
    expect(ui.screen().join('\n')).not.toContain('not sent');
    ui.type('x');
    await ui.until('the question gone', () => !ui.screen().join('\n').includes('Press Ctrl+C'));
    expect(ui.executed).toEqual([]);
  });

  test('does not wait after a third Ctrl+C', async () => {
    const ui = await inGroup({ UI_HOLD_EXIT: '1' });
    ui.type('\u0003');
    await ui.see(ARMED);
    ui.type('\u0003');
    await ui.untilExecuted(1);
    ui.type('\u0003');
    await expectRestored(ui, 130);
  });

  test('takes Ctrl+D twice when nothing is typed, and /quit', async () => {
    const ui = await inGroup();
    ui.type('\u0004');
    await ui.see('Press Ctrl+C again to leave.');
    ui.type('\u0004');
    await expectRestored(ui, 0);
    const other = await inGroup();
    other.type('/quit\r');
    await expectRestored(other, 0);
  });
});

describe('leaving for another reason', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s leaves properly', async (signal, code) => {
    const ui = await inGroup();
    ui.type('half a message');
    await ui.see('half a message');
    process.kill(ui.pid, signal);
    await expectRestored(ui, code);
    expect(ui.executed).toEqual([{ type: 'exit' }]);
  });

  test('a second signal does not wait', async () => {
    const ui = await inGroup({ UI_HOLD_EXIT: '1' });
    process.kill(ui.pid, 'SIGTERM');
    await ui.untilExecuted(1);
    process.kill(ui.pid, 'SIGTERM');
    await expectRestored(ui, 143);
  });

  test('leaves properly when the terminal goes away', async () => {
    const ui = await inGroup();
    ui.hangUp();
    await ui.gone;
    expect(ui.executed).toContainEqual({ type: 'exit' });
  });

  test('ends with the code of the chat', async () => {
    const ui = await inGroup();
    ui.dispatch(message('goodbye'), { type: 'bye', at: '2026-11-23T12:00:00.000Z', exitCode: 5 });
    await expectRestored(ui, 5);
    expect(ui.screen()).toContainEqual(expect.stringMatching(/^12:00 +bob {2}goodbye$/));
  });

  test('restores the terminal when a component throws', async () => {
    const ui = await inGroup();
    ui.order({ throwIn: 'render' });
    await expectRestored(ui, 70);
    expect(ui.screen()).toContain('failed: thrown while drawing');
  });

  test('restores the terminal when something throws where nobody catches', async () => {
    const ui = await inGroup();
    ui.type('half a message');
    await ui.see('half a message');
    ui.order({ throwIn: 'callback' });
    await expectRestored(ui, 1);
    expect(ui.output()).toContain('thrown in a callback');
  });

  test('restores the terminal when the process ends from elsewhere', async () => {
    const ui = await inGroup();
    ui.type('half a message');
    await ui.see('half a message');
    ui.order({ processExit: 9 });
    await expectRestored(ui, 9);
  });
});
