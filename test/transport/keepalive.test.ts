import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Keepalive } from '../../src/transport/keepalive.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A keepalive on a line whose other side answers when told to. Pings by the clock are an hour apart, unless said otherwise. */
function keepaliveOf({ intervalMs = 3_600_000, timeoutMs = 10_000 } = {}) {
  const socket = { bytesRead: 0, bytesWritten: 0 };
  const answers: (() => void)[] = [];
  const session = { destroyed: false, ping: (answer: () => void) => answers.push(answer) > 0 };
  const dead: number[] = [];
  const keepalive = new Keepalive(
    // All that the keepalive knows of the two.
    session as Partial<ClientHttp2Session> as ClientHttp2Session,
    socket as Partial<Socket> as Socket,
    { intervalMs, timeoutMs },
    (waitedMs) => dead.push(waitedMs),
  );
  return { keepalive, socket, answers, dead };
}

describe('what was sent is to be answered', () => {
  test.each([2500, 5500, 11_000, 30_000])('in %d ms: a dead line is found before that', async (withinMs) => {
    const { keepalive, dead } = keepaliveOf();
    keepalive.expectAnswer(withinMs);
    await vi.advanceTimersByTimeAsync(withinMs - 1);
    expect(dead).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('before anybody is called silent, which the chat does after 5 s', async () => {
    const { keepalive, dead } = keepaliveOf();
    keepalive.expectAnswer(11_000);
    await vi.advanceTimersByTimeAsync(4500);
    expect(dead).toEqual([3000]);
  });

  test('and something comes at once: nobody is pinged', async () => {
    const { keepalive, socket, answers } = keepaliveOf();
    keepalive.expectAnswer(11_000);
    await vi.advanceTimersByTimeAsync(500);
    socket.bytesRead += 100;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(answers).toHaveLength(0);
  });

  test('again and again, by members who are silent: a ping a second, and a node that answers them lives', async () => {
    const { keepalive, socket, answers, dead } = keepaliveOf();
    let pings = 0;
    for (let count = 0; count < 1000; count += 1) {
      keepalive.expectAnswer(11_000);
      await vi.advanceTimersByTimeAsync(10);
      for (const answer of answers.splice(0)) {
        pings += 1;
        socket.bytesRead += 17;
        answer();
      }
    }
    expect(dead).toEqual([]);
    expect(pings).toBeGreaterThan(5);
    expect(pings).toBeLessThanOrEqual(10);
    keepalive.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('and the ping waits behind other bytes that come: they are a sign of life', async () => {
    const { keepalive, socket, dead } = keepaliveOf();
    keepalive.expectAnswer(11_000);
    for (let second = 0; second < 60; second += 1) {
      await vi.advanceTimersByTimeAsync(1000);
      socket.bytesRead += 1;
    }
    expect(dead).toEqual([]);
    await vi.advanceTimersByTimeAsync(6000);
    expect(dead).toEqual([3000]);
  });

  test('and was much, over a line that may be slow: it has more time, but not all of it', async () => {
    const { keepalive, socket, dead } = keepaliveOf();
    keepalive.expectAnswer(11_000);
    socket.bytesWritten += 1_000_000;
    await vi.advanceTimersByTimeAsync(8000);
    expect(dead).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(dead).toHaveLength(1);
  });

  test('while a ping by the clock is under way, which may take longer: its time is cut short', async () => {
    const { keepalive, answers, dead } = keepaliveOf({ intervalMs: 20_000, timeoutMs: 10_000 });
    await vi.advanceTimersByTimeAsync(20_000);
    keepalive.expectAnswer(5500);
    await vi.advanceTimersByTimeAsync(5000);
    expect(answers).toHaveLength(1);
    expect(dead).toEqual([2750]);
  });

  test('but the configuration wants no pings: there are none', async () => {
    const { keepalive, answers, dead } = keepaliveOf({ intervalMs: 0 });
    keepalive.expectAnswer(5500);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([answers, dead]).toEqual([[], []]);
  });
});
