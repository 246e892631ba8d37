import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  FRAME_PREFIX_BYTES,
  frameMessage,
  FrameSplitter,
  type FramingProblem,
  MAX_MESSAGE_BYTES,
} from '../../src/node/grpc-framing.js';

function split(chunks: readonly Buffer[]): { messages: Buffer[]; problem: FramingProblem | undefined } {
  const splitter = new FrameSplitter();
  const messages: Buffer[] = [];
  let problem: FramingProblem | undefined;
  for (const chunk of chunks) {
    problem ??= splitter.push(chunk, (message) => {
      messages.push(message);
      return true;
    });
  }
  return { messages, problem };
}

function prefix(flags: number, length: number): Buffer {
  const bytes = Buffer.alloc(FRAME_PREFIX_BYTES);
  bytes[0] = flags;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

describe('FrameSplitter', () => {
  test('gives the same messages for any chunking of the same bytes', () => {
    const stream = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat({ max: 17 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((message) => frameMessage(message)));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = 1 + (sizes[i % sizes.length] ?? 0);
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(split(chunks)).toEqual({ messages: sent.map((message) => Buffer.from(message)), problem: undefined });
      }),
    );
  });

  test('takes a message of exactly 4 MiB', () => {
    const { messages, problem } = split([prefix(0, MAX_MESSAGE_BYTES), Buffer.alloc(MAX_MESSAGE_BYTES)]);
    expect(problem).toBeUndefined();
    expect(messages.map((message) => message.length)).toEqual([MAX_MESSAGE_BYTES]);
  });

  test('refuses a larger one before it has arrived', () => {
    expect(split([prefix(0, MAX_MESSAGE_BYTES + 1)])).toEqual({ messages: [], problem: 'too-large' });
  });

  test('refuses what is compressed or no frame, after the messages before it', () => {
    const good = frameMessage(Buffer.from('good'));
    expect(split([Buffer.concat([good, prefix(1, 4)])])).toEqual({
      messages: [Buffer.from('good')],
      problem: 'compressed',
    });
    expect(split([good, prefix(71, 0x45542f)])).toEqual({ messages: [Buffer.from('good')], problem: 'bad-frame' });
  });

  test('stops at once when told to', () => {
    const splitter = new FrameSplitter();
    const messages: string[] = [];
    splitter.push(Buffer.concat([frameMessage(Buffer.from('a')), frameMessage(Buffer.from('b'))]), (message) => {
      messages.push(message.toString());
      return false;
    });
    expect(messages).toEqual(['a']);
  });
});
