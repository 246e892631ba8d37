import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';

import * as grpc from '@grpc/grpc-js';

import { OPEN_CHANNEL_PATH } from '../../../src/transport/index.js';
import { Inbox, type PeerStream } from '../../compliance/transport-suite.js';

import { StreamQueue } from './stream-queue.js';

type ServerStream = grpc.ServerDuplexStream<Buffer, Buffer>;

/** A gRPC server of another make (grpc-js) with the one method of a node, so that the transport is held against a foreign peer. */
export class GrpcPeer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Request headers of the last stream. */
  lastHeaders: Record<string, grpc.MetadataValue> = {};
  /** Called for each new stream before anything else happens to it. */
  onStream: ((stream: PeerStream) => void) | undefined;
  readonly #server: grpc.Server;
  readonly #relay: CuttableRelay;
  readonly #streams = new StreamQueue();

  private constructor(server: grpc.Server, relay: CuttableRelay) {
    this.#server = server;
    this.#relay = relay;
    this.url = `http://127.0.0.1:${relay.port}`;
  }

  /** Starts one on a free port. */
  static async start(): Promise<GrpcPeer> {
    const server = new grpc.Server({ 'grpc.max_receive_message_length': 5 * 1024 * 1024 });
    const accept: { handle: ((call: ServerStream) => void) | undefined } = { handle: undefined };
    const pass = (bytes: Buffer): Buffer => bytes;
    const method = {
      path: OPEN_CHANNEL_PATH,
      requestStream: true,
      responseStream: true,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    } as const;
    server.addService({ OpenChannel: method }, { OpenChannel: (call: ServerStream) => accept.handle?.(call) });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    const peer = new GrpcPeer(server, await CuttableRelay.start(port));
    accept.handle = (call) => peer.#accept(call);
    return peer;
  }

  #accept(call: ServerStream): void {
    this.lastHeaders = call.metadata.getMap();
    call.sendMetadata(new grpc.Metadata());
    const inbox = new Inbox();
    const ended = new Promise<void>((resolve) => {
      call.on('end', () => {
        call.end();
        resolve();
      });
      call.on('cancelled', resolve);
      call.on('error', () => resolve());
    });
    call.on('data', (frame: Buffer) => inbox.push(frame));
    const stream: PeerStream = {
      inbox,
      ended,
      send: (frame) => void call.write(Buffer.from(frame)),
      end: () => void call.end(),
      cut: () => this.#relay.cut(),
      pauseReading: () => void call.pause(),
      resumeReading: () => void call.resume(),
    };
    this.onStream?.(stream);
    this.#streams.push(stream);
  }

  /** The far end of the next stream. */
  nextStream(): Promise<PeerStream> {
    return this.#streams.next();
  }

  /** How many HTTP/2 DATA frames clients have sent. */
  get dataFramesFromClients(): number {
    return this.#relay.dataFrames;
  }

  /** Stops at once. */
  async stop(): Promise<void> {
    this.#server.forceShutdown();
    await this.#relay.stop();
  }
}

/** Stands between client and server to break connections without a word, which no server does by itself. */
class CuttableRelay {
  dataFrames = 0;
  readonly port: number;
  readonly #server: TcpServer;
  readonly #sockets: Set<Socket>;

  private constructor(server: TcpServer, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(targetPort: number): Promise<CuttableRelay> {
    const { connect } = await import('node:net');
    const sockets = new Set<Socket>();
    const counter = { onDataFrame: (): void => undefined };
    const server = createServer({ noDelay: true }, (near) => {
      const far = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
      watchDataFrames(near, () => counter.onDataFrame());
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const relay = new CuttableRelay(server, sockets);
    counter.onDataFrame = (): void => {
      relay.dataFrames += 1;
    };
    return relay;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  stop(): Promise<void> {
    this.cut();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** Calls back for each HTTP/2 DATA frame that a client sends. */
function watchDataFrames(socket: Socket, onDataFrame: () => void): void {
  const prefaceBytes = 24;
  const headerBytes = 9;
  let buffered = Buffer.alloc(0);
  let next = prefaceBytes;
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= next + headerBytes) {
      if (buffered.readUInt8(next + 3) === 0) onDataFrame();
      next += headerBytes + buffered.readUIntBE(next, 3);
    }
    const done = Math.min(next, buffered.length);
    buffered = buffered.subarray(done);
    next -= done;
  });
}
