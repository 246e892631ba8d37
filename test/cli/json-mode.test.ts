import { PassThrough, Readable } from 'node:stream';

import { describe, expect, test, vi } from 'vitest';

import type { ChatCommand, ChatEvent } from '../../src/chat/index.js';
import { parseJsonCommand } from '../../src/cli/json-command.js';
import { formatJsonEvent } from '../../src/cli/json-event.js';
import { type ChatPort, MAX_COMMAND_BYTES, type Refusal, runJsonInput } from '../../src/cli/json-mode.js';
import { eventProblems, fitsCommandSchema, shipped } from './json-contract.js';

const AT = '2026-11-23T12:00:00.000Z';
const NAME = 'agntcy/ns/bob/41d0';

/** One of every kind, with every field. The type makes a forgotten kind a compile error. */
const SAMPLES: { readonly [Type in ChatEvent['type']]: Extract<ChatEvent, { type: Type }> } = {
  ready: {
    type: 'ready',
    at: AT,
    local: NAME,
    node: { endpoint: 'http://127.0.0.1:46357', embedded: true },
    role: 'moderator',
    channel: 'a/b/c',
    version: '0.1.0',
  },
  session: {
    type: 'session',
    at: AT,
    session: 1,
    channel: 'a/b/c',
    moderator: NAME,
    members: [NAME],
    role: 'participant',
    mls: { state: 'on', epoch: 3, suite: 'x' },
    timeoutMs: 1000,
    maxRetries: 29,
    metadata: { k: 'v' },
  },
  active: { type: 'active', at: AT, session: 1, channel: 'a/b/c' },
  invitation: {
    type: 'invitation',
    at: AT,
    session: 1,
    from: NAME,
    channel: 'a/b/c',
    mls: true,
    state: 'asked',
    attempt: 1,
    expiresInMs: 30_000,
  },
  joined: { type: 'joined', at: AT, session: 1, member: NAME, members: 2 },
  left: { type: 'left', at: AT, session: 1, member: NAME, members: 1, reason: 'offline' },
  invite: {
    type: 'invite',
    at: AT,
    session: 1,
    ref: 'r',
    name: 'a/b/c',
    state: 'failed',
    code: 'invite-timeout',
    retryInMs: 1000,
  },
  remove: { type: 'remove', at: AT, session: 1, ref: 'r', name: 'a/b/c', state: 'removed' },
  message: {
    type: 'message',
    at: AT,
    session: 1,
    id: 7,
    from: NAME,
    text: 'hi',
    payloadType: 'msg',
    metadata: {},
    encrypted: false,
  },
  delivery: {
    type: 'delivery',
    at: AT,
    key: 3,
    session: null,
    ref: 'r',
    id: null,
    state: 'failed',
    acked: [],
    missing: [NAME],
    reason: 'refused',
    code: 'queue-full',
  },
  lost: { type: 'lost', at: AT, session: 1, from: NAME, id: 7 },
  mls: { type: 'mls', at: AT, session: 1, state: 'keys-only', epoch: 1, suite: 'x', clearPeers: [NAME] },
  presence: { type: 'presence', at: AT, session: 1, member: NAME, presence: 'silent', lastHeardAt: AT },
  connection: { type: 'connection', at: AT, state: 'retrying', attempt: 2, inMs: 500 },
  warning: { type: 'warning', at: AT, code: 'queue-full', message: 'x', session: 1 },
  error: { type: 'error', at: AT, code: 'bad-command', message: 'x', session: 1, ref: 'r', key: 3, line: 3 },
  closed: { type: 'closed', at: AT, session: 1, reason: 'moderator-gone' },
  who: {
    type: 'who',
    at: AT,
    session: 1,
    ref: 'r',
    members: [{ name: NAME, role: 'participant', presence: 'silent', unacked: 2, lastHeardAt: AT }],
  },
  status: {
    type: 'status',
    at: AT,
    ref: 'r',
    status: {
      version: '0.1.0',
      local: NAME,
      node: { endpoint: 'x', embedded: false },
      connection: 'up',
      role: 'participant',
      session: null,
      channel: null,
      members: 0,
      timeoutMs: null,
      maxRetries: null,
      mls: { state: 'off' },
      others: ['a/b/d'],
      undelivered: 0,
      logFile: null,
    },
  },
  bye: { type: 'bye', at: AT, exitCode: 0 },
};

