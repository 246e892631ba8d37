import { PassThrough, Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import type { ChatCommand, ChatEvent } from '../../src/chat/index.js';
import { createChatStore, exitCodeOf } from '../../src/chat/index.js';
import { Face } from '../../src/cli/face.js';
import type { ChatPort } from '../../src/cli/json-mode.js';
import { LineWriter } from '../../src/cli/line-writer.js';
import { LinePrinter, runPlainInput } from '../../src/cli/plain-mode.js';
import { ALICE, at, BOB, delivery, message, own, ready, session, utcClock } from '../chat/chat-helper.js';

const START = {
  isDemoSecret: true,
  mls: false,
  isDerivedName: false,
  program: 'npx slim-chat',
  invites: [],
  sharedOptions: '',
};

const ignore = (): void => undefined;

/** Plain mode around a chat that only notes what it was asked. */
class Plain implements ChatPort {
  readonly commands: ChatCommand[] = [];
  readonly store;
  readonly face;
  readonly #output = new PassThrough();
  readonly #isTerminal: boolean;
  readonly #printer: LinePrinter;
  /** Of the terminal that it prints to; none is endlessly wide. */
  columns = Infinity;

  constructor(isTerminal: boolean, ...events: readonly ChatEvent[]) {
    this.#isTerminal = isTerminal;
    this.store = createChatStore({
      clock: utcClock,
      echo: isTerminal ? 'none' : 'print',
      isLive: false,
      keepsLines: true,
    });
    this.face = new Face(this.store, START);
    this.face.attach(this);
    this.#printer = new LinePrinter(
      this.store,
      new LineWriter(this.#output, { onGone: ignore, onBlocked: ignore }),
      () => this.columns,
    );
    for (const event of events) this.tell(event);
  }

  /** Something happens in the chat. */
  tell(event: ChatEvent): void {
    this.store.dispatch(event);
    this.face.onEvent(event);
  }

  execute(command: ChatCommand): void {
    this.commands.push(command);
  }

  writable(): Promise<void> {
    return Promise.resolve();
  }

  async type(input: string | Buffer): Promise<void> {
    await runPlainInput({
      input: Readable.from([typeof input === 'string' ? Buffer.from(input) : input]),
      isTerminal: this.#isTerminal,
      store: this.store,
      face: this.face,
      chat: this,
    });
  }

  /** What was printed since the last call, with the time of now as `HH:MM`. */
  printed(): string[] {
    this.#printer.print();
    const text = String(this.#output.read() ?? '');
    return text
      .split('\n')
      .filter((line) => line !== '' && !/^-- [\d-]{10}$/.test(line))
      .map((line) => line.replace(/^\d\d:\d\d/, 'HH:MM'));
  }
}

const asAlice = [ready(ALICE, 'moderator'), { ...session([ALICE, BOB]), role: 'moderator' }] as const;

function exitCode(plain: Plain): number {
  return exitCodeOf(plain.store.getState(), { isStrict: true, isOver: true });
}

describe('plain mode', () => {
  test('prints one event per line, and forgets what it has printed', () => {
    const plain = new Plain(true, ...asAlice, message(BOB, 'hello\nthere', '12:02'));
    expect(plain.printed()).toEqual([
      'You are agntcy/ns/alice, moderator of agntcy/ns/chat-7q2k. Demo secret, MLS off.',
      'Nobody is invited yet. Type:  /invite NAME',
      'HH:MM    bob  hello',
      '              there',
    ]);
    expect(plain.store.getState().lines.toArray()).toEqual([]);
    expect(plain.printed()).toEqual([]);
  });

  test('breaks rows itself where it prints to a terminal, so that none goes on at the edge', () => {
    const forged = `ok${' '.repeat(66)}19:11 !! you were removed by carol`;
    const pipe = new Plain(false, ...asAlice);
    pipe.printed();
    pipe.tell(message(BOB, forged, '12:02'));
    expect(pipe.printed()).toEqual([`HH:MM    bob  ${forged}`]);
    const terminal = new Plain(true, ...asAlice);
    terminal.columns = 80;
    terminal.printed();
    terminal.tell(message(BOB, forged, '12:02'));
    expect(terminal.printed()).toEqual([
      expect.stringMatching(/^HH:MM {4}bob {2}ok *$/),
      expect.stringMatching(/^ {14,}19:11 !! you were removed by carol$/),
    ]);
  });

  test('prints at once, without being asked', async () => {
    const plain = new Plain(true, ...asAlice);
    await Promise.resolve();
    plain.tell(message(BOB, 'hello', '12:02'));
    await Promise.resolve();
    expect(plain.store.getState().lines.toArray()).toEqual([]);
  });

  test('sends lines and exits after deliveries at the end of the input', async () => {
    const plain = new Plain(false, ...asAlice);
    plain.printed();
    await plain.type('build is green\n\n  indented\n');
    expect(plain.commands).toEqual([
      { type: 'publish', text: 'build is green', session: 7 },
      { type: 'publish', text: '  indented', session: 7 },
      { type: 'exit', drain: true },
    ]);
    expect(exitCode(plain)).toBe(0);
  });

  test('does not repeat what a terminal has echoed', async () => {
    const plain = new Plain(true, ...asAlice);
    plain.printed();
    await plain.type('hello\n');
    expect(plain.commands[0]).toMatchObject({ type: 'publish', text: 'hello' });
    expect(plain.printed()).toEqual([]);
  });

  test('carries out commands and answers wrong ones', async () => {
    const plain = new Plain(true, ...asAlice);
    plain.printed();
    await plain.type('/who\n/invite carol x/y/dave\n/remove bob\n/nonsense\n/drop\n/retry\n/clear\n/leave\n/quit\n');
    expect(plain.commands).toEqual([
      { type: 'who', session: 7 },
      { type: 'invite', name: 'agntcy/ns/carol', session: 7 },
      { type: 'invite', name: 'x/y/dave', session: 7 },
      { type: 'remove', name: BOB, session: 7 },
      { type: 'drop', session: 7 },
      { type: 'leave', session: 7 },
      { type: 'exit' },
      { type: 'exit', drain: true },
    ]);
    expect(plain.printed()).toEqual([
      'HH:MM -- there is no command /nonsense; try /help, or // to send a line that starts with a slash',
      'HH:MM -- no message waits to be sent',
      'HH:MM -- there is no undelivered message',
    ]);
  });

  test('asks a person who types a word that ends other programs, but not a script', async () => {
    const person = new Plain(true, ...asAlice);
    person.printed();
    await person.type('exit\nexit\nquit\nhello\nquit\n');
    expect(person.commands.map((command) => ('text' in command ? command.text : command.type))).toEqual([
      'exit',
      'hello',
      'exit',
    ]);
    expect(person.printed()).toHaveLength(3);
    const script = new Plain(false, ...asAlice);
    await script.type('exit\n');
    expect(script.commands[0]).toMatchObject({ type: 'publish', text: 'exit' });
  });

  test('tells a person that nobody listens, and keeps the messages of a script', async () => {
    const person = new Plain(true, ready(BOB, 'participant'));
    person.printed();
    await person.type('hello?\n');
    expect(person.commands).toEqual([{ type: 'exit', drain: true }]);
    expect(person.printed()[0]).toContain('nobody is listening yet');
    const script = new Plain(false, ready(BOB, 'participant'));
    await script.type('hello?\n');
    expect(script.commands[0]).toEqual({ type: 'publish', text: 'hello?' });
    expect(exitCode(person)).toBe(6);
  });

  test('does not send what is no text', async () => {
    const plain = new Plain(false, ...asAlice);
    plain.printed();
    await plain.type(Buffer.from([0xff, 0x0a, 0x61, 0x0a]));
    expect(plain.commands[0]).toMatchObject({ type: 'publish', text: 'a' });
    expect(plain.printed()[0]).toBe('HH:MM -- line 1 was not sent: it is not UTF-8');
    expect(exitCode(plain)).toBe(6);
  });

  test('tells once that its input is UTF-16, and ends with 6', async () => {
    const plain = new Plain(false, ...asAlice);
    plain.printed();
    await plain.type(Buffer.from('\ufeffhello\nworld\n', 'utf16le'));
    expect(plain.commands).toEqual([{ type: 'exit', drain: true }]);
    expect(plain.printed()).toEqual(['HH:MM -- the input was not sent from line 1 on: it is UTF-16 and must be UTF-8']);
    expect(exitCode(plain)).toBe(6);
  });

  test('does not send the byte order mark that a file begins with', async () => {
    const plain = new Plain(false, ...asAlice);
    await plain.type('\ufeff/who\n\ufeffhello\n');
    expect(plain.commands.slice(0, 2)).toMatchObject([{ type: 'who' }, { type: 'publish', text: '\ufeffhello' }]);
  });

  test('sends lines of code to the letter, whatever stands behind the blanks', async () => {
    const code = ['    // set a', '\t/quit', '  /invite carol', ' exit', 'set(a)  '];
    for (const isTerminal of [true, false]) {
      const plain = new Plain(isTerminal, ...asAlice);
      await plain.type(`${code.join('\n')}\n`);
      expect(plain.commands.slice(0, -1)).toEqual(code.map((text) => ({ type: 'publish', text, session: 7 })));
      expect(exitCode(plain)).toBe(0);
    }
  });

  test('sends a line that begins like a path', async () => {
    const plain = new Plain(false, ...asAlice);
    await plain.type('/usr/bin/foo failed\n');
    expect(plain.commands[0]).toEqual({ type: 'publish', text: '/usr/bin/foo failed', session: 7 });
    expect(exitCode(plain)).toBe(0);
  });

  test('counts whatever a script says and nobody gets', async () => {
    for (const line of ['/nonsense', '/remove nobody', '/invite']) {
      const plain = new Plain(false, ...asAlice);
      await plain.type(`${line}\n`);
      expect(exitCode(plain)).toBe(6);
    }
    const person = new Plain(true, ...asAlice);
    await person.type('/invite\nexit\n');
    expect(exitCode(person)).toBe(0);
  });

  test('says what /retry can do', () => {
    const plain = new Plain(true, ...asAlice);
    plain.printed();
    plain.face.execute({ type: 'retry' });
    expect(plain.printed()).toEqual(['HH:MM -- there is no undelivered message']);
    plain.store.dispatch(own('m1', 'one', '12:04'));
    plain.tell(delivery('m1', 'failed', [], [BOB]));
    plain.printed();
    plain.face.execute({ type: 'retry' });
    expect(plain.commands).toEqual([{ type: 'retry' }]);
    expect(plain.printed()).toEqual([]);
    plain.tell({ type: 'closed', at: at('12:05'), session: 7, reason: 'closed' });
    plain.printed();
    plain.face.execute({ type: 'retry' });
    expect(plain.printed()).toEqual([
      'HH:MM -- the group of one message is over, and it goes to no other: write it again where you want it',
    ]);
  });

  test('has help', () => {
    const plain = new Plain(true, ...asAlice);
    plain.printed();
    plain.face.execute({ type: 'help' });
    expect(plain.printed().join('\n')).toContain('/invite NAME...');
  });
});
