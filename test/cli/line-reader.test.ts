import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type InputLine, LineSplitter } from '../../src/cli/line-reader.js';

function split(chunks: readonly Uint8Array[], maxBytes = 100): InputLine[] {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe('LineSplitter', () => {
  test('gives lines with numbers, without their ends', () => {
    expect(split([Buffer.from('a\r\n\nb')])).toEqual([
      { kind: 'line', number: 1, text: 'a' },
      { kind: 'line', number: 2, text: '' },
      { kind: 'line', number: 3, text: 'b' },
    ]);
    expect(split([Buffer.from('')])).toEqual([]);
  });

  test('counts the length without the line end', () => {
    expect(split([Buffer.from('12345\r\n12345\n123456\n1234567\r\n1')], 5).map(({ kind }) => kind)).toEqual([
      'line',
      'line',
      'too-long',
      'too-long',
      'line',
    ]);
  });

  test('gives the same lines however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '日', '👍', '\n', '\r\n', '\ud83d'), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(split(chunks, 12)).toEqual(split([bytes], 12));
      }),
    );
  });
});
