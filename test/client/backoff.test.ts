import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type AppEvent, ConnectionError, SlimApp, type SlimAppOptions } from '../../src/client/index.js';
import type { BackoffConfig } from '../../src/transport/index.js';
import { freePort } from '../harness/index.js';
import { connect, eventsOf, MemoryNode, outcomeOf, pair, pass, SECRET } from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const REFUSED = new ConnectionError('refused', 'nobody listens');
const FIXED: BackoffConfig = { kind: 'fixed-interval', intervalMs: 50, maxAttempts: 2 };
const EXPONENTIAL: BackoffConfig = {
  kind: 'exponential',
  baseMs: 10,
  factor: 2,
  maxDelayMs: 3000,
  jitter: false,
  maxAttempts: Number.POSITIVE_INFINITY,
};

function pauses(events: readonly AppEvent[]): number[] {
  return events.flatMap((event) =>
    event.kind === 'connection' && event.state.kind === 'retrying' ? [event.state.inMs] : [],
  );
}

/** An app that finds nobody. */
function refused(backoff: BackoffConfig, options: Partial<SlimAppOptions> = {}) {
  const node = new MemoryNode();
  node.refusal = REFUSED;
  const events: AppEvent[] = [];
  const outcome = outcomeOf(
    SlimApp.connect({
      local: 'agntcy/ns/alice',
      slim: node.transport({ backoff }),
      sharedSecret: SECRET,
      onEvent: (event) => events.push(event),
      ...options,
    }),
  );
  return { node, events, outcome };
}

describe('the first connection', () => {
  test('over gRPC keeps to the backoff of the document that says where the node is', async () => {
    vi.useRealTimers();
    const endpoint = `http://127.0.0.1:${String(await freePort())}`;
    const backoff = { type: 'fixed_interval', interval: '50ms', max_attempts: 2 };
    const events: AppEvent[] = [];
    await expect(
      SlimApp.connect({
        local: 'agntcy/ns/alice',
        slim: JSON.stringify({ endpoint, tls: { insecure: true }, backoff }),
        sharedSecret: SECRET,
        onEvent: (event) => events.push(event),
      }),
    ).rejects.toMatchObject({ code: 'refused' });
    expect(pauses(events)).toEqual([50, 50]);
  });

  test('is repeated as often as the document says', async () => {
    const { node, events, outcome } = refused(FIXED);
    await pass(99);
    expect(node.attempts).toBe(2);
    await pass(1);
    expect(node.attempts).toBe(3);
    expect(outcome.error).toBe(REFUSED);
    expect(pauses(events)).toEqual([50, 50]);
  });

  test('waits longer each time, up to the maximum', async () => {
    const { events, outcome } = refused(EXPONENTIAL);
    await pass(10_000);
    expect(pauses(events).slice(0, 5)).toEqual([20, 200, 2000, 3000, 3000]);
    expect(outcome.isSettled).toBe(false);
  });

  test('with jitter waits a part of that, in whole milliseconds', async () => {
    const { events } = refused({ ...EXPONENTIAL, jitter: true });
    await pass(60_000);
    const waits = pauses(events);
    expect(waits.length).toBeGreaterThan(10);
    expect(new Set(waits).size).toBeGreaterThan(5);
    for (const ms of waits) {
      expect(Number.isInteger(ms)).toBe(true);
      expect(ms).toBeLessThanOrEqual(3000);
    }
  });

  test.each([
    ['more', 5],
    ['fewer', 2],
  ])('a number of attempts of the program goes before: %s', async (_, connectAttempts) => {
    const { node, events, outcome } = refused(FIXED, { connectAttempts });
    await pass(10_000);
    expect(node.attempts).toBe(connectAttempts);
    expect(outcome.error).toBe(REFUSED);
    expect(new Set(pauses(events))).toEqual(new Set([50]));
  });
});

describe('a stream that is lost', () => {
  test('is opened again by the backoff of the document, which begins anew each time', async () => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice', {
      slim: node.transport({ backoff: EXPONENTIAL }),
    });
    node.refusal = REFUSED;
    stream.connection.cut();
    await pass(500);
    node.refusal = undefined;
    await pass(3000);
    node.stream.connection.cut();
    await pass(100);
    expect(pauses(events)).toEqual([20, 200, 2000, 20]);
  });

  test('is given up after as many attempts as the document says; then the app and its sessions are over', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node, { slim: node.transport({ backoff: FIXED }) });
    const sessionEvents = eventsOf(aliceSession);
    const listening = outcomeOf(alice.app.listenForSession());
    node.refusal = REFUSED;
    alice.stream.connection.cut();
    const waiting = outcomeOf(aliceSession.publish('hello'));
    await pass(99);
    expect(aliceSession.closeReason).toBeUndefined();
    await pass(1);
    const last = alice.events.at(-1);
    expect(last).toEqual({ kind: 'connection', state: { kind: 'closed', error: REFUSED } });
    expect(aliceSession.closeReason).toBe('closed');
    expect(sessionEvents.at(-1)).toEqual({ kind: 'closed', reason: 'closed' });
    expect(waiting.error).toMatchObject({ code: 'closed' });
    expect(listening.error).toBe(REFUSED);
    await expect(alice.app.createSession({ channel: 'a/b/c' })).rejects.toMatchObject({ code: 'closed' });
    const { attempts } = node;
    await pass(60_000);
    expect(node.attempts).toBe(attempts);
    expect(alice.events.at(-1)).toBe(last);
  });
});
