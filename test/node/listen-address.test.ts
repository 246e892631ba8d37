import { describe, expect, test } from 'vitest';

import { parseListen } from '../../src/node/index.js';
import { UsageError } from '../../src/util/index.js';

describe('parseListen', () => {
  test.each([
    ['127.0.0.1:46357', '127.0.0.1', 46357],
    ['0.0.0.0:46357', '0.0.0.0', 46357],
    [':46357', '127.0.0.1', 46357],
    ['localhost:0', 'localhost', 0],
    ['[::1]:0', '::1', 0],
    ['[::]:65535', '::', 65535],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
    ['node.example.org:1', 'node.example.org', 1],
  ])('%s', (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });

  test.each([
    '',
    '46357',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:1',
    '[::1]',
    '[::1]1',
    '[]:1',
    'a:65536',
    'a:-1',
    'a:1x',
    'a b:1',
    'http://127.0.0.1:1',
    'a:1/',
    'a:1\n',
  ])('%j is refused with the form that works', (text) => {
    expect(() => parseListen(text)).toThrow(UsageError);
    expect(() => parseListen(text)).toThrow(expect.objectContaining({ code: 'invalid-option' }) as Error);
    expect(() => parseListen(text)).toThrow(/HOST:PORT, such as 127\.0\.0\.1:46357/);
  });
});
