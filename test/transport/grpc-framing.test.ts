import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { encodeFrames, FrameDecoder } from '../../src/transport/index.js';

function decodeAll(
  bytes: Buffer,
  chunkSizes: readonly number[],
  maxBytes = 1000,
): { frames: Buffer[]; fault: unknown } {
  const decoder = new FrameDecoder(maxBytes);
  const frames: Buffer[] = [];
  let fault: unknown;
  let offset = 0;
  for (let index = 0; offset < bytes.length; index += 1) {
    const size = chunkSizes[index % chunkSizes.length] ?? 1;
    fault = decoder.push(bytes.subarray(offset, offset + size), (frame) => frames.push(Buffer.from(frame)));
    offset += size;
  }
  return { frames, fault };
}

describe('gRPC framing', () => {
  test('writes a flag, the length in big endian, and the message', () => {
    expect(encodeFrames([Uint8Array.of(7, 8)]).toString('hex')).toBe('00000000020708');
    expect(encodeFrames([new Uint8Array(0), Uint8Array.of(9)]).toString('hex')).toBe('0000000000000000000109');
  });

  test('reads what it wrote, whatever the chunks', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20, minLength: 1 });
    const chunks = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(messages, chunks, (list, sizes) => {
        const { frames, fault } = decodeAll(encodeFrames(list), sizes);
        expect(fault).toBeUndefined();
        expect(frames.map((frame) => frame.toString('hex'))).toEqual(
          list.map((frame) => Buffer.from(frame).toString('hex')),
        );
      }),
    );
  });

  test('hands out an empty message with its prefix, not with the next bytes', () => {
    const frames: Uint8Array[] = [];
    new FrameDecoder(10).push(encodeFrames([new Uint8Array(0)]), (frame) => frames.push(frame));
    expect(frames).toHaveLength(1);
  });

  test('a message keeps its bytes when the chunk is used again', () => {
    const chunk = encodeFrames([Uint8Array.of(1, 2, 3)]);
    const frames: Uint8Array[] = [];
    new FrameDecoder(10).push(chunk, (frame) => frames.push(frame));
    chunk.fill(0xff);
    expect([...(frames[0] ?? [])]).toEqual([1, 2, 3]);
  });

  test.each([
    [1, 'compressed'],
    [71, 'bad-frame'],
  ])('stops at a frame whose flag byte is %i, after the messages before it', (flag, kind) => {
    const bad = encodeFrames([Uint8Array.of(5)]);
    bad[0] = flag;
    const { frames, fault } = decodeAll(Buffer.concat([encodeFrames([Uint8Array.of(4)]), bad]), [100]);
    expect(fault).toEqual({ kind });
    expect(frames).toHaveLength(1);
  });

  test.each([1, 3, 100])('stops at a message that is too large, in chunks of %i', (size) => {
    const bytes = Buffer.concat([encodeFrames([new Uint8Array(10)]), encodeFrames([new Uint8Array(11)])]);
    const { frames, fault } = decodeAll(bytes, [size], 10);
    expect(fault).toEqual({ kind: 'too-large', bytes: 11, maxBytes: 10 });
    expect(frames).toHaveLength(1);
  });

  test('stops at a compressed message', () => {
    expect(decodeAll(Buffer.of(1, 0, 0, 0, 1, 5), [6]).fault).toEqual({ kind: 'compressed' });
  });
});
