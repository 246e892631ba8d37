import { readFileSync } from 'node:fs';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

import { encodeFrames, FrameDecoder, MAX_MESSAGE_BYTES } from '../../src/transport/index.js';
import { decodeMessage } from '../../src/wire/index.js';

/** What one version of generation 2 puts on the wire, recorded from real programs. */
export interface Generation2Frames {
  /** The first message of a member. */
  readonly linkRequest: Uint8Array;
  /** What a node answers. */
  readonly linkReply: Uint8Array;
  /** The second message of a member. */
  readonly subscribe: Uint8Array;
  /** A publish as a node hands it to a member. */
  readonly discoveryRequest: Uint8Array;
}

/** Versions of the core in the fixture: that of slim-bindings 3.3.8, and 2.0.0. */
export type Generation2Version = '3.4.6' | '2.0.0';

/** The recorded messages of one version. */
export function generation2Frames(version: Generation2Version): Generation2Frames {
  const text = readFileSync(new URL('../fixtures/generation-2.json', import.meta.url), 'utf8');
  const recorded = (JSON.parse(text) as Record<string, Record<string, string>>)[version] ?? {};
  const bytes = (kind: string): Uint8Array => Buffer.from(recorded[kind] ?? '', 'hex');
  return {
    linkRequest: bytes('linkRequest'),
    linkReply: bytes('linkReply'),
    subscribe: bytes('subscribe'),
    discoveryRequest: bytes('discoveryRequest'),
  };
}

/** What a node does with the first message of a stream: it answers, or ends the stream with status OK and no word. */
export type FirstAnswer = Uint8Array | 'end';

/**
 * A node of generation 2 as real ones were seen (strict, as they are unless told otherwise): a link request with a key of 32 bytes has its
 * answer; anything else is the end of the stream.
 */
export function generation2Answer(version: Generation2Version, first: Uint8Array): FirstAnswer {
  const request = decodeMessage(first);
  // Field 4 of the link: 32 bytes.
  const hasKey = Buffer.from(first).includes(Buffer.of(0x22, 32));
  if (request.kind !== 'link' || request.isReply || !hasKey) return 'end';
  const { linkReply } = generation2Frames(version);
  const recorded = decodeMessage(linkReply);
  if (recorded.kind !== 'link') throw new Error('the fixture holds no link reply');
  const reply = Buffer.from(linkReply);
  // Ids are UUIDs, all of one length.
  reply.write(request.linkId, reply.indexOf(recorded.linkId));
  return reply;
}

/** A scripted node on a real socket. */
export interface ScriptedNode {
  readonly url: string;
  readonly port: number;
  /** The first message of each stream so far. */
  readonly firsts: readonly Uint8Array[];
  close(): Promise<void>;
}

/**
 * Starts a gRPC server that does to each stream what `answer` says about its first message.
 *
 * @param port - 0 = any
 */
export async function startScriptedNode(answer: (first: Uint8Array) => FirstAnswer, port = 0): Promise<ScriptedNode> {
  const firsts: Uint8Array[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream) => {
    const decoder = new FrameDecoder(MAX_MESSAGE_BYTES);
    let hasAnswered = false;
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.on('end', () => stream.end());
    stream.on('data', (chunk: Buffer) => {
      decoder.push(chunk, (frame) => {
        if (hasAnswered) return;
        hasAnswered = true;
        firsts.push(frame);
        const what = answer(frame);
        if (what === 'end') stream.end();
        else stream.write(encodeFrames([what]));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    port: address.port,
    firsts,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
