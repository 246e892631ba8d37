import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { ChatCommand } from '../../src/chat/index.js';
import { Chat, moderator, participant, text } from './chat-rig.js';
import { ALICE, BOB, FakeApp } from './fake-app.js';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the end of the input', () => {
  const eof: ChatCommand = { type: 'exit', drain: true };

  test('waits for acknowledgements', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(chat.of('bye')).toEqual([]);
    chat.session.ackAll();
    expect(await chat.runtime.done).toBe(0);
    expect(chat.summary.slice(-3)).toEqual(['delivery acked', 'closed', 'bye']);
  });

  test('waits for the first member as long as an invitation lasts', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(25_000);
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.session.handles).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(chat.of('bye')).toEqual([]);
    chat.session.ackAll();
    expect(await chat.runtime.done).toBe(0);
  });

  test('gives up after that, and says so with 6', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await chat.runtime.done).toBe(6);
    expect(chat.of('delivery').at(-1)).toMatchObject({ ref: 'a', state: 'failed' });
  });

  test('waits no longer than told', async () => {
    const chat = await moderator({ lingerMs: 2000 });
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(1999);
    expect(chat.of('bye')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await chat.runtime.done).toBe(6);
  });

  test('is cut short by a second wish to end', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    chat.runtime.exit({ exitCode: 143 });
    expect(await chat.runtime.done).toBe(143);
  });

  test('ends at once when there is nothing to wait for', async () => {
    const chat = await participant();
    await chat.do(eof);
    expect(await chat.runtime.done).toBe(0);
  });

  test('ends with 5 when the group was closed under it', async () => {
    const chat = await participant();
    chat.app.invited([ALICE, BOB]).end('closed');
    await chat.do(eof);
    expect(await chat.runtime.done).toBe(5);
    const asked = await participant();
    asked.app.invited([ALICE, BOB]).end('closed');
    await asked.do({ type: 'exit' });
    expect(await asked.runtime.done).toBe(0);
  });

  test('keeps messages for a group that is still to come, where that is wished', async () => {
    const chat = await participant({ holdsMessages: true });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(10_000);
    const session = chat.app.invited([ALICE, BOB]);
    await chat.settle();
    expect(session.handles).toHaveLength(1);
    session.ackAll();
    expect(await chat.runtime.done).toBe(0);

    const alone = await participant({ holdsMessages: true });
    await alone.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await alone.runtime.done).toBe(6);
  });
});

describe('ending', () => {
  test('does not make 6 of undelivered messages for people', async () => {
    const chat = await moderator({ isStrict: false });
    await chat.do(text('a'), { type: 'exit' });
    expect(await chat.runtime.done).toBe(0);
  });

  test('takes five seconds at most when peers do not answer', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.app.peersAnswer = false;
    await chat.do({ type: 'exit' });
    await vi.advanceTimersByTimeAsync(4999);
    expect(chat.of('bye')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await chat.runtime.done).toBe(0);
    expect(chat.summary.slice(-2)).toEqual(['closed', 'bye']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does nothing and says nothing afterwards', async () => {
    const chat = await participant();
    await chat.do({ type: 'exit' });
    await chat.runtime.done;
    const count = chat.events.length;
    await chat.do({ type: 'who' }, { type: 'exit' });
    chat.app.emit({ kind: 'warning', code: 'queue-full', text: 'late' });
    expect(chat.events).toHaveLength(count);
  });

  test('stops connecting', async () => {
    let signal: AbortSignal | undefined;
    const chat = new Chat({}, new FakeApp(BOB), (_handlers, stop) => {
      signal = stop;
      return new Promise((_resolve, reject) => {
        stop.addEventListener('abort', () => {
          reject(stop.reason as Error);
        });
      });
    });
    const started = chat.runtime.start();
    chat.runtime.exit({ exitCode: 143 });
    await expect(started).rejects.toMatchObject({ code: 'aborted' });
    expect(signal?.aborted).toBe(true);
    expect(await chat.runtime.done).toBe(143);
  });

  test('as a bug when something throws that should not', async () => {
    const chat = await moderator();
    vi.spyOn(chat.session, 'invite').mockRejectedValue(new TypeError('oops'));
    const ended = expect(chat.runtime.done).rejects.toThrow('oops');
    await chat.do({ type: 'invite', name: 'agntcy/ns/bob' });
    await ended;
  });
});
