import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { sanitiseLine, sanitiseName, sanitiseText } from '../../src/chat/index.js';

const ESC = '\u001b';
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        ESC,
        '\r',
        '\n',
        '\t',
        '\u009b',
        '\u202e',
        '\ud800',
        '\udc00',
        'a',
        '\u200b',
        '\u0301',
        '\u{e0041}',
      ),
      {
        maxLength: 60,
      },
    )
    .map((parts) => parts.join('')),
);

describe('sanitiseText', () => {
  test.each([
    ['a clipboard write', `${ESC}]52;c;aGk=\u0007`, '\ufffd]52;c;aGk=\ufffd'],
    ['a title change', `${ESC}]0;gotcha${ESC}\\`, '\ufffd]0;gotcha\ufffd\\'],
    ['8-bit CSI', '\u009b31mred', '\ufffd31mred'],
    ['backspaces', 'abc\b\b\bxyz', 'abc\ufffd\ufffd\ufffdxyz'],
    ['a carriage return that would overwrite the line', 'alice: yes\rmallory: no', 'alice: yes\nmallory: no'],
    ['CR LF', 'a\r\nb', 'a\nb'],
    ['a bidi override', 'abc\u202edef\u202c', 'abcdef'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['zero-width spaces', 'a\u200bb\ufeffc\u2060d', 'abcd'],
    ['hidden tag characters', 'hi\u{e0068}\u{e0069}', 'hi'],
    ['a line separator', 'a\u2028b', 'a\nb'],
    ['a tab', 'a\tb', 'a    b'],
  ])('disarms %s', (_what, text, safe) => {
    expect(sanitiseText(text)).toBe(safe);
  });

  test.each([
    ['a family of four', '👨‍👩‍👧‍👦'],
    ['a heart with a variation selector', '❤️'],
    ['the flag of England', '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'],
    ['Japanese', '日本語'],
    ['Arabic', 'مرحبا بالعالم'],
    ['Persian with a non-joiner', 'می‌خواهم'],
    ['Thai marks', 'น้ำ'],
    ['two lines', 'one\ntwo'],
  ])('keeps %s', (_what, text) => {
    expect(sanitiseText(text)).toBe(text);
  });

  test('cuts a stack of combining marks', () => {
    expect(sanitiseText(`a${'\u0301'.repeat(500)}b`)).toBe(`a${'\u0301'.repeat(8)}b`);
  });

  test('bounds the length and says what is missing', () => {
    const safe = sanitiseText('x'.repeat(4_000_000));
    expect(safe.length).toBeLessThan(20_100);
    expect(safe).toMatch(/\n<3980100 more characters not shown>$/);
    const lines = sanitiseText('\n'.repeat(5000)).split('\n');
    expect(lines).toHaveLength(500);
    expect(lines.at(-1)).toBe('<4502 more lines not shown>');
  });

  test('has no control characters except LF, no bidi controls, no lone surrogates, whatever comes in', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = sanitiseText(text);
        expect(safe).not.toMatch(/(?!\n)\p{Cc}/u);
        expect(safe).not.toMatch(/\p{Bidi_Control}/u);
        expect(safe.isWellFormed()).toBe(true);
      }),
    );
  });

  test('changes nothing when applied again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = sanitiseText(text);
        expect(sanitiseText(safe)).toBe(safe);
      }),
    );
  });
});

describe('sanitiseLine', () => {
  test('has no line feed', () => {
    expect(sanitiseLine('a\nb\r\nc')).toBe('a b c');
  });
});

describe('sanitiseName', () => {
  test('shows that something invisible was there', () => {
    expect(sanitiseName('al\u200eice')).toBe('al\ufffdice');
    expect(sanitiseName('al\u3164ice')).toBe('al\ufffdice');
    expect(sanitiseName(`x${ESC}[2J\n`)).toBe('x\ufffd[2J\ufffd');
  });

  test('has no spaces, which could fake the layout of another line', () => {
    expect(sanitiseName('bob  hello\u00a0all')).toBe('bob__hello_all');
  });

  test('is at most 64 characters and visible, whatever comes in', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = sanitiseName(text);
        expect(safe.length).toBeLessThanOrEqual(64);
        expect(safe).not.toMatch(/[\p{C}\p{Z}]/u);
      }),
    );
    expect(sanitiseName('x'.repeat(100))).toBe(`${'x'.repeat(61)}...`);
  });
});
