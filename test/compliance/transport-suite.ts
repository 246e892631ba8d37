import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  type Connection,
  type ConnectionHandlers,
  MAX_FRAME_BYTES,
  type Transport,
} from '../../src/transport/index.js';
import type { SlimError } from '../../src/util/index.js';

/** The far end of one stream, as a test drives it. */
export interface PeerStream {
  /** What has arrived. */
  readonly inbox: Inbox;
  /** Resolves when the stream is over for this side. */
  readonly ended: Promise<void>;
  /** Sends one message. */
  send(frame: Uint8Array): void;
  /** Ends the stream in order, as a node does that shuts down. */
  end(): void;
  /** Breaks the connection. */
  cut(): void;
  /** Reads nothing until told to. */
  pauseReading(): void;
  /** Reads on. */
  resumeReading(): void;
}

/** A transport, and what stands at its far end. */
export interface TransportHarness {
  /** Leads to a node that accepts. */
  readonly transport: Transport;
  /** Leads to something that accepts connections and never answers. */
  readonly silentTransport: Transport;
  /** The far end of the next stream that is opened, or of one that nobody has asked for yet. */
  nextStream(): Promise<PeerStream>;
  /** Called for each new stream before anything else happens to it. */
  onStream: ((stream: PeerStream) => void) | undefined;
  dispose(): Promise<void>;
}

