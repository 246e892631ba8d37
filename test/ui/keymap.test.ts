import { describe, expect, test } from 'vitest';

import { Tokenizer } from '../../src/ui/input/tokenizer.js';
import { commandOf, KEYMAP } from '../../src/ui/keymap.js';

describe('key map', () => {
  test('gives each key one meaning', () => {
    const keys = KEYMAP.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each([
    ['\r', 'submit'],
    ['\u001b\r', 'newline'],
    ['\u001b[13;2u', 'newline'],
    ['\n', 'newline'],
    ['\u0001', 'line-start'],
    ['\u0005', 'line-end'],
    ['\u0002', 'left'],
    ['\u0006', 'right'],
    ['\u000b', 'kill-to-line-end'],
    ['\u0015', 'kill-to-line-start'],
    ['\u0017', 'kill-blank-word-left'],
    ['\u0019', 'yank'],
    ['\u0004', 'delete-right-or-leave'],
    ['\u0008', 'delete-left'],
    ['\u007f', 'delete-left'],
    ['\u0014', 'transpose'],
    ['\u001bf', 'word-right'],
    ['\u001bb', 'word-left'],
    ['\u001bd', 'kill-word-right'],
    ['\u001b[1;5D', 'word-left'],
    ['\u001b[1;5C', 'word-right'],
    ['\u001b[H', 'line-start'],
    ['\u001b[F', 'line-end'],
    ['\u001b[3~', 'delete-right'],
    ['\u001b[A', 'up'],
    ['\u001b[B', 'down'],
    ['\u0003', 'interrupt'],
    ['\t', 'complete'],
  ])('what a terminal sends for %j does %s', (bytes, command) => {
    const [event] = new Tokenizer().push(new TextEncoder().encode(bytes));
    expect(event?.kind === 'key' ? commandOf(event.key) : undefined).toBe(command);
  });
});
