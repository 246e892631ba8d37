import { createServer } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { freePort } from '../cli/program.js';
import { startProgram } from './start-program.js';

/** Options of a moderator with a node of its own. */
async function alone(): Promise<string[]> {
  const slim = `http://127.0.0.1:${await freePort()}`;
  return ['--slim', slim, '--node', 'always', '--local', 'agntcy/ns/alice', '--remote', 'agntcy/ns/talk'];
}

/** A server that takes connections and says nothing, so that the program does not get any further. */
async function startSilent(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${String(address.port)}`;
}

describe('what is typed while the program starts', () => {
  test('is not echoed, and each line is a message of its own', async () => {
    const run = startProgram(await alone());
    await run.until('the header', () => run.output().includes('/help for commands'));
    run.type('uno\r');
    run.type('due\rtre');
    await run.see('> tre');
    run.type(' quattro');
    await run.see(/uno \.\.\. queued\ndue \.\.\. queued\n> tre quattro\ntalk \| 1 member/);
    const header = run.transcript().slice(0, -4);
    expect(header.filter((line) => /uno|due|tre/.test(line))).toEqual([]);
    run.type('\u0003\u0003');
    const end = await run.exit();
    expect(end).toEqual({ code: 0, stty: end.sttyBefore, sttyBefore: end.sttyBefore });
  });

  test('is kept apart also if it was typed before the program ran at all', async () => {
    const run = startProgram(await alone());
    run.type('one\rtwo\rthree');
    await run.see(/one \.\.\. queued\ntwo \.\.\. queued\n> three\n/);
  });

  test('may be Ctrl+C, which leaves', async () => {
    const run = startProgram(['--slim', await startSilent(), '--local', 'agntcy/ns/alice']);
    await run.until('the header', () => run.output().includes('/help for commands'));
    run.type('typed\r\u0003');
    const end = await run.exit();
    expect(end).toEqual({ code: 130, stty: end.sttyBefore, sttyBefore: end.sttyBefore });
    expect(run.isBracketedPaste()).toBe(false);
    expect(run.transcript().filter((line) => line.includes('typed'))).toEqual([]);
  });

  test('does not go to the shell when there will be no chat', async () => {
    const slim = `http://127.0.0.1:${await freePort()}`;
    // What the program has left is what a shell would carry out.
    const leftOver =
      'stty -icanon -echo min 0 time 2; echo "left:[$(dd bs=100 count=1 2>/dev/null)]"; stty icanon echo';
    const run = startProgram(['--slim', slim, '--node', 'never', '--local', 'agntcy/ns/alice'], {
      then: leftOver,
    });
    await run.until('the header', () => run.output().includes('/help for commands'));
    run.type('rm -rf tmp\r');
    await run.see('left:[');
    expect(run.output()).toContain('left:[]');
    expect(run.output()).toContain('cannot reach a SLIM node');
    expect(run.output()).not.toContain('rm -rf');
  });

  test('is echoed in line mode as ever where there will be no terminal UI', async () => {
    const run = startProgram([...(await alone()), '--plain']);
    await run.see('moderator of agntcy/ns/talk');
    run.type('a line\r');
    await run.see('a line');
    run.type('/quit\r/quit\r');
    // The line was not delivered to anybody.
    expect((await run.exit()).code).toBe(6);
  });
});
