import {
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';

import { encodeFrames, FrameDecoder } from '../../src/transport/grpc-framing.js';
import { decodeMessage, MessageType } from '../../src/wire/index.js';
import { SeededRandom } from '../protocol/virtual-time.js';
import { freePort } from './free-port.js';

/** How often something happens to a message on its way through a pipe, 0 to 1. */
export interface FaultRates {
  readonly lost: number;
  readonly doubled: number;
  /** Held back, so that others overtake it. */
  readonly late: number;
  /** Whether answers have to suffer it, too: of real members each is sent once to a request that went to the channel. */
  readonly alsoAnswers?: boolean;
}

/** What happened to the messages of a pipe so far, both ways together. */
export interface FaultCounts {
  passed: number;
  lost: number;
  doubled: number;
  late: number;
}

/** How long a late message is held back. */
const LATE_MS = 20;

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Upstream's moderator asks the whole channel again for the one answer that got lost, and dies of those that it has already. */
const REPLIES: ReadonlySet<number> = new Set([
  MessageType.discoveryReply,
  MessageType.joinReply,
  MessageType.leaveReply,
  MessageType.groupAck,
]);

/**
 * What stands between one client and its node, and loses, doubles and reorders gRPC messages, both ways; bytes stay as they are.
 * The same for each seed and order of messages.
 */
export class FaultyPipe {
  /** What the client connects to instead of the node. */
  readonly url: string;
  readonly counts: FaultCounts = { passed: 0, lost: 0, doubled: 0, late: 0 };

  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: SeededRandom;
  readonly #rates: FaultRates;

  private constructor(server: Http2Server, port: number, nodeUrl: string, seed: number, rates: FaultRates) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
    this.#random = new SeededRandom(seed);
    this.#rates = rates;
    server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('stream', (stream, headers) => {
      this.#join(stream, headers, nodeUrl);
    });
  }

  /** Starts a pipe to the node at `nodeUrl`. */
  static async start(nodeUrl: string, seed: number, rates: FaultRates): Promise<FaultyPipe> {
    const port = await freePort();
    const server = createServer();
    const pipe = new FaultyPipe(server, port, nodeUrl, seed, rates);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return pipe;
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: ServerHttp2Stream, headers: IncomingHttpHeaders, nodeUrl: string): void {
    const session = connect(nodeUrl);
    session.on('connect', (_, socket) => {
      socket.setNoDelay(true);
    });
    const node = session.request({ ...headers, ':authority': new URL(nodeUrl).host }, { endStream: false });
    let trailers: OutgoingHttpHeaders = {};
    const cut = (): void => {
      if (!client.destroyed) client.close(constants.NGHTTP2_CANCEL);
      session.destroy();
    };
    session.on('error', cut);
    node.on('error', cut);
    client.on('error', cut);
    client.on('close', cut);
    node.on('response', (response: IncomingHttpHeaders) => {
      client.respond({ ...response }, { waitForTrailers: true });
    });
    node.on('trailers', (received: IncomingHttpHeaders) => {
      trailers = { ...received };
    });
    client.on('wantTrailers', () => {
      client.sendTrailers(trailers);
    });
    this.#carry(client, node);
    this.#carry(node, client);
  }

  #carry(from: NodeJS.ReadableStream, to: NodeJS.WritableStream): void {
    const decoder = new FrameDecoder(MAX_MESSAGE_BYTES);
    const pass = (frame: Uint8Array): void => {
      if (to.writable) to.write(encodeFrames([frame]));
    };
    from.on('data', (chunk: Buffer) => {
      decoder.push(chunk, (frame) => {
        this.#meddle(frame, pass);
      });
    });
    from.on('end', () => {
      if (to.writable) to.end();
    });
  }

  #meddle(frame: Uint8Array, pass: (frame: Uint8Array) => void): void {
    this.counts.passed += 1;
    if (!this.#isFairGame(frame)) {
      pass(frame);
      return;
    }
    if (this.#random.fraction() < this.#rates.lost) {
      this.counts.lost += 1;
      return;
    }
    const copies = this.#random.fraction() < this.#rates.doubled ? [frame, frame] : [frame];
    this.counts.doubled += copies.length - 1;
    const isLate = this.#random.fraction() < this.#rates.late;
    if (isLate) this.counts.late += 1;
    for (const copy of copies) {
      if (isLate) setTimeout(pass, LATE_MS, copy);
      else pass(copy);
    }
  }

  /** Whether something may happen to a message: to those of sessions. */
  #isFairGame(frame: Uint8Array): boolean {
    const message = decodeMessage(frame);
    if (message.kind !== 'publish') return false;
    return this.#rates.alsoAnswers === true || !REPLIES.has(message.session.messageType);
  }
}
