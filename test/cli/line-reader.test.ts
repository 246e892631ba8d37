import { Readable } from 'node:stream';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type InputLine, LineSplitter, readLines } from '../../src/cli/line-reader.js';

function split(chunks: readonly Uint8Array[], maxBytes = 100): InputLine[] {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe('readLines', () => {
  async function read(stream: Readable & { isTTY?: boolean }): Promise<InputLine[]> {
    const lines: InputLine[] = [];
    for await (const line of readLines(stream, 100)) lines.push(line);
    return lines;
  }

  function breaking(isTTY: boolean): Readable & { isTTY?: boolean } {
    const stream = Readable.from(
      (function* () {
        yield Buffer.from('a\nhalf');
        throw Object.assign(new Error('read failed'), { code: 'EIO' });
      })(),
    );
    return Object.assign(stream, { isTTY });
  }

  test('tells that a file could not be read to its end, and keeps half a line to itself', async () => {
    const [first, ...others] = await read(breaking(false));
    expect(first).toMatchObject({ kind: 'line', text: 'a' });
    expect(others).toEqual([{ kind: 'unreadable', number: 2, why: 'it cannot be read (EIO)' }]);
  });

  test('takes the error of a terminal that was closed for its end', async () => {
    expect((await read(breaking(true))).map(({ kind }) => kind)).toEqual(['line', 'line']);
  });
});

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

  test('takes a byte order mark at the beginning for no text, and one elsewhere for text', () => {
    const texts = split([Buffer.from('\ufeffa\n\ufeffb\n')]).map((line) => line.kind === 'line' && line.text);
    expect(texts).toEqual(['a', '\ufeffb']);
    expect(split([Buffer.from('\ufeff')])).toEqual([{ kind: 'line', number: 1, text: '' }]);
  });

  test.each([
    ['of Windows', Buffer.from('\ufeffhello\n\u0a0a\nworld\n', 'utf16le')],
    ['with its bytes the other way round', Buffer.from('\ufeffhello\n\u0a0a\nworld\n', 'utf16le').swap16()],
    ['without a line end', Buffer.from('\ufeffhello', 'utf16le')],
  ])('tells once that the input is UTF-16 %s', (_what, bytes) => {
    const told = [{ kind: 'unreadable', number: 1, why: 'it is UTF-16 and must be UTF-8' }];
    expect(split([bytes])).toEqual(told);
    expect(split([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(told);
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
