import { describe, expect, test } from 'vitest';

import { freePort } from '../cli/program.js';
import type { TerminalRun } from './harness.js';
import { startProgram, startShell } from './start-program.js';

/** What Alice starts the program with, to be alone in her group. */
async function aloneArguments(): Promise<string[]> {
  const slim = `http://127.0.0.1:${await freePort()}`;
  return ['--slim', slim, '--node', 'always', '--local', 'agntcy/ns/alice', '--remote', 'agntcy/ns/talk'];
}

/** Alice alone in her group, started from a shell with job control, with half a message typed. */
async function startAlone(): Promise<TerminalRun & { pid: () => number }> {
  const run = await startShell(await aloneArguments());
  await run.see('talk | 1 member');
  run.type('half');
  await run.see('> half\ntalk | 1 member');
  return run;
}

/** Waits until the shell has the terminal back. */
async function expectShell(run: TerminalRun, isOrderly: boolean): Promise<void> {
  await run.see(/Stopped[^]*\$ $/);
  run.type('echo is"-"shell\r');
  await run.see(/^is-shell$/m);
  if (!isOrderly) return;
  expect(run.isBracketedPaste()).toBe(false);
  expect(run.output().lastIndexOf('\u001b[?25h')).toBeGreaterThan(run.output().lastIndexOf('\u001b[?25l'));
  // The live region is gone; it is drawn again later.
  expect(run.transcript().filter((line) => line.startsWith('> half'))).toEqual([]);
}

/** Goes back to the program, and looks whether it has the terminal as before. */
async function expectBack(run: TerminalRun): Promise<void> {
  run.type('fg\r');
  await run.see(/> half\ntalk \| 1 member[^\n]*$/);
  await run.until('bracketed paste', () => run.isBracketedPaste());
  run.type(' a message\r');
  await run.see(/half a message \.\.\. queued\n>\s*\ntalk \| 1 member/);
  // In line mode this would end it; here it only asks.
  run.type('\u0003');
  await run.see('Press Ctrl+C again to leave.');
  run.type('x');
  await run.see('> x');
}

describe('a shell with job control', () => {
  test('gets the terminal on Ctrl+Z, and fg brings the chat back as it was', async () => {
    const run = await startAlone();
    for (let round = 0; round < 2; round += 1) {
      run.type('\u001a');
      if (round === 0) await expectShell(run, true);
      else await run.see(/Stopped[^]*Stopped[^]*\$ $/);
      if (round === 0) await expectBack(run);
    }
    run.type('fg\r');
    await run.see(/> x\ntalk \| 1 member[^\n]*$/);
  });

  test('may stop it with SIGTSTP', async () => {
    const run = await startAlone();
    process.kill(run.pid(), 'SIGTSTP');
    await expectShell(run, true);
    await expectBack(run);
  });

  test('may stop it with SIGSTOP, which the program does not see', async () => {
    const run = await startAlone();
    process.kill(run.pid(), 'SIGSTOP');
    await expectShell(run, false);
    await expectBack(run);
  });

  test('draws for the size that the window has by then', async () => {
    const run = await startAlone();
    run.type('\u001a');
    await expectShell(run, true);
    run.resize(40, 12);
    run.type('fg\r');
    await run.see(/> half\ntalk \| 1 member \| [^\n]*$/);
    await run.until('a status line that fits', () => (run.screen().at(-1)?.length ?? 99) < 40);
  });

  test('has on the screen what it wrote itself, also if the chat has news when it goes on', async () => {
    const slim = `http://127.0.0.1:${await freePort()}`;
    const run = await startShell(['--slim', slim, '--node', 'always', '--local', 'agntcy/ns/bob']);
    // Counts the seconds.
    await run.see('waiting for an invitation, 0:');
    run.type('\u001a');
    await run.see(/Stopped[^]*\$ $/);
    const rows = run.rows();
    const before = rows.slice(
      0,
      rows.findLastIndex((row) => row.startsWith('$')),
    );
    expect(before.filter((row) => row.startsWith('waiting for'))).toEqual([]);
    // Longer than the chat needs to have something to draw.
    run.type('sleep 1.2; echo rest""ed\r');
    await run.see('rested');
    run.type('fg\r');
    await run.see(/\$ fg\nsh -c[^]*\nwaiting for an invitation, 0:/);
    await run.see(/waiting for an invitation, 0:0[3-9]/);
    expect(run.rows().slice(0, before.length)).toEqual(before);
    expect(run.rows().filter((row) => row.startsWith('waiting for'))).toHaveLength(1);
    // All of the command that the shell writes for fg.
    expect(
      run
        .rows()
        .join('')
        .match(/exec "\$@"' sh /g),
    ).toHaveLength(3);
  });

  test('is not asked for where there is none', async () => {
    const run = startProgram(await aloneArguments());
    await run.see('talk | 1 member');
    run.type('half\u001a and half');
    await run.see(/> half and half\ntalk \| 1 member/);
  });
});
