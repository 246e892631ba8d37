import { Buffer } from 'node:buffer';
import { constants, type ServerHttp2Stream } from 'node:http2';

import { FrameDecoder, type FramingFault, MAX_MESSAGE_BYTES } from '../transport/index.js';
import { startTimer, type Timer } from '../util/index.js';
import type { DisconnectReason } from './log-event.js';
import type { MessageProcessor, Outlet } from './message-processor.js';

/** How much may wait for one client before it is cut off, and how patient the node is with it. */
export interface QueueLimits {
  /** Messages. */
  readonly maxFrames: number;
  /** Bytes. */
  readonly maxBytes: number;
  /** How long a sender waits for a client that is behind, at most, in milliseconds. */
  readonly pauseMs: number;
}

/** Generous: the limits are there for clients that stopped reading, not for slow ones. */
export const defaultQueueLimits: QueueLimits = { maxFrames: 16_384, maxBytes: 64 * 1024 * 1024, pauseMs: 100 };

/** What a {@link ClientStream} tells its server. */
export interface ClientStreamOwner {
  /** The connection takes part no more: it is out of the routing table, at once. Called once. */
  onDetached(connection: ClientStream, reason: DisconnectReason): void;
  /** The client did not read; called before the connection is detached. */
  onCutOff(connection: ClientStream, frames: number, bytes: number): void;
}

/** gRPC status codes that this node sends. */
const STATUS_OK = 0;
const STATUS_UNIMPLEMENTED = 12;
const STATUS_INTERNAL = 13;

// One write of this size costs the same few system calls as one of 400 bytes.
const BATCH_BYTES = 256 * 1024;
// Senders pause when more than one part in 4 of a queue is full, and go on when less than one in 8 is.
const PAUSE_PART = 4;
const RESUME_PART = 8;
// How long a client may take to read the rest and to end its side, after the node has ended the stream, in milliseconds.
const DRAIN_MS = 5_000;

/**
 * One OpenChannel stream: cuts what arrives into messages and hands them on, and queues what goes out.
 *
 * A client that is behind makes its senders pause, but not for longer than {@link QueueLimits.pauseMs}: then it counts as stuck
 * until it takes something again, nobody pauses for it any more, and when its queue is full it is cut off.
 * Differs from upstream, where a sender waits for a stuck receiver for ever (`mp.rs:send_msg`).
 */
export class ClientStream implements Outlet {
  /** Number of this connection in the routing table. */
  readonly index: number;

  readonly #stream: ServerHttp2Stream;
  readonly #processor: MessageProcessor<ClientStream>;
  readonly #owner: ClientStreamOwner;
  readonly #limits: QueueLimits;
  readonly #decoder = new FrameDecoder(MAX_MESSAGE_BYTES);

  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isFlushPlanned = false;
  #isWriting = false;
  #isStuck = false;
  /** Connections that pause because of this one. */
  readonly #waiting = new Set<ClientStream>();

  #pausedBy: ClientStream | undefined;
  #pauseTimer: Timer | undefined;
  #drainTimer: Timer | undefined;
  #isDetached = false;
  #status: { readonly code: number; readonly text: string } | undefined;

  constructor(
    stream: ServerHttp2Stream,
    processor: MessageProcessor<ClientStream>,
    owner: ClientStreamOwner,
    limits: QueueLimits,
  ) {
    this.#stream = stream;
    this.#processor = processor;
    this.#owner = owner;
    this.#limits = limits;
    this.index = processor.open(this);
    // Clients count as connected when the headers arrive (mp.rs:open_channel answers before the first message).
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('data', (chunk: Buffer) => {
      this.#onData(chunk);
    });
    stream.on('end', () => {
      this.end('half-close');
    });
    stream.on('wantTrailers', () => {
      this.#sendTrailers();
    });
    stream.on('error', () => {
      // 'close' follows, and what it was makes no difference.
    });
    stream.on('close', () => {
      this.#onClose();
    });
  }

  send(framed: Buffer): boolean {
    if (this.#isDetached) return true;
    this.#queue.push(framed);
    this.#queuedBytes += framed.length;
    if (this.#queue.length > this.#limits.maxFrames || this.#queuedBytes > this.#limits.maxBytes) {
      this.#cutOff();
      return true;
    }
    this.#planFlush();
    return this.#isStuck || !this.#isBehind(PAUSE_PART);
  }

  /** Ends the stream in order: the client still gets what is queued, then the status. Idempotent. */
  end(reason: DisconnectReason, code = STATUS_OK, text = ''): void {
    if (this.#isDetached) return;
    this.#detach(reason);
    this.#status = { code, text };
    this.#drainTimer = startTimer(DRAIN_MS, () => {
      this.destroy();
    });
    this.#planFlush();
  }

