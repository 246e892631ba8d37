import { afterEach, describe, expect, test } from 'vitest';

import { ConnectionError, SlimApp } from '../../src/client/index.js';
import { askGeneration } from '../../src/client/generation-question.js';
import { GrpcTransport } from '../../src/transport/index.js';
import {
  freePort,
  installedParts,
  JsonProcess,
  type NodeKind,
  type NodeProcess,
  programPath,
  pythonOf,
  scriptOf,
  startNode,
} from '../harness/index.js';
import { CertificateAuthority, missingOpenssl } from '../transport/helpers/certificates.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;
const OPTIONS = { timeout: 120_000 };

/** Bindings of generation 2, and the version of the core in them. */
const GENERATION_2 = [
  ['gen2/3.3.8', '3.4.6'],
  ['gen2/2.0.0', '2.0.0'],
] as const;

const GENERATION_1: readonly NodeKind[] = ['node-0.7.0', '0.7.0', '1.0.0', '1.4.0'];

const processes: JsonProcess[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((child) => child.stop()));
});

async function node(kind: NodeKind, listen?: string, options?: readonly string[]): Promise<NodeProcess> {
  const started = await startNode(kind, listen, options);
  processes.push(started.process);
  return started;
}

function ourProgram(...args: readonly string[]): JsonProcess {
  const child = new JsonProcess({
    label: 'slim-chat',
    command: process.execPath,
    args: [programPath, '--json', '--local', 'org/ns/ours', '--shared-secret', SECRET, ...args],
  });
  processes.push(child);
  return child;
}

function realMember(part: string, url: string): JsonProcess {
  const args = [scriptOf(part, 'peer.py'), '--local', 'org/ns/theirs', '--secret', SECRET, '--node', url];
  const child = new JsonProcess({ label: `member ${part}`, command: pythonOf(part), args });
  processes.push(child);
  return child;
}

function sentence(url: string, core: string): string {
  const series = `${String(Number.parseInt(core, 10))}.x`;
  return `the node at ${url} speaks SLIM ${series} (core ${core}); slim-chat speaks generation 1, SLIM 0.7 to 1.4`;
}

const missing = (part: string): string | undefined =>
  installedParts().has(part) ? undefined : `left out: ${part} is not installed`;

describe('a real node of generation 2', () => {
  test.for(GENERATION_2.flatMap((row) => [[...row, 'strict'] as const, [...row, 'lax'] as const]))(
    '%s (core %s), %s, is named by our program, which ends with 3',
    OPTIONS,
    async ([part, core, how], { skip }) => {
      const reason = missing(part);
      if (reason !== undefined) skip(reason);
      const { url } = await node(part, undefined, how === 'lax' ? ['--lax'] : []);
      const program = ourProgram('--slim', url);
      const { code } = await program.exited;
      expect(code, program.why()).toBe(3);
      const events = program.log.map(({ line }) => line);
      expect(events.map((event) => event['state'] ?? event['type'])).toEqual(['connecting', 'error', 'bye']);
      expect(events[1]).toMatchObject({ code: 'unsupported-generation' });
      expect(events[1]?.['message']).toContain(sentence(url, core));
    },
  );

  test.for(GENERATION_2)('%s (core %s) is named over TLS, too', OPTIONS, async ([part, core], context) => {
    const reason = missing(part) ?? missingOpenssl;
    if (reason !== undefined) context.skip(reason);
    const authority = new CertificateAuthority();
    context.onTestFinished(() => {
      authority.dispose();
    });
    const { certFile, keyFile } = authority.sign('node', ['DNS:localhost', 'IP:127.0.0.1']);
    const { url } = await node(part, undefined, ['--tls-cert', certFile, '--tls-key', keyFile]);
    const slim = JSON.stringify({ endpoint: url, tls: { ca_source: { type: 'file', path: authority.ca.certFile } } });
    const failure = await SlimApp.connect({ local: 'org/ns/ours', slim, sharedSecret: SECRET }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ConnectionError);
    expect(failure).toMatchObject({ code: 'unsupported-generation', details: { endpoint: url, nodeVersion: core } });
  });

  test.for(GENERATION_2)('%s (core %s) takes the place of a 1.4.0 node', OPTIONS, async ([part, core], { skip }) => {
    const reason = missing(part) ?? missing('1.4.0');
    if (reason !== undefined) skip(reason);
    const listen = `127.0.0.1:${String(await freePort())}`;
    const before = await node('1.4.0', listen);
    const program = ourProgram('--slim', before.url);
    await program.waitFor('ready', ({ type }) => type === 'ready', WAIT_MS);
    const from = program.log.length;
    await before.process.stop();
    await node(part, listen);
    const isTold = (line: Record<string, unknown>): boolean =>
      line['type'] === 'warning' && line['code'] === 'unsupported-generation';
    const warning = await program.waitFor('a word of it', isTold, WAIT_MS, from);
    expect(warning['message']).toContain(sentence(before.url, core));
    const { code } = await program.exited;
    expect(code, program.why()).toBe(3);
    expect(program.log.slice(from).filter(({ line }) => line['state'] === 'up')).toEqual([]);
  });
});

