import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';

import { type SlimError, startTimer } from '../util/index.js';

import type { ClientConfig } from './client-config.js';
import { framingError, streamEndError, streamLost } from './connection-errors.js';
import { encodeFrames, FrameDecoder, MAX_MESSAGE_BYTES } from './grpc-framing.js';
import { Keepalive } from './keepalive.js';
import { PromptAck } from './prompt-ack.js';
import type { Connection, ConnectionHandlers } from './transport.js';

/** HTTP/2 begins with 64 KiB, less than one large message; frames are taken off at once, so a larger window costs nothing. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

/** Some more than a message may have: nodes add to it after they have checked. */
const MAX_RECEIVED_BYTES = MAX_MESSAGE_BYTES + 64 * 1024;
/** `send` asks for a pause when this much waits, and for more when it is down to half. */
const HIGH_WATER_FRAMES = 256;
const HIGH_WATER_BYTES = 1024 * 1024;
/** This many frames leave although more may come in the same turn of the event loop. With half or twice as many the gain is less. */
const BATCH_FRAMES = 8;
/** How long the node may take to end the stream after us, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * One gRPC stream, alone on its HTTP/2 connection.
 *
 * Frames wait in a queue while a write is under way, and all that have gathered go out in the next: alone and at once when it is
 * quiet, many in one system call under load. The first few of a burst do not wait for the rest of it: so that the node and the
 * members work while this side does, and not in turns with it (measured: a quarter more messages per second to one member).
 *
 * Whatever ends the stream, its HTTP/2 `close` event comes once and last; only that leads to `onEnd`.
 *
 * @internal
 */
export class GrpcConnection implements Connection {
  readonly #config: ClientConfig;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #handlers: ConnectionHandlers;
  readonly #decoder = new FrameDecoder(MAX_RECEIVED_BYTES);
  readonly #keepalive: Keepalive;
  readonly #promptAck: PromptAck;

  #queue: Uint8Array[] = [];
  #isFlushScheduled = false;
  /** How many are under way. */
  #writes = 0;
  #isBlocked = false;
  /** Frames and bytes that are queued or being written. */
  #waitingFrames = 0;
  #waitingBytes = 0;

  #trailers: IncomingHttpHeaders | undefined;
  #streamError: unknown;
  /** Why this side gave up, if it did. */
  #ownError: SlimError | undefined;
  #isEnded = false;
  #closing: Promise<void> | undefined;
  #onEnded: (() => void) | undefined;

  /**
   * Takes over a stream whose response headers have just arrived. Handlers are called from the next turn of the event loop on, so
   * that whoever waits for the connection has it before the first frame.
   */
  constructor(
    config: ClientConfig,
    session: ClientHttp2Session,
    stream: ClientHttp2Stream,
    socket: Socket,
    handlers: ConnectionHandlers,
  ) {
    this.#config = config;
    this.#session = session;
    this.#stream = stream;
    this.#handlers = handlers;
    this.#promptAck = new PromptAck(session, stream, WINDOW_BYTES);
    this.#keepalive = new Keepalive(session, socket, config.keepalive, (waitedMs) => {
      this.#abandon(streamLost(config, `no answer to a ping within ${waitedMs} ms`));
    });
    stream.on('error', (error: Error) => {
      this.#streamError ??= error;
    });
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      this.#trailers = trailers;
    });
    const closed = new Promise<void>((resolve) => {
      stream.once('close', resolve);
    });
    setImmediate(() => {
      stream.on('data', (chunk: Buffer) => this.#onData(chunk));
      // A reset comes as end, error, close in one turn; after it only an orderly end is left, and that closes our side for us.
      stream.on('end', () => setImmediate(() => session.destroy()));
      void closed.then(() => this.#finish());
    });
  }

  send(frame: Uint8Array): boolean {
    if (this.#isEnded || this.#closing) return true;
    this.#queue.push(frame);
    this.#waitingFrames += 1;
    this.#waitingBytes += frame.length;
    if (this.#queue.length >= BATCH_FRAMES && !this.#stream.writableNeedDrain) {
      this.#flush();
    } else if (this.#writes === 0 && !this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      // After the promise jobs of this turn too: what the same event makes others send goes along.
      queueMicrotask(() => process.nextTick(() => this.#flush()));
    }
    this.#isBlocked ||= this.#waitingFrames >= HIGH_WATER_FRAMES || this.#waitingBytes >= HIGH_WATER_BYTES;
    return !this.#isBlocked;
  }

  expectAnswer(withinMs: number): void {
    this.#keepalive.expectAnswer(withinMs);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = startTimer(CLOSE_TIMEOUT_MS, () => this.#session.destroy());
      this.#onEnded = (): void => {
        timer.cancel();
        resolve();
      };
      this.#flush();
      this.#stream.end();
    });
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    if (this.#queue.length === 0 || !this.#stream.writable) return;
    const frames = this.#queue;
    this.#queue = [];
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.#writes += 1;
    this.#promptAck.onWritten();
    this.#stream.write(encodeFrames(frames), (error) => {
      this.#writes -= 1;
      this.#waitingFrames -= frames.length;
      this.#waitingBytes -= bytes;
      // The stream is over; its end is reported when it is closed.
      if (error) return;
      this.#flush();
      this.#drain();
    });
  }

  #drain(): void {
    const isHalfEmpty = this.#waitingFrames <= HIGH_WATER_FRAMES / 2 && this.#waitingBytes <= HIGH_WATER_BYTES / 2;
    if (!this.#isBlocked || !isHalfEmpty || this.#isEnded || this.#closing) return;
    this.#isBlocked = false;
    this.#handlers.onDrain();
  }

  #onData(chunk: Buffer): void {
    if (this.#isEnded) return;
    const fault = this.#decoder.push(chunk, (frame) => this.#handlers.onFrame(frame));
    if (fault) this.#abandon(framingError(this.#config, fault));
    else this.#promptAck.onReceived();
  }

  /** Gives the stream up without waiting for the node. */
  #abandon(error: SlimError): void {
    this.#ownError ??= error;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
  }

  #finish(): void {
    this.#isEnded = true;
    this.#queue = [];
    this.#keepalive.stop();
    this.#promptAck.stop();
    this.#session.destroy();
    this.#onEnded?.();
    this.#handlers.onEnd(this.#closing ? undefined : this.#endReason());
  }

  #endReason(): SlimError {
    if (this.#ownError) return this.#ownError;
    const { rstCode } = this.#stream;
    return streamEndError(this.#config, { trailers: this.#trailers, error: this.#streamError, rstCode });
  }
}
