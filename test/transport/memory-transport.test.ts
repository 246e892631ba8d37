import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import {
  createMemoryPair,
  type LinkOptions,
  type MemoryConnection,
  MemoryTransport,
} from '../../src/transport/index.js';
import { ConnectionError } from '../../src/util/index.js';
import {
  type PeerStream,
  Recorder,
  settled,
  type TransportHarness,
  transportSuite,
} from '../compliance/transport-suite.js';

import { StreamQueue } from './helpers/stream-queue.js';

/** The executor of a promise that never settles. */
function ignore(): void {
  // Nothing.
}

function memoryHarness(options: LinkOptions = {}): TransportHarness {
  const streams = new StreamQueue();
  const transport = new MemoryTransport((connection) => {
    const recorder = new Recorder();
    const stream: PeerStream = {
      inbox: recorder.inbox,
      ended: recorder.ended.then(() => undefined),
      send: (frame) => void connection.send(frame),
      end: () => void connection.close(),
      cut: () => connection.cut(),
      pauseReading: () => connection.pauseReading(),
      resumeReading: () => connection.resumeReading(),
    };
    harness.onStream?.(stream);
    streams.push(stream);
    return recorder;
  }, options);
  const silentTransport = new MemoryTransport(() => new Promise<never>(ignore));
  const harness: TransportHarness = {
    transport,
    silentTransport,
    onStream: undefined,
    nextStream: () => streams.next(),
    dispose: () => {
      transport.close();
      silentTransport.close();
      return Promise.resolve();
    },
  };
  return harness;
}

transportSuite('memory', () => Promise.resolve(memoryHarness()));
transportSuite('memory with latency', () => Promise.resolve(memoryHarness({ latencyMs: 2 })));

/** A generator that always gives the same numbers. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a bad line in memory', () => {
  let far: Recorder;
  let near: Recorder;

  beforeEach(() => {
    vi.useFakeTimers();
    near = new Recorder();
    far = new Recorder();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function connect(options: LinkOptions): [MemoryConnection, MemoryConnection] {
    return createMemoryPair(near, far, options);
  }

  function bytesOf(recorder: Recorder): number[] {
    return recorder.inbox.frames.map((frame) => frame[0] ?? -1);
  }

  test('latency holds frames back, by fake timers too', async () => {
    const [line] = connect({ latencyMs: 50 });
    line.send(Uint8Array.of(1));
    await vi.advanceTimersByTimeAsync(49);
    expect(bytesOf(far)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bytesOf(far)).toEqual([1]);
  });

  test('injected timers replace setTimeout', async () => {
    const due: (() => void)[] = [];
    const [line] = connect({ latencyMs: 50, setTimer: (run) => (due.push(run), () => undefined) });
    line.send(Uint8Array.of(1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(bytesOf(far)).toEqual([]);
    for (const run of due) run();
    expect(bytesOf(far)).toEqual([1]);
  });

  test('loss, duplication and reordering follow the random numbers', async () => {
    const options = { latencyMs: 1, lossRate: 0.2, duplicateRate: 0.2, reorderRate: 0.2, reorderMs: 5 };
    const runs: number[][] = [];
    for (let run = 0; run < 2; run += 1) {
      near = new Recorder();
      far = new Recorder();
      const [line] = connect({ ...options, random: seeded(42) });
      for (let value = 0; value < 100; value += 1) {
        line.send(Uint8Array.of(value));
        await vi.advanceTimersByTimeAsync(1);
      }
      await vi.advanceTimersByTimeAsync(100);
      runs.push(bytesOf(far));
    }
    const [first = [], second] = runs;
    expect(first).toEqual(second);
    const distinct = new Set(first);
    expect(distinct.size).toBeGreaterThan(60);
    expect(distinct.size).toBeLessThan(100);
    expect(first.length).toBeGreaterThan(distinct.size);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
  });

  test('a line of which everything is lost delivers nothing and stays writable', async () => {
    const [line] = connect({ lossRate: 1 });
    for (let value = 0; value < 1000; value += 1) expect(line.send(Uint8Array.of(1))).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(far.log).toEqual([]);
  });

  test('send returns false at the mark, drain comes at half of it', async () => {
    const [line, peer] = connect({ highWaterFrames: 4 });
    await vi.advanceTimersByTimeAsync(0);
    peer.pauseReading();
    expect([1, 2, 3, 4, 5].map((value) => line.send(Uint8Array.of(value)))).toEqual([true, true, true, false, false]);
    await vi.advanceTimersByTimeAsync(10);
    expect(near.log).toEqual([]);
    peer.resumeReading();
    expect(near.log).toEqual(['drain']);
    expect(bytesOf(far)).toEqual([1, 2, 3, 4, 5]);
  });

  test('the frame is copied when it is sent', async () => {
    const [line] = connect({ latencyMs: 5 });
    const frame = Uint8Array.of(1);
    line.send(frame);
    frame[0] = 9;
    await vi.advanceTimersByTimeAsync(5);
    expect(bytesOf(far)).toEqual([1]);
  });

  test('cut loses what is under way and tells both ends why', async () => {
    const [line] = connect({ latencyMs: 5 });
    await vi.advanceTimersByTimeAsync(0);
    line.send(Uint8Array.of(1));
    const error = new ConnectionError('stream-lost', 'pulled the plug');
    line.cut(error);
    await vi.advanceTimersByTimeAsync(10);
    expect(await near.ended).toBe(error);
    expect(await far.ended).toBe(error);
    expect(far.log).toEqual(['end']);
  });

  test('close gives up after one second when the other side reads nothing', async () => {
    const [line, peer] = connect({});
    await vi.advanceTimersByTimeAsync(0);
    peer.pauseReading();
    line.send(Uint8Array.of(1));
    let isClosed = false;
    void line.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('MemoryTransport', () => {
  test('an acceptor that throws refuses the stream', async () => {
    const refusal = new ConnectionError('refused', 'nobody there');
    const transport = new MemoryTransport(() => {
      throw refusal;
    });
    await expect(transport.open(new Recorder())).rejects.toBe(refusal);
  });

  test('an acceptor that answers too late sees the stream end', async () => {
    const far = new Recorder();
    let answer: (recorder: Recorder) => void = () => undefined;
    const transport = new MemoryTransport(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const abort = new AbortController();
    const near = new Recorder();
    const outcome = expect(transport.open(near, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    abort.abort();
    await outcome;
    answer(far);
    expect(await far.ended).toMatchObject({ code: 'stream-lost' });
    await settled();
    expect(near.log).toEqual([]);
  });

  test('names itself as it is told', () => {
    expect(new MemoryTransport(() => new Recorder(), { endpoint: 'http://demo:1' }).endpoint).toBe('http://demo:1');
  });
});