describe('the JSON of events', () => {
  test.each(Object.values(SAMPLES))('$type fits the schema, with every field', (event) => {
    expect(eventProblems(formatJsonEvent(event))).toBe('');
  });

  test('does not have the numbers that mean something in this program only', () => {
    expect(JSON.parse(formatJsonEvent(SAMPLES.delivery))).not.toHaveProperty('key');
    expect(JSON.parse(formatJsonEvent(SAMPLES.error))).not.toHaveProperty('key');
  });

  test('begins with version, type and time', () => {
    expect(formatJsonEvent(SAMPLES.joined)).toBe(
      `{"v":1,"type":"joined","at":"${AT}","session":1,"member":"${NAME}","members":2}`,
    );
  });

  test('has a schema that refuses what is not in the contract', () => {
    const event: object = JSON.parse(formatJsonEvent(SAMPLES.message)) as object;
    for (const change of [
      { v: 2 },
      { type: 'gossip' },
      { at: 'now' },
      { extra: 1 },
      { text: undefined },
      { textBase64: 'AA==' },
    ]) {
      expect(eventProblems(JSON.stringify({ ...event, ...change }))).not.toBe('');
    }
  });

  test('has a schema for each kind, and no other', () => {
    const kinds = Object.keys(shipped.definitions).filter((key) => key.startsWith('event.'));
    expect(kinds.sort()).toEqual(
      Object.keys(SAMPLES)
        .map((type) => `event.${type}`)
        .sort(),
    );
  });

  test('is one line that a terminal cannot obey, and the same when parsed', () => {
    const text = '\u001b[2J\u009b2J\u007f\n\u2028\u202eevil\ud800';
    const line = formatJsonEvent({ ...SAMPLES.message, text });
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\ud800]/u);
    expect(JSON.parse(line)).toMatchObject({ text });
  });
});

describe('parseJsonCommand', () => {
  test.each([
    ['{"type":"publish","text":"hi","ref":"a1"}', { type: 'publish', text: 'hi', ref: 'a1' }],
    [
      '{"type":"publish","base64":"/wA=","payloadType":"x","metadata":{"k":"v"},"to":"a/b/c/1","session":7}',
      {
        type: 'publish',
        bytes: Uint8Array.of(255, 0),
        payloadType: 'x',
        metadata: { k: 'v' },
        to: 'a/b/c/1',
        session: 7,
      },
    ],
    ['{"type":"publish","text":""}', { type: 'publish', text: '' }],
    ['{"type":"invite","name":"a/b/c","ref":"i"}', { type: 'invite', name: 'a/b/c', ref: 'i' }],
    ['{"type":"remove","name":"a/b/c"}', { type: 'remove', name: 'a/b/c' }],
    ['{"type":"who"}', { type: 'who' }],
    ['{"type":"publish","text":"/quit"}', { type: 'publish', text: '/quit' }],
    ['{"type":"publish","text":"  // a "}', { type: 'publish', text: '  // a ' }],
    ['{"type":"status","ref":"s"}', { type: 'status', ref: 's' }],
    ['{"type":"leave"}', { type: 'leave' }],
    ['{"type":"switch","session":7}', { type: 'switch', session: 7 }],
    ['{"type":"accept"}', { type: 'accept' }],
    ['{"type":"decline","session":7}', { type: 'decline', session: 7 }],
    [' {"type":"exit"} ', { type: 'exit' }],
  ] as const)('understands %s', (line, command) => {
    expect(parseJsonCommand(line)).toEqual({ ok: true, command });
    expect(fitsCommandSchema(line)).toBe(true);
  });

  test.each([
    ['', 'a JSON object'],
    ['hello', 'a JSON object'],
    ['[1]', 'a JSON object'],
    ['null', 'a JSON object'],
    ['{}', '"type" to be one of publish, invite, remove, who, status, leave, switch, accept, decline, exit'],
    [
      '{"type":"toString"}',
      '"type" to be one of publish, invite, remove, who, status, leave, switch, accept, decline, exit',
    ],
    [
      '{"type":"drop"}',
      '"type" to be one of publish, invite, remove, who, status, leave, switch, accept, decline, exit',
    ],
    ['{"type":"publish"}', 'either "text" or "base64"'],
    ['{"type":"publish","text":"a","base64":"AA=="}', 'either "text" or "base64"'],
    ['{"type":"publish","text":7}', '"text" to be a string of valid Unicode'],
    ['{"type":"publish","text":"\\ud800"}', '"text" to be a string of valid Unicode'],
    ['{"type":"publish","base64":"A"}', '"base64" to be a string of base64 with padding'],
    ['{"type":"publish","text":"a","metadata":{"k":1}}', '"metadata" to be an object of strings'],
    ['{"type":"publish","text":"a","session":"7"}', '"session" to be a session number'],
    [
      '{"type":"publish","text":"a","txet":"b"}',
      'only the fields ref, session, text, base64, payloadType, metadata, to',
    ],
    ['{"type":"invite"}', '"name"'],
    ['{"type":"switch"}', '"session"'],
    ['{"type":"invite","name":""}', '"name" to be a name such as "org/ns/app"'],
    ['{"type":"who","ref":1}', '"ref" to be a string of valid Unicode'],
    ['{"type":"exit","drain":true}', 'no other field'],
    ['{"type":"who","__proto__":1}', 'only the fields ref, session'],
  ])('refuses %s', (line, expected) => {
    const parsed = parseJsonCommand(line);
    expect(parsed.ok ? 'understood' : parsed.expected).toContain(expected);
  });

  test('gives back the ref of a command that is wrong otherwise', () => {
    expect(parseJsonCommand('{"type":"publish","ref":"a1"}')).toMatchObject({ ok: false, ref: 'a1' });
    expect(parseJsonCommand('{"type":"publish","ref":1}')).not.toHaveProperty('ref');
  });
});