describe('a real member of generation 2 at our node', () => {
  function turnedAway(ours: NodeProcess): unknown[] {
    return ours.process.log.flatMap(({ line }) => (line['kind'] === 'turned-away' ? [line['version']] : []));
  }

  test.for(GENERATION_2)('%s (core %s) is told why, and comes once', OPTIONS, async ([part, core], { skip }) => {
    const reason = missing(part);
    if (reason !== undefined) skip(reason);
    const ours = await node('embedded');
    const member = realMember(part, ours.url);
    const { code } = await member.exited;
    expect(code).not.toBe(0);
    const error = member.log.find(({ line }) => line['event'] === 'error')?.line;
    expect(error?.['error'], member.why()).toContain(
      `this node speaks generation 1 (SLIM 0.7 to 1.4), and this app is of SLIM ${core}: use a node of SLIM`,
    );
    expect(turnedAway(ours)).toEqual([core]);
    // Its like of generation 1 is served.
    const program = ourProgram('--slim', ours.url);
    await program.waitFor('ready', ({ type }) => type === 'ready', WAIT_MS);
  });

  test.for(GENERATION_2)(
    '%s (core %s) whose node is replaced by ours is turned away',
    OPTIONS,
    async ([part, core], { skip }) => {
      const reason = missing(part);
      if (reason !== undefined) skip(reason);
      const listen = `127.0.0.1:${String(await freePort())}`;
      const before = await node(part, listen);
      const member = realMember(part, before.url);
      await member.waitFor('ready', ({ event }) => event === 'ready', WAIT_MS);
      await before.process.stop();
      const ours = await node('embedded', listen);
      await ours.process.waitFor('the member', ({ kind }) => kind === 'turned-away', WAIT_MS);
      expect(new Set(turnedAway(ours))).toEqual(new Set([core]));
    },
  );
});

describe('a real node of generation 1', () => {
  test.for(GENERATION_1)(
    '%s that is asked for its generation is none of another one, and serves on',
    OPTIONS,
    async (kind, { skip }) => {
      const reason = missing(kind);
      if (reason !== undefined) skip(reason);
      const { url } = await node(kind);
      const transport = new GrpcTransport(url);
      const answer = await askGeneration(transport, new AbortController().signal);
      transport.close();
      if (kind === '1.4.0') expect(answer).toMatchObject({ text: '1.4.0', isOtherGeneration: false });
      else expect(answer).toBe('silence');

      const [m, a] = await Promise.all(
        ['org/ns/m', 'org/ns/a'].map((local) => SlimApp.connect({ local, slim: url, sharedSecret: SECRET })),
      );
      if (m === undefined || a === undefined) throw new Error('unreachable');
      const invited = a.listenForSession({ timeoutMs: WAIT_MS });
      const session = await m.createSession({ channel: 'org/ns/chat', timeoutMs: 500, maxRetries: 20 });
      await session.invite('org/ns/a');
      const heard = (await invited).getMessage({ timeoutMs: WAIT_MS });
      await session.publish('hello');
      expect((await heard).text).toBe('hello');
      await Promise.all([m.close(), a.close()]);
    },
  );
});