  /** Ends the stream now, whatever is queued. */
  destroy(): void {
    this.#detach('lost');
    this.#dropQueue();
    this.#stream.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#isDetached) return;
    let full: readonly ClientStream[] = [];
    const fault = this.#decoder.push(chunk, (message) => {
      if (this.#isDetached) return;
      const outlets = this.#processor.handle(this.index, message);
      if (outlets.length > 0) full = outlets;
    });
    if (fault !== undefined) this.#refuse(fault);
    const behind = full.find((outlet) => outlet.#isBehind(PAUSE_PART) && !outlet.#isStuck && !outlet.#isDetached);
    if (behind !== undefined) this.#pauseFor(behind);
  }

  #refuse(fault: FramingFault): void {
    switch (fault.kind) {
      case 'too-large':
        // Upstream ends the stream with OK too (mp.rs:process_stream).
        this.end('too-large');
        break;
      case 'compressed':
        this.end('bad-frame', STATUS_UNIMPLEMENTED, 'compressed messages are not supported');
        break;
      case 'bad-frame':
        this.end('bad-frame', STATUS_INTERNAL, 'not a gRPC message');
        break;
    }
  }

  /** Whether more than `1 / part` of the queue is full. */
  #isBehind(part: number): boolean {
    const { maxFrames, maxBytes } = this.#limits;
    return this.#queue.length * part > maxFrames || this.#queuedBytes * part > maxBytes;
  }

  #pauseFor(behind: ClientStream): void {
    if (this.#pausedBy !== undefined || this.#isDetached) return;
    this.#pausedBy = behind;
    behind.#waiting.add(this);
    this.#stream.pause();
    this.#pauseTimer = startTimer(this.#limits.pauseMs, () => {
      behind.#isStuck = true;
      behind.#releaseWaiting();
    });
  }

  #resume(): void {
    this.#pauseTimer?.cancel();
    const behind = this.#pausedBy;
    if (behind !== undefined) behind.#waiting.delete(this);
    this.#pausedBy = undefined;
    this.#stream.resume();
  }

  #releaseWaiting(): void {
    for (const sender of this.#waiting) sender.#resume();
  }

  #planFlush(): void {
    if (this.#isFlushPlanned || this.#isWriting) return;
    this.#isFlushPlanned = true;
    // Not at once: everything that arrives in this turn of the event loop goes out in one write.
    setImmediate(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isWriting || this.#stream.destroyed || this.#stream.writableEnded) return;
    let count = 0;
    let size = 0;
    for (const framed of this.#queue) {
      if (count > 0 && size + framed.length > BATCH_BYTES) break;
      count++;
      size += framed.length;
    }
    if (count === 0) {
      if (this.#status !== undefined) this.#stream.end();
      return;
    }
    const frames = this.#queue.splice(0, count);
    const [first] = frames;
    this.#queuedBytes -= size;
    this.#isWriting = true;
    this.#stream.write(count === 1 && first !== undefined ? first : Buffer.concat(frames, size), () => {
      this.#isWriting = false;
      this.#isStuck = false;
      if (this.#waiting.size > 0 && !this.#isBehind(RESUME_PART)) this.#releaseWaiting();
      this.#flush();
    });
  }

  #cutOff(): void {
    this.#owner.onCutOff(this, this.#queue.length, this.#queuedBytes);
    this.#detach('cut-off');
    this.#dropQueue();
    // gRPC clients take this one for "resource exhausted".
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #sendTrailers(): void {
    const { code, text } = this.#status ?? { code: STATUS_OK, text: '' };
    this.#stream.sendTrailers({ 'grpc-status': String(code), ...(text === '' ? {} : { 'grpc-message': text }) });
  }

  #onClose(): void {
    this.#drainTimer?.cancel();
    this.#detach('lost');
    this.#dropQueue();
  }

  #detach(reason: DisconnectReason): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#processor.close(this.index);
    this.#releaseWaiting();
    if (this.#pausedBy !== undefined) this.#resume();
    this.#owner.onDetached(this, reason);
  }

  #dropQueue(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