class FakeChat implements ChatPort {
  readonly commands: ChatCommand[] = [];
  writable = (): Promise<void> => Promise.resolve();

  execute(command: ChatCommand): void {
    this.commands.push(command);
  }
}

async function feed(input: string | Readable): Promise<{ commands: ChatCommand[]; refusals: Refusal[] }> {
  const chat = new FakeChat();
  const refusals: Refusal[] = [];
  await runJsonInput(typeof input === 'string' ? Readable.from([Buffer.from(input)]) : input, chat, (refusal) => {
    refusals.push(refusal);
  });
  return { commands: chat.commands, refusals };
}

describe('runJsonInput', () => {
  test('carries out commands in order, and exits after deliveries at the end of the input', async () => {
    const { commands, refusals } = await feed('{"type":"publish","text":"1"}\r\n{"type":"who"}');
    expect(commands).toEqual([{ type: 'publish', text: '1' }, { type: 'who' }, { type: 'exit', drain: true }]);
    expect(refusals).toEqual([]);
  });

  test('answers each line that is no command by one error with its number, and goes on', async () => {
    const { commands, refusals } = await feed('nonsense\n{"type":"who"}\n{"type":"what","ref":"x"}\n\n');
    expect(commands).toEqual([{ type: 'who' }, { type: 'exit', drain: true }]);
    expect(refusals).toMatchObject([{ line: 1, expected: 'a JSON object' }, { line: 3, ref: 'x' }, { line: 4 }]);
  });

  test('refuses a line over one megabyte, without keeping it, and takes the next one', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const { commands, refusals } = await feed(
      Readable.from([...Array.from({ length: 20 }, () => chunk), Buffer.from('\n{"type":"who"}\n')]),
    );
    expect(refusals).toMatchObject([{ line: 1, expected: `at most ${String(MAX_COMMAND_BYTES)} bytes` }]);
    expect(commands[0]).toEqual({ type: 'who' });
  });

  test('takes a line of exactly one megabyte', async () => {
    const frame = '{"type":"publish","text":""}';
    const text = 'x'.repeat(MAX_COMMAND_BYTES - frame.length);
    const { commands, refusals } = await feed(`{"type":"publish","text":"${text}"}\r\n`);
    expect(refusals).toEqual([]);
    expect(commands[0]).toEqual({ type: 'publish', text });
  });

  test('refuses what is not UTF-8', async () => {
    const { refusals } = await feed(Readable.from([Buffer.from([0x7b, 0xff, 0x7d, 0x0a])]));
    expect(refusals).toMatchObject([{ line: 1, expected: 'UTF-8' }]);
  });

  test('takes a byte order mark before the first command for nothing', async () => {
    const { commands, refusals } = await feed('\ufeff{"type":"who"}\n');
    expect(refusals).toEqual([]);
    expect(commands[0]).toEqual({ type: 'who' });
  });

  test('refuses an input in UTF-16 once', async () => {
    const bytes = Buffer.from('\ufeff{"type":"who"}\n{"type":"who"}\n', 'utf16le');
    const { commands, refusals } = await feed(Readable.from([bytes]));
    expect(refusals).toEqual([{ line: 1, expected: 'lines of UTF-8. From here on it is UTF-16 and must be UTF-8' }]);
    expect(commands).toEqual([{ type: 'exit', drain: true }]);
  });

  test('ends like at the end of the input when the input breaks', async () => {
    const input = new PassThrough();
    input.write('{"type":"who"}\n');
    setImmediate(() => input.destroy(new Error('EIO')));
    const { commands } = await feed(input);
    expect(commands).toEqual([{ type: 'who' }, { type: 'exit', drain: true }]);
  });

  test('reads no faster than messages are taken', async () => {
    const chat = new FakeChat();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    chat.writable = () => gate;
    const running = runJsonInput(Readable.from([Buffer.from('{"type":"who"}\n'.repeat(3))]), chat, vi.fn());
    await vi.waitFor(() => {
      expect(chat.commands).toHaveLength(1);
    });
    await new Promise(setImmediate);
    expect(chat.commands).toHaveLength(1);
    open();
    await running;
    expect(chat.commands).toHaveLength(4);
  });
});