/** What each transport must do, whatever is below it. */
export function transportSuite(name: string, setup: () => Promise<TransportHarness>): void {
  describe(`transport: ${name}`, () => {
    let harness: TransportHarness;

    beforeEach(async () => {
      harness = await setup();
    });
    afterEach(() => harness.dispose());

    async function openStream(): Promise<{ connection: Connection; recorder: Recorder; peer: PeerStream }> {
      const recorder = new Recorder();
      const connection = await harness.transport.open(recorder);
      return { connection, recorder, peer: await harness.nextStream() };
    }

    test('frames arrive complete and in order, both ways', async () => {
      const { connection, recorder, peer } = await openStream();
      for (const value of range(3000)) {
        connection.send(numbered(value, 4 + (value % 300)));
        peer.send(numbered(value, 4 + (value % 300)));
      }
      expect(numbersIn(await peer.inbox.reach(3000))).toEqual(range(3000));
      expect(numbersIn(await recorder.inbox.reach(3000))).toEqual(range(3000));
      for (const [value, frame] of recorder.inbox.frames.entries()) {
        expect(Buffer.compare(frame, numbered(value, 4 + (value % 300)))).toBe(0);
      }
    });

    test('an empty frame arrives', async () => {
      const { connection, recorder, peer } = await openStream();
      connection.send(new Uint8Array(0));
      peer.send(new Uint8Array(0));
      expect((await peer.inbox.reach(1))[0]).toHaveLength(0);
      expect((await recorder.inbox.reach(1))[0]).toHaveLength(0);
    });

    test('the largest frame arrives between small ones, both ways', async () => {
      const { connection, recorder, peer } = await openStream();
      const lengths = [10, MAX_FRAME_BYTES, 10];
      for (const [value, length] of lengths.entries()) {
        connection.send(numbered(value, length));
        peer.send(numbered(value, length));
      }
      for (const inbox of [peer.inbox, recorder.inbox]) {
        const frames = await inbox.reach(3);
        expect(frames.map((frame) => frame.length)).toEqual(lengths);
        expect(Buffer.compare(frames[1] ?? new Uint8Array(), numbered(1, MAX_FRAME_BYTES))).toBe(0);
      }
    });

    test('a peer that does not read makes send return false, nothing is lost, and drain comes once it reads', async () => {
      const { connection, recorder, peer } = await openStream();
      peer.pauseReading();
      let sent = 0;
      let isWritable = true;
      // Buffers on the way take some; what they are not allowed to do is take everything.
      while (isWritable && sent < 5000) {
        isWritable = connection.send(numbered(sent, 32 * 1024));
        sent += 1;
        if (sent % 20 === 0) await settled();
      }
      expect(isWritable).toBe(false);
      expect(connection.send(numbered(sent, 10))).toBe(false);
      sent += 1;
      await settled();
      expect(recorder.count('drain')).toBe(0);

      const drained = recorder.nextDrain();
      peer.resumeReading();
      await drained;
      expect(connection.send(numbered(sent, 10))).toBe(true);
      sent += 1;
      expect(numbersIn(await peer.inbox.reach(sent))).toEqual(range(sent));
    });

    test('each false of send is followed by one drain', async () => {
      const { connection, recorder, peer } = await openStream();
      let sent = 0;
      for (let round = 1; round <= 5; round += 1) {
        const drained = recorder.nextDrain();
        while (connection.send(numbered(sent))) sent += 1;
        sent += 1;
        await drained;
        expect(recorder.count('drain')).toBe(round);
      }
      expect(numbersIn(await peer.inbox.reach(sent))).toEqual(range(sent));
    });

    test('no handler is called from inside send', async () => {
      const { connection, recorder, peer } = await openStream();
      let isSending = false;
      const calls: string[] = [];
      const { log } = recorder;
      const original = log.push.bind(log);
      log.push = (...entries): number => {
        if (isSending) calls.push(...entries);
        return original(...entries);
      };
      for (const value of range(1000)) {
        if (value % 50 === 0) peer.send(numbered(value));
        isSending = true;
        connection.send(numbered(value));
        isSending = false;
      }
      await peer.inbox.reach(1000);
      await recorder.inbox.reach(20);
      expect(calls).toEqual([]);
    });

    test('frames that the peer sends at once come after open has resolved', async () => {
      harness.onStream = (stream) => {
        for (const value of range(5)) stream.send(numbered(value));
      };
      const recorder = new Recorder();
      const nested = async (): Promise<Connection> => harness.transport.open(recorder);
      await nested();
      recorder.log.push('opened');
      await recorder.inbox.reach(5);
      expect(recorder.log).toEqual(['opened', 'frame', 'frame', 'frame', 'frame', 'frame']);
    });

    test('close delivers what was sent, ends both sides, and may be called again', async () => {
      const { connection, recorder, peer } = await openStream();
      for (const value of range(200)) connection.send(numbered(value));
      const closing = connection.close();
      expect(connection.close()).toBe(closing);
      expect(connection.send(numbered(999))).toBe(true);
      await closing;
      expect(await recorder.ended).toBeUndefined();
      await connection.close();
      await peer.ended;
      await settled();
      expect(numbersIn(peer.inbox.frames)).toEqual(range(200));
      expect(recorder.log).toEqual(['end']);
    });

    test('close ends within its time although the peer reads nothing', async () => {
      const { connection, recorder, peer } = await openStream();
      peer.pauseReading();
      for (const value of range(300)) connection.send(numbered(value, 32 * 1024));
      const begin = performance.now();
      await connection.close();
      expect(performance.now() - begin).toBeLessThan(3000);
      expect(await recorder.ended).toBeUndefined();
      expect(recorder.count('end')).toBe(1);
    });

    test('the end from the other side comes after its last frame, once, as stream-lost', async () => {
      const { connection, recorder, peer } = await openStream();
      for (const value of range(500)) peer.send(numbered(value));
      peer.end();
      const end = { name: 'ConnectionError', code: 'stream-lost', details: { grpcStatus: 0 } };
      expect(await recorder.ended).toMatchObject(end);
      expect(numbersIn(recorder.inbox.frames)).toEqual(range(500));
      await connection.close();
      await settled();
      expect(recorder.log.at(-1)).toBe('end');
      expect(recorder.count('end')).toBe(1);
    });

    test('a stream that ends as soon as it is open still ends after open has resolved', async () => {
      harness.onStream = (stream) => {
        stream.send(numbered(7));
        stream.end();
      };
      const recorder = new Recorder();
      await harness.transport.open(recorder);
      recorder.log.push('opened');
      expect(await recorder.ended).toMatchObject({ code: 'stream-lost' });
      expect(recorder.log).toEqual(['opened', 'frame', 'end']);
    });

    test('a broken connection ends the stream once, as stream-lost', async () => {
      const { connection, recorder, peer } = await openStream();
      connection.send(numbered(1));
      await peer.inbox.reach(1);
      peer.cut();
      expect(await recorder.ended).toMatchObject({ name: 'ConnectionError', code: 'stream-lost' });
      await connection.close();
      await settled();
      expect(recorder.log).toEqual(['end']);
    });

    test('send after the end does no harm', async () => {
      const { connection, recorder, peer } = await openStream();
      peer.end();
      await recorder.ended;
      for (const value of range(1000)) expect(connection.send(numbered(value))).toBe(true);
      await settled();
      expect(recorder.log).toEqual(['end']);
    });

    test('an attempt can be aborted while the other side is silent', async () => {
      const abort = new AbortController();
      const recorder = new Recorder();
      const opening = harness.silentTransport.open(recorder, abort.signal);
      const outcome = expect(opening).rejects.toMatchObject({ name: 'SessionError', code: 'aborted' });
      await settled();
      abort.abort(new Error('changed my mind'));
      await outcome;
      await settled();
      expect(recorder.log).toEqual([]);
    });

    test('a signal that has fired already lets nothing begin', async () => {
      const opening = harness.transport.open(new Recorder(), AbortSignal.abort());
      await expect(opening).rejects.toMatchObject({ name: 'SessionError', code: 'aborted' });
    });

    test('a signal that fires after open has no effect', async () => {
      const abort = new AbortController();
      const recorder = new Recorder();
      const connection = await harness.transport.open(recorder, abort.signal);
      const peer = await harness.nextStream();
      abort.abort();
      connection.send(numbered(1));
      peer.send(numbered(2));
      await peer.inbox.reach(1);
      await recorder.inbox.reach(1);
      expect(recorder.log).toEqual(['frame']);
    });

    test('streams of one transport are independent', async () => {
      const first = await openStream();
      const second = await openStream();
      first.connection.send(numbered(1));
      second.connection.send(numbered(2));
      expect(numbersIn(await first.peer.inbox.reach(1))).toEqual([1]);
      expect(numbersIn(await second.peer.inbox.reach(1))).toEqual([2]);
      await first.connection.close();
      second.peer.send(numbered(3));
      expect(numbersIn(await second.recorder.inbox.reach(1))).toEqual([3]);
      expect(second.recorder.count('end')).toBe(0);
    });

    test('closing the transport ends open streams and attempts, and allows no others', async () => {
      const { recorder } = await openStream();
      harness.transport.close();
      expect(await recorder.ended).toBeUndefined();
      await expect(harness.transport.open(new Recorder())).rejects.toMatchObject({ code: 'closed' });

      const opening = harness.silentTransport.open(new Recorder());
      const outcome = expect(opening).rejects.toMatchObject({ name: 'SessionError', code: 'closed' });
      await settled();
      harness.silentTransport.close();
      await outcome;
    });
  });
}

