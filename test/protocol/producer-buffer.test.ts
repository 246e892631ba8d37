import { describe, expect, test } from 'vitest';

import { PRODUCER_BUFFER_MESSAGES, ProducerBuffer, type StoredMessage } from '../../src/protocol/producer-buffer.js';

function stored(messageId: number, bytes = 1): StoredMessage {
  return { messageId, payloadType: 'msg', blob: new Uint8Array(bytes), isSealed: false, metadata: {} };
}

describe('ProducerBuffer', () => {
  test('capacity 3: the oldest falls out', () => {
    const buffer = new ProducerBuffer(3);
    for (const id of [1, 2, 3, 4]) buffer.push(stored(id));
    expect(buffer.get(1)).toBeUndefined();
    expect([2, 3, 4].map((id) => buffer.get(id)?.messageId)).toEqual([2, 3, 4]);
    expect(buffer.size).toBe(3);
  });

  test('the same number again is ignored', () => {
    const buffer = new ProducerBuffer(3);
    const first = stored(1);
    buffer.push(first);
    buffer.push(stored(2));
    buffer.push(stored(1));
    expect(buffer.get(1)).toBe(first);
    expect(buffer.size).toBe(2);
  });

  test('keeps at least 512, which is what peers count on', () => {
    expect(PRODUCER_BUFFER_MESSAGES).toBeGreaterThanOrEqual(512);
    const buffer = new ProducerBuffer();
    for (let id = 1; id <= 513; id += 1) buffer.push(stored(id));
    expect(buffer.get(1)).toBeUndefined();
    expect(buffer.get(2)?.messageId).toBe(2);
    expect(buffer.get(513)?.messageId).toBe(513);
  });

  test('large messages fall out earlier, the newest never', () => {
    const buffer = new ProducerBuffer();
    const megabytes = 1024 * 1024;
    for (let id = 1; id <= 40; id += 1) buffer.push(stored(id, 4 * megabytes));
    expect(buffer.size).toBe(16);
    expect(buffer.get(40)).toBeDefined();
    buffer.push(stored(41, 100 * megabytes));
    expect(buffer.size).toBe(1);
    expect(buffer.get(41)).toBeDefined();
    buffer.push(stored(42));
    expect(buffer.get(42)).toBeDefined();
  });
});
