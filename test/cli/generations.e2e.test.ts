import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { generation2Answer, generation2Frames, startScriptedNode } from '../harness/generation-2-node.js';
import { RawClient } from '../node/raw-client.js';
import { startProgram } from '../tty/start-program.js';
import { freePort, JsonProgram, Program, startNode } from './program.js';

const ALICE = ['--local', 'agntcy/ns/alice'];

/** A scripted node of core 3.4.6 until the test ends. */
async function generation2(port = 0) {
  const node = await startScriptedNode((first) => generation2Answer('3.4.6', first), port);
  onTestFinished(() => node.close());
  return node;
}

function sentence(url: string): string {
  return `the node at ${url} speaks SLIM 3.x (core 3.4.6); slim-chat speaks generation 1, SLIM 0.7 to 1.4`;
}

describe('a node of generation 2 is named in one sentence with both versions, and the exit code is 3', () => {
  test('in plain mode', async () => {
    const { url, firsts } = await generation2();
    const program = new Program([...ALICE, '--plain', '--slim', url]);
    expect(await program.exit()).toBe(3);
    const [told, ...advice] = program.stderr.split('\n');
    expect(told).toBe(`slim-chat: ${sentence(url)}`);
    expect(advice.join('\n')).toContain('Give the endpoint of a node of SLIM 0.7 to 1.4');
    expect(advice.join('\n')).toContain('npx slim-chat node');
    expect(program.stdout).not.toMatch(/onnected|lost|online/);
    // One stream to use, one to ask; before them the look whether anybody listens, which says nothing.
    expect(firsts).toHaveLength(2);
  });

  test('in JSON', async () => {
    const { url } = await generation2();
    const program = new JsonProgram([...ALICE, '--slim', url]);
    expect(await program.exit()).toBe(3);
    expect(program.events.map(({ type, state }) => state ?? type)).toEqual(['connecting', 'error', 'bye']);
    expect(program.of('error')).toMatchObject([
      { code: 'unsupported-generation', message: expect.stringContaining(sentence(url)) as string },
    ]);
    expect(program.of('bye')).toMatchObject([{ exitCode: 3 }]);
  });

  test('in a terminal', async () => {
    const { url } = await generation2();
    const terminal = startProgram([...ALICE, '--slim', url], { columns: 140 });
    const { code } = await terminal.exit();
    expect(code).toBe(3);
    const shown = terminal.transcript().join('\n');
    expect(shown).toContain(sentence(url));
    expect(shown).not.toMatch(/onnected|connection lost|back online/);
  });
});

describe('a node that is replaced by one of generation 2 in the middle of a chat', () => {
  test('is told with the same sentence, and a program that reads no more of it ends with 3', async () => {
    const { node, slim } = await startNode();
    const program = new JsonProgram([...ALICE, '--slim', slim]);
    await program.event({ type: 'ready' });
    const from = program.events.length;
    node.child.kill('SIGTERM');
    await node.exit();
    await generation2(Number(new URL(slim).port));
    const warning = await program.event({ type: 'warning', code: 'unsupported-generation' }, from);
    expect(warning['message']).toContain(sentence(slim));
    expect(await program.exit()).toBe(3);
    expect(program.events.slice(from).filter(({ state }) => state === 'up')).toEqual([]);
    expect(program.of('warning')).toHaveLength(1);
    expect(program.of('error')).toMatchObject([{ code: 'unsupported-generation' }]);
  });

  test('in plain mode it stands in the chat, and at the end', async () => {
    const { node, slim } = await startNode();
    const program = new Program([...ALICE, '--plain', '--slim', slim]);
    await program.untilShown('agntcy/ns/alice');
    node.child.kill('SIGTERM');
    await node.exit();
    await generation2(Number(new URL(slim).port));
    expect(await program.exit()).toBe(3);
    expect(program.stdout).toContain('SLIM 3.x (core 3.4.6)');
    expect(program.stdout).not.toContain('back online');
  });

  test('in a terminal it stands in the chat; the program ends with 3 by itself', async () => {
    const { node, slim } = await startNode();
    const terminal = startProgram([...ALICE, '--slim', slim], { columns: 140 });
    await terminal.see('agntcy/ns/alice');
    node.child.kill('SIGTERM');
    await node.exit();
    await generation2(Number(new URL(slim).port));
    await terminal.see('SLIM 3.x (core 3.4.6)');
    const { code, stty, sttyBefore } = await terminal.exit();
    expect(code).toBe(3);
    expect(stty).toBe(sttyBefore);
    expect(terminal.transcript().join('\n')).not.toContain('back online');
  });
});

describe('an app of generation 2 that comes to our node', () => {
  async function knock(url: string): Promise<void> {
    const client = await RawClient.connect(url);
    client.send(generation2Frames('3.4.6').linkRequest);
    expect(await client.ended()).toMatchObject({ code: 9 });
    client.close();
  }

  function logFile(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-log-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    return path.join(folder, 'log');
  }

  test('is told to who runs the node, once, and in the log each time', async () => {
    const file = logFile();
    const node = new Program(['node', '--listen', '127.0.0.1:0', '--log-file', file]);
    await node.untilShown('Chat through it');
    const url = /http:\/\/\S+/.exec(node.stdout)?.[0] ?? '';
    await knock(url);
    await knock(url);
    node.child.kill('SIGTERM');
    await node.exit();
    const told = node.stdout.split('\n').filter((line) => line.includes('3.4.6'));
    expect(told).toEqual([
      'turned away an app of SLIM 3.4.6 at 127.0.0.1: this node speaks generation 1, SLIM 0.7 to 1.4',
    ]);
    const logged = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('turned-away'));
    expect(logged).toHaveLength(2);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ source: 'node', kind: 'turned-away', version: '3.4.6' });
  });

  test('is a warning of a program that runs the node beside its chat', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}`;
    const program = new JsonProgram([...ALICE, '--node', 'always', '--slim', url]);
    await program.event({ type: 'ready' });
    await knock(url);
    const warning = await program.event({ type: 'warning', code: 'unsupported-generation' });
    expect(warning['message']).toContain('turned away an app of SLIM 3.4.6 at 127.0.0.1');
    program.send({ type: 'exit' });
    expect(await program.exit()).toBe(0);
  });
});