/** Collects frames, and lets a test wait for them. */
export class Inbox {
  readonly frames: Uint8Array[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  /** Adds one. */
  push(frame: Uint8Array): void {
    this.frames.push(frame);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.frames.length < count) return true;
      resolve();
      return false;
    });
  }

  /** Resolves when there are `count` frames. */
  async reach(count: number): Promise<readonly Uint8Array[]> {
    if (this.frames.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting.push({ count, resolve });
      });
    }
    return this.frames;
  }
}

/** Handlers that write down what they are told. */
export class Recorder implements ConnectionHandlers {
  readonly inbox = new Inbox();
  /** Kinds of calls in order; `frame` for each frame. */
  readonly log: string[] = [];
  /** What the stream ended with, once it has. */
  readonly ended: Promise<SlimError | undefined>;
  #resolveEnd: (error: SlimError | undefined) => void = () => undefined;
  #onDrain: (() => void) | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  onFrame(frame: Uint8Array): void {
    this.log.push('frame');
    this.inbox.push(frame);
  }

  onDrain(): void {
    this.log.push('drain');
    this.#onDrain?.();
  }

  onEnd(error: SlimError | undefined): void {
    this.log.push('end');
    this.#resolveEnd(error);
  }

  /** Resolves at the next `onDrain`. */
  nextDrain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  /** How often something was called. */
  count(kind: string): number {
    return this.log.filter((entry) => entry === kind).length;
  }
}

/** Resolves a few turns of the event loop later: what was going to happen at once has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A frame that carries a number, and some bytes that depend on it. */
function numbered(value: number, length = 24): Uint8Array {
  const frame = new Uint8Array(length).fill(value % 251);
  new DataView(frame.buffer).setUint32(0, value);
  return frame;
}

function numbersIn(frames: readonly Uint8Array[]): number[] {
  return frames.map((frame) => new DataView(frame.buffer, frame.byteOffset).getUint32(0));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
