import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type InputEvent } from '../../../src/ui/input/input-event.js';
import { ESCAPE_TIMEOUT_MS, PASTE_LIMIT, PASTE_TIMEOUT_MS, Tokenizer } from '../../../src/ui/input/tokenizer.js';

const encoder = new TextEncoder();

/** Joins texts that follow each other: how a text is cut is the one thing chunks may change. */
function joined(events: readonly InputEvent[]): InputEvent[] {
  const out: InputEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.kind === 'text' && last?.kind === 'text') {
      out[out.length - 1] = { kind: 'text', text: last.text + event.text };
    } else {
      out.push(event);
    }
  }
  return out;
}

function read(...chunks: readonly (string | Uint8Array)[]): InputEvent[] {
  const tokenizer = new Tokenizer();
  const events = chunks.flatMap((chunk) => tokenizer.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
  return joined([...events, ...tokenizer.flush()]);
}

const key = (name: string): InputEvent => ({ kind: 'key', key: name });
const text = (value: string): InputEvent => ({ kind: 'text', text: value });

describe('text and control characters', () => {
  test('splits text and the Enter that is glued to it', () => {
    expect(read('hello\r')).toEqual([text('hello'), key('enter')]);
  });

  test('tells Backspace, Ctrl+H and Delete apart, and counts two Backspaces in one chunk', () => {
    expect(read('\u007f\u007f\u0008\u001b[3~')).toEqual([
      key('backspace'),
      key('backspace'),
      key('ctrl+h'),
      key('delete'),
    ]);
  });

  test('names every control character as a key', () => {
    expect(read('\u0001\u0003\u0004\t\n\u0000\u001f')).toEqual(
      ['ctrl+a', 'ctrl+c', 'ctrl+d', 'tab', 'linefeed', 'ctrl+space', 'ctrl+_'].map(key),
    );
  });

  test('keeps characters whose bytes come in two chunks', () => {
    const bytes = encoder.encode('日本👩‍👩‍👧é');
    for (let cut = 1; cut < bytes.length; cut += 1) {
      expect(read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([text('日本👩‍👩‍👧é')]);
    }
  });

  test('drops C1 controls and replaces bytes that are not UTF-8', () => {
    expect(read('a\u009bb')).toEqual([text('ab')]);
    expect(read(Uint8Array.of(0x61, 0xff, 0x62))).toEqual([text('a\ufffdb')]);
  });
});

describe('escape sequences', () => {
  test.each([
    ['\u001b[A', 'up'],
    ['\u001bOB', 'down'],
    ['\u001b[1;5C', 'ctrl+right'],
    ['\u001b[1;5D', 'ctrl+left'],
    ['\u001b[1;3D', 'alt+left'],
    ['\u001bO5D', 'ctrl+left'],
    ['\u001b[H', 'home'],
    ['\u001bOF', 'end'],
    ['\u001b[1~', 'home'],
    ['\u001b[8~', 'end'],
    ['\u001b[3;5~', 'ctrl+delete'],
    ['\u001b[5~', 'pageup'],
    ['\u001b[Z', 'shift+tab'],
    ['\u001bOM', 'enter'],
    ['\u001b\r', 'alt+enter'],
    ['\u001b\u007f', 'alt+backspace'],
    ['\u001bf', 'alt+f'],
    ['\u001bä', 'alt+ä'],
    ['\u001b\u0003', 'ctrl+alt+c'],
    ['\u001b[13;2u', 'shift+enter'],
    ['\u001b[27;2;13~', 'shift+enter'],
    ['\u001b[99;5u', 'ctrl+c'],
    ['\u001b[127;5u', 'ctrl+backspace'],
    ['\u001b[27u', 'escape'],
    ['\u001b[57414u', 'enter'],
    ['\u001b[1;1:1A', 'up'],
    ['\u001b[1;9A', 'alt+up'],
  ])('reads %j as %s', (sequence, name) => {
    expect(read(sequence)).toEqual([key(name)]);
  });

  test('reads reported text, with the shifted character where the terminal says it', () => {
    expect(read('\u001b[97u\u001b[97:65;2u\u001b[228u')).toEqual([text('aAä')]);
  });

  test('ignores key releases, answers to queries and function keys', () => {
    const noise = [
      '\u001b[97;1:3u',
      '\u001b[?62;4c',
      '\u001b[12;40R',
      '\u001b[?1u',
      '\u001b[[A',
      '\u001bOP',
      '\u001b[15~',
      '\u001b[57358u',
      '\u001b[201~',
      '\u001b]11;rgb:0000/0000/0000\u001b\\',
      '\u001b]11;rgb:0000/0000/0000\u0007',
      '\u001bP1$r0m\u001b\\',
    ];
    expect(read('x', ...noise, 'y')).toEqual([text('xy')]);
  });

  test('takes a broken sequence away and goes on with what follows', () => {
    expect(read('\u001b[1;\u001b[A')).toEqual([key('up')]);
    expect(read('\u001b[12äb')).toEqual([text('äb')]);
    expect(read(`\u001b[${'1'.repeat(100)}`).some((event) => event.kind === 'text')).toBe(true);
  });

  test('reports focus', () => {
    expect(read('\u001b[I\u001b[O')).toEqual([
      { kind: 'focus', focused: true },
      { kind: 'focus', focused: false },
    ]);
  });
});

describe('what time decides', () => {
  test('asks for a flush only while something is pending', () => {
    const tokenizer = new Tokenizer();
    expect(tokenizer.waitsMs).toBeUndefined();
    tokenizer.push(encoder.encode('a\u001b'));
    expect(tokenizer.waitsMs).toBe(ESCAPE_TIMEOUT_MS);
    tokenizer.push(encoder.encode('[A'));
    expect(tokenizer.waitsMs).toBeUndefined();
    tokenizer.push(encoder.encode('\u001b[200~x'));
    expect(tokenizer.waitsMs).toBe(PASTE_TIMEOUT_MS);
  });

  test.each([
    ['\u001b', [key('escape')]],
    ['\u001b\u001b', [key('escape'), key('escape')]],
    ['\u001b[', [key('alt+[')]],
    ['\u001bO', [key('alt+O')]],
    ['\u001b]', [key('alt+]')]],
    ['\u001bPhi', [key('alt+P'), text('hi')]],
    ['\u001b[1', []],
  ])('flushes %j', (pending, events) => {
    expect(read(pending)).toEqual(events);
  });

  test('goes on as usual after a flush', () => {
    const tokenizer = new Tokenizer();
    tokenizer.push(encoder.encode('\u001b'));
    tokenizer.flush();
    expect(tokenizer.push(encoder.encode('[A'))).toEqual([text('[A')]);
  });
});

describe('bracketed paste', () => {
  test('gives one event, whatever the content looks like', () => {
    expect(read('\u001b[200~one\r\ntwo\rthree\u001b[A\u0003\u001b[201~x')).toEqual([
      { kind: 'paste', text: 'one\ntwo\nthree[A', truncated: false },
      text('x'),
    ]);
  });

  test('gives what there is when the end never comes', () => {
    expect(read('\u001b[200~half')).toEqual([{ kind: 'paste', text: 'half', truncated: true }]);
  });

  test('cuts a paste that is too long, at the same place for any chunking, and finds its end', () => {
    const long = `\u001b[200~${'a'.repeat(PASTE_LIMIT + 10)}\u001b[201~b`;
    const whole = read(long);
    expect(whole).toEqual([{ kind: 'paste', text: 'a'.repeat(PASTE_LIMIT), truncated: true }, text('b')]);
    const bytes = encoder.encode(long);
    for (const size of [1000, 4095, 65_536, PASTE_LIMIT + 8]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(read(...chunks)).toEqual(whole);
    }
  });

  test('keeps a paste of exactly the limit whole', () => {
    const [paste] = read(`\u001b[200~${'a'.repeat(PASTE_LIMIT)}`, '\u001b[20', '1~');
    expect(paste).toEqual({ kind: 'paste', text: 'a'.repeat(PASTE_LIMIT), truncated: false });
  });
});

/** Input made of the things a terminal sends, and of pieces of them. */
const terminalInput = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.constantFrom(
        '\u001b[A',
        '\u001b[1;5C',
        '\u001bOH',
        '\u001b\r',
        '\u001b',
        '\u001b[',
        '\u001b]0;x\u0007',
        '\u001b[200~',
        '\u001b[201~',
        '\u001b[13;2u',
        '\r\n',
        '\u007f',
        '\u0003',
        '\u009b',
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

describe('any chunking of the same bytes', () => {
  test('gives the same events', () => {
    fc.assert(
      fc.property(terminalInput, fc.array(fc.nat(), { maxLength: 10 }), (input, cuts) => {
        const bytes = encoder.encode(input);
        const places = cuts.map((cut) => (bytes.length === 0 ? 0 : cut % bytes.length)).sort((a, b) => a - b);
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const place of [...places, bytes.length]) {
          chunks.push(bytes.subarray(from, place));
          from = place;
        }
        expect(read(...chunks)).toEqual(read(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('gives the same events for random bytes, one at a time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(read(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test('never puts a control character into a text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        for (const event of read(bytes)) {
          if (event.kind === 'text') expect(event.text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
          if (event.kind === 'paste') expect(event.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        }
      }),
    );
  });
});
