import { describe, expect, test } from 'vitest';

import { formatEndpoint, isLoopback, parseEndpoint } from '../../src/transport/index.js';

describe('parseEndpoint', () => {
  test.each([
    ['http://127.0.0.1:46357', 'http://127.0.0.1:46357'],
    ['127.0.0.1:46357', 'http://127.0.0.1:46357'],
    ['localhost:46357', 'http://localhost:46357'],
    ['  slim.example.org:1/ ', 'http://slim.example.org:1'],
    ['https://Slim.Example.org:46357/', 'https://slim.example.org:46357'],
    ['HTTPS://h:443', 'https://h:443'],
    ['https://h', 'https://h:443'],
    ['http://h', 'http://h:80'],
    ['[::1]:46357', 'http://[::1]:46357'],
    ['http://[fe80:0:0:0:0:0:0:1]:46357', 'http://[fe80::1]:46357'],
    ['https://[2001:db8::5]', 'https://[2001:db8::5]:443'],
  ])('%s is %s', (text, expected) => {
    expect(formatEndpoint(parseEndpoint(text))).toBe(expected);
  });

  test('gives the parts', () => {
    expect(parseEndpoint('https://[::1]:1')).toEqual({ secure: true, host: '::1', port: 1 });
  });

  test.each([
    '',
    'alice',
    'localhost',
    '46357',
    ':46357',
    'h:0',
    'http://h:0',
    'h:99999',
    'h:1:2',
    '::1:46357',
    '[::1]',
    '[zz]:1',
    'http://',
    'http://:1',
    'http://h:1/path',
    'http://h:1?x=1',
    'http://h:1#x',
    'h:1/path',
    'ftp://h:1',
    'http:/h:1',
    'h h:1',
    '{',
  ])("'%s' is refused", (text) => {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'bad-config' }) as Error);
  });

  test('says what was wrong and what is right', () => {
    expect(() => parseEndpoint('alice')).toThrow(
      "endpoint 'alice' is not valid. Use http://host:port, https://host:port or host:port",
    );
  });
});

describe('isLoopback', () => {
  test.each(['127.0.0.1:1', '127.8.9.1:1', 'localhost:1', 'LOCALHOST.:1', '[::1]:1', '[::ffff:127.0.0.1]:1'])(
    '%s is this computer',
    (text) => expect(isLoopback(parseEndpoint(text))).toBe(true),
  );

  test.each([
    '10.0.0.1:1',
    '128.0.0.1:1',
    '0.0.0.0:1',
    'example.org:1',
    'localhost.example.org:1',
    '[::2]:1',
    '[::]:1',
  ])('%s may be another', (text) => expect(isLoopback(parseEndpoint(text))).toBe(false));
});
