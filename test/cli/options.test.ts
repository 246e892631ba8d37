import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test, onTestFinished } from 'vitest';

import { type ChatSettings, chatHelp, parseCommandLine } from '../../src/cli/options.js';
import { CHAT_OPTIONS } from '../../src/cli/option-table.js';
import { SlimError } from '../../src/util/index.js';

const SECRET = 'a secret that is long enough for SLIM';

async function settings(args: string, env: NodeJS.ProcessEnv = {}): Promise<ChatSettings> {
  const invocation = await parseCommandLine(args.split(' ').filter(Boolean), env, '0.1.0');
  if (invocation.kind !== 'chat') throw new Error(`expected a chat, got ${invocation.kind}`);
  return invocation.settings;
}

async function refusal(args: string | readonly string[], env: NodeJS.ProcessEnv = {}): Promise<SlimError> {
  const argv = typeof args === 'string' ? args.split(' ').filter(Boolean) : args;
  const error: unknown = await parseCommandLine(argv, env, '0.1.0').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SlimError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}

function secretFile(content: string | Uint8Array): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'secret');
  writeFileSync(file, content);
  return file;
}

describe('role and names', () => {
  test('is a participant without --invites and --remote', async () => {
    const { local, channel, isDerivedName } = await settings('--local agntcy/ns/bob');
    expect(local.toString()).toBe('agntcy/ns/bob');
    expect(channel).toBeUndefined();
    expect(isDerivedName).toBe(false);
  });

  test('moderates a made-up channel of its own namespace with --invites alone', async () => {
    const { channel, invites } = await settings('--local agntcy/ns/alice --invites agntcy/ns/bob');
    expect(channel?.toString()).toMatch(/^agntcy\/ns\/chat-[a-z2-9]{6}$/);
    expect(invites.map(String)).toEqual(['agntcy/ns/bob']);
  });

  test('moderates the channel of --remote, with and without invites', async () => {
    expect((await settings('--local a/b/c --remote a/b/chat')).channel?.toString()).toBe('a/b/chat');
    const { channel } = await settings('--local a/b/c --remote a/b/chat/12 --invites a/b/d');
    expect(channel?.toString()).toBe('a/b/chat');
  });

  test('takes invites repeated and with commas, each once', async () => {
    const { invites } = await settings('--local a/b/c --invites a/b/d,a/b/e --invites a/b/f --invites=a/b/d');
    expect(invites.map(String)).toEqual(['a/b/d', 'a/b/e', 'a/b/f']);
  });

  test('makes up a name from the user name', async () => {
    const { local, isDerivedName } = await settings('');
    expect(local.toString()).toMatch(/^slim\/chat\/[a-z0-9._-]+$/);
    expect(isDerivedName).toBe(true);
  });

  test('checks names at once and says how they should look', async () => {
    expect((await refusal('--local alice')).message).toBe(
      '--local: Name must be org/ns/app, got "alice". Try --local agntcy/ns/alice',
    );
    expect((await refusal('--local x/y/alice --invites bob')).message).toContain('Try --invites x/y/bob');
    expect((await refusal('--local x/y/alice --remote a//b')).code).toBe('invalid-name');
    expect((await refusal(['--local', 'x/y/al ice'])).message).toContain('white space');
    expect((await refusal(['--local', 'x/y/al\u001bice'])).message).toContain('control characters');
    expect((await refusal('--local x/y/a --invites x/y/a')).message).toContain('your own name');
  });
});

describe('a name', () => {
  test.each(['--local', '--remote', '--invites', '--accept'])(
    'of %s with something invisible at its ends is no other name without a word',
    async (option) => {
      for (const name of ['a/b/bob\u200b', '\u2060a/b/bob', 'a/b/bob\u00ad']) {
        const error = await refusal([...(option === '--local' ? [] : ['--local', 'a/b/c']), option, name]);
        expect(error.message).toContain(`${option} begins or ends with something that nobody sees (U+`);
        expect(error.exitCode).toBe(2);
      }
    },
  );

  test('may have an emoji of several parts', async () => {
    expect((await settings('--local a/b/\u{1f469}\u200d\u{1f680}')).local.strings[2]).toBe('\u{1f469}\u200d\u{1f680}');
    expect((await settings('--local a/b/\u2764\ufe0f')).local.strings[2]).toBe('\u2764\ufe0f');
  });
});

describe('wrong options', () => {
  test.each([
    ['--lcoal a/b/c', 'Unknown option --lcoal. Did you mean --local?'],
    ['--invite a/b/c', 'Unknown option --invite. Did you mean --invites?'],
    ['--local a/b/c --frobnicate', 'There is no use for argument 3. See --help for all options.'],
    ['-x', 'There is no use for argument 1. See --help for all options.'],
    ['--local', '--local needs a value: --local ORG/NS/APP'],
    ['--local --json', '--local needs a value: --local ORG/NS/APP'],
    ['--local a/b/c --local a/b/d', '--local may be given once.'],
    ['--json --plain', 'Give either --json or --plain, not both.'],
    ['--local a/b/c a/b/d', 'There is no use for argument 3. Did you forget --invites or --local before it?'],
    ['--local a/b/c 7', 'There is no use for argument 3. See --help for all options.'],
    ['node --json 7', 'There is no use for argument 3.'],
    ['--no-shared-secret', 'Unknown option --no-shared-secret. Did you mean --shared-secret?'],
    ['--no-enable-mls=y', 'Unknown option --no-enable-mls. Did you mean --enable-mls?'],
    ['--node sometimes', '--node is auto, always or never, got "sometimes".'],
    ['--timeout soon', '--timeout takes a duration such as 5s, 500ms or 2m, got "soon".'],
    ['--timeout 0', '--timeout is 1 ms to 1 h, got "0".'],
    ['--timeout 61m', '--timeout is 1 ms to 1 h, got "61m".'],
    ['--max-retries -1', '--max-retries takes a whole number up to 10000, got "-1".'],
    ['--max-retries 1.5', '--max-retries takes a whole number up to 10000, got "1.5".'],
    ['--slim 10.0.0.5', "endpoint '10.0.0.5' is not valid"],
  ])('%s', async (args, text) => {
    const error = await refusal(args);
    expect(error.message).toContain(text);
    expect(error.exitCode).toBe(2);
  });

  test.each(['--jwt x', '--spire-trust-bundle x', '--audience x'])(
    'says that %s is not supported yet',
    async (args) => {
      const error = await refusal(`--local a/b/c ${args}`);
      expect(error.message).toContain('is not supported yet');
      expect(error.exitCode).toBe(2);
    },
  );

  test('does not ignore what the environment promises either', async () => {
    expect((await refusal('', { SLIM_JWT: 'file' })).message).toContain('SLIM_JWT (--jwt)');
  });

  test('has MLS as an option, a variable, and in three ways', async () => {
    expect(await settings('')).toMatchObject({ mls: false, mlsPayload: 'auto' });
    expect(await settings('--enable-mls --mls-payload require')).toMatchObject({ mls: true, mlsPayload: 'require' });
    expect((await settings('', { SLIM_ENABLE_MLS: 'true' })).mls).toBe(true);
    expect((await settings('', { SLIM_ENABLE_MLS: 'false' })).mls).toBe(false);
    expect((await settings('--no-enable-mls', { SLIM_ENABLE_MLS: 'true' })).mls).toBe(false);
    expect((await settings('--enable-mls --keep-alive-group')).keepAliveGroup).toBe(true);
    expect((await refusal('--keep-alive-group')).message).toContain('--enable-mls');
    expect((await refusal('--mls-payload maybe')).message).toContain('auto, require, mixed, clear');
  });
});

describe('a switch', () => {
  test.each(['1', 'true', 'True', 't', 'T', 'yes', 'y', 'Y', 'on', 'ON', ' true', 'true\n'])(
    'is on with %j, as it is for the example programs, in a variable and behind =',
    async (word) => {
      expect((await settings('', { SLIM_ENABLE_MLS: word })).mls).toBe(true);
      const flag = await parseCommandLine([`--enable-mls=${word}`], { SLIM_ENABLE_MLS: '0' }, '0.1.0');
      expect(flag).toMatchObject({ settings: { mls: true } });
    },
  );

  test.each(['0', 'false', 'f', 'no', 'n', 'off', 'OFF', ' false '])('is off with %j', async (word) => {
    expect((await settings('', { SLIM_ENABLE_MLS: word })).mls).toBe(false);
    const flag = await parseCommandLine([`--enable-mls=${word}`], { SLIM_ENABLE_MLS: '1' }, '0.1.0');
    expect(flag).toMatchObject({ settings: { mls: false } });
  });

  test.each(['enabled', 'tru', '2', 'ja', ' ', '-1'])('that says %j is refused, whichever it is', async (word) => {
    for (const { name, kind, env } of CHAT_OPTIONS.filter((option) => option.kind === 'switch')) {
      const error = await refusal([`--${name}=${word}`]);
      expect(error.message).toContain(`--${name} is a ${kind}: give it true or false, not ${JSON.stringify(word)}.`);
      if (env !== undefined) {
        expect((await refusal('', { [env]: word })).message).toContain(`${env} is a switch`);
      }
    }
  });

  test('is as if it was not there where its variable is empty, and refused without a word after =', async () => {
    expect((await settings('', { SLIM_ENABLE_MLS: '' })).mls).toBe(false);
    expect((await refusal('--enable-mls=')).message).toContain('--enable-mls is a switch');
  });

  test('takes a word that follows it only if that is true or false', async () => {
    expect((await settings('--enable-mls true --no-wait-invites')).mls).toBe(true);
    expect((await settings('--enable-mls false')).mls).toBe(false);
    expect((await refusal('--enable-mls y')).message).toContain('argument 2');
    expect((await settings('-no-wait-invites')).waitInvites).toBe(false);
  });

  test('of something that is not there yet may be off in all these words', async () => {
    expect((await settings('', { SLIM_ENABLE_OPENTELEMETRY: 'f' })).mls).toBe(false);
    expect((await refusal('', { SLIM_ENABLE_OPENTELEMETRY: 'y' })).message).toContain('OpenTelemetry');
  });
});

describe('what an error shows', () => {
  const NAME = ['--local', 'a/b/c'];
  // Longer than any option, as real ones are, and like what people make with openssl, pwgen or a sentence.
  const SECRETS = [
    '0123456789-LEAK-0123456789-0123456789',
    'K7x+/LEAK/0123456789/0123456789012345=',
    'my LEAK of words, all of it LEAK',
  ];
  const FORMS = SECRETS.flatMap((secret) => [
    ['--shared-secert', secret],
    ['--shared-secert', `-${secret}`],
    ['--shared-secert', `--${secret}`],
    [`--shared-secert=${secret}`],
    [`--shared-secret${secret}`],
    [`--shared-secret:${secret}`],
    ['--shared', secret],
    ['-s', secret],
    [`-s${secret}`],
    [`\u2014shared-secret=${secret}`],
    [`shared-secret=${secret}`],
    [`SLIM_SHARED_SECRET=${secret}`],
    ['--shared-secret', 'x', secret],
    ['--shared-secret', 'x', `--${secret}`],
    ['--shared-secret', secret, '--shared-secret', secret],
    ['--no-shared-secret', secret],
    [`--shared-secret.text=${secret}`],
    ['--shared-secret-file', secret],
    [`--shared-secret-file=-${secret}`],
    ['--', secret],
    ['node', '--shared-secret', secret],
    ['--slim', `'{"endpoint": "http://h:1", "auth": {"password": "${secret}"}}'`],
    ['--slim', `{"endpoint": "http://h:1", "auth": {"type": "basic", "username": "u", "password": ["${secret}"]}}`],
    ['--slim', `{"endpoint": "http://h:1", "auth": {"type": "basic", "username": "u:", "password": "${secret}"}}`],
    ['--slim', `{"endpoint": "http://u:${secret}@h:1"}`],
    ['--slim', `u:${secret}@h:1`],
    ['--slim', secret],
    ['--slim', `http://h:1/${secret}`],
    ['--slim', `http://h:1?token=${secret}`],
  ]);

  test.each(FORMS.map((words) => ({ words, typed: words.join(' ') })))('is no secret: $typed', async ({ words }) => {
    const error = await refusal(words[0] === 'node' ? words : [...NAME, ...words]);
    expect(error.exitCode).toBe(2);
    const { inspect } = await import('node:util');
    const told = `${error.message} ${JSON.stringify(error.details)} ${inspect(error, { depth: 9 })}`;
    expect(told).not.toContain('LEAK');
  });

  test('names the variable that is wrong, where it is one', async () => {
    expect((await refusal('', { SLIM_TIMEOUT: 'soon' })).message).toMatch(/^SLIM_TIMEOUT takes a duration/);
    expect((await refusal('', { SLIM_MAX_RETRIES: '1.5' })).message).toMatch(/^SLIM_MAX_RETRIES takes/);
    expect((await refusal('', { SLIM_NODE: 'x' })).message).toMatch(/^SLIM_NODE is auto/);
    expect((await refusal('', { SLIM_LOCAL: 'bob' })).message).toContain('Try SLIM_LOCAL=agntcy/ns/bob');
    expect((await refusal('--timeout soon', { SLIM_TIMEOUT: '1s' })).message).toMatch(/^--timeout takes/);
  });
});

describe('a value that begins with a dash', () => {
  test('belongs to the option before it, unless it is an option', async () => {
    const secret = '-0123456789abcdefghijklmnopqrstuvwxyz';
    const reveal = async (...argv: string[]): Promise<string> => {
      const invocation = await parseCommandLine(argv, {}, '0.1.0');
      if (invocation.kind !== 'chat') throw new Error('no chat');
      return invocation.settings.secret.reveal();
    };
    expect(await reveal('--shared-secret', secret)).toBe(secret);
    expect(await reveal(`--shared-secret=${secret}`)).toBe(secret);
    expect(await reveal('--shared-secret', `-${secret}=`)).toBe(`-${secret}=`);
    expect((await refusal('--shared-secret --json=true')).message).toContain('--shared-secret needs a value');
  });
});

describe('the environment', () => {
  test('gives what the command line does not', async () => {
    const env = {
      SLIM_LOCAL: 'e/n/v',
      SLIM_INVITES: 'a/b/d, a/b/e',
      SLIM_REMOTE: 'a/b/chat',
      SLIM_SLIM: '10.0.0.5:46357',
      SLIM_SHARED_SECRET: SECRET,
      SLIM_TIMEOUT: '2s',
      SLIM_MAX_RETRIES: '4',
      SLIM_LINGER: '1m',
      SLIM_LOG_FILE: 'x.log',
      SLIM_PEERS_KIT: 'something else',
    };
    const fromEnv = await settings('', env);
    expect(fromEnv).toMatchObject({
      isDerivedName: false,
      timeoutMs: 2000,
      maxRetries: 4,
      lingerMs: 60_000,
      logFile: 'x.log',
    });
    expect(fromEnv.local.toString()).toBe('e/n/v');
    expect(fromEnv.invites.map(String)).toEqual(['a/b/d', 'a/b/e']);
    expect(fromEnv.slim.endpoint).toBe('http://10.0.0.5:46357');
    const both = await settings('--local a/b/c --timeout 500', env);
    expect(both.local.toString()).toBe('a/b/c');
    expect(both.timeoutMs).toBe(500);
  });

  test("separates names by blanks as SLIM's example programs do, or by commas", async () => {
    const { invites } = await settings('', { SLIM_INVITES: 'a/b/d a/b/e,  a/b/f\n' });
    expect(invites.map(String)).toEqual(['a/b/d', 'a/b/e', 'a/b/f']);
  });

  test('may have blanks around numbers and words', async () => {
    const env = { SLIM_MAX_RETRIES: ' 4', SLIM_TIMEOUT: '2s ', SLIM_NODE: 'never\n', SLIM_MLS_PAYLOAD: ' clear' };
    expect(await settings('', env)).toMatchObject({
      maxRetries: 4,
      timeoutMs: 2000,
      node: 'never',
      mlsPayload: 'clear',
    });
  });

  test('means nothing where a variable is empty', async () => {
    expect((await settings('', { SLIM_LOCAL: '', SLIM_REMOTE: '' })).channel).toBeUndefined();
  });
});

describe('the node', () => {
  test('is looked for at the default address, and started if need be', async () => {
    const { slim, node, sharedOptions } = await settings('--local a/b/c');
    expect(slim.endpoint).toBe('http://127.0.0.1:46357');
    expect(node).toBe('auto');
    expect(sharedOptions).toBe('');
  });

  test('is never started where one is named', async () => {
    const { node, sharedOptions } = await settings('--slim 127.0.0.1:5000');
    expect(node).toBe('never');
    expect(sharedOptions).toBe('--slim http://127.0.0.1:5000');
    expect((await settings('', { SLIM_SLIM: 'localhost:46357' })).node).toBe('never');
  });

  test('is started where that is wished, on this computer only', async () => {
    expect((await settings('--slim 127.0.0.1:5000 --node always')).node).toBe('always');
    expect((await settings('--node never')).node).toBe('never');
    expect(
      (await refusal(`--slim 10.0.0.5:5000 --node always --shared-secret ${SECRET.replaceAll(' ', '-')}`)).message,
    ).toContain('not on this computer');
  });

  test.each(['', '\ufeff', ' \n'])(
    'is described by a JSON document, too, whatever a file had before it: %j',
    async (mark) => {
      const document = JSON.stringify({ endpoint: 'http://10.0.0.5:46357', tls: { insecure: true } });
      const env = { SLIM_SHARED_SECRET: SECRET, SLIM_SLIM: `${mark}${document}\n` };
      for (const argv of [[], ['--slim', `${mark}${document}`]]) {
        const invocation = await parseCommandLine(argv, env, '0.1.0');
        expect(invocation).toMatchObject({ kind: 'chat', settings: { slim: { endpoint: 'http://10.0.0.5:46357' } } });
      }
    },
  );
});

describe('the secret', () => {
  test('is the demo secret on this computer, and demanded elsewhere', async () => {
    const demo = (await settings('--slim localhost:46357')).secret;
    expect(demo.isDemo).toBe(true);
    expect(Buffer.byteLength(demo.reveal())).toBeGreaterThanOrEqual(32);
    const error = await refusal('--slim 10.0.0.5:46357');
    expect(error.message).toContain('A shared secret is needed for http://10.0.0.5:46357');
    expect(error.message).toContain('--shared-secret-file FILE');
  });

  test('comes from a file, without the line end', async () => {
    const { secret } = await settings(`--shared-secret-file ${secretFile(`${SECRET}\n`)}`);
    expect(secret.reveal()).toBe(SECRET);
    expect(secret.isDemo).toBe(false);
    const missing = await refusal('--shared-secret-file /nowhere/secret');
    expect(missing.message).toBe('Cannot read the file of --shared-secret-file (ENOENT).');
    expect(missing.exitCode).toBe(2);
  });

  // By what an editor, `echo` or a clipboard leaves at the ends, which nobody sees.
  test.each([
    ['a line end', `${SECRET}\n`],
    ['a line end of Windows', `${SECRET}\r\n`],
    ['two line ends', `${SECRET}\n\n`],
    ['a byte order mark', `\ufeff${SECRET}`],
    ['both', `\ufeff${SECRET}\r\n`],
  ])('is the same with %s from file, variable and option', async (_what, text) => {
    const reveal = (from: ChatSettings): string => from.secret.reveal();
    expect(reveal(await settings(`--shared-secret-file ${secretFile(text)}`))).toBe(SECRET);
    expect(reveal(await settings('', { SLIM_SHARED_SECRET_FILE: secretFile(text) }))).toBe(SECRET);
    expect(reveal(await settings('', { SLIM_SHARED_SECRET: text }))).toBe(SECRET);
    const flag = await parseCommandLine(['--shared-secret', text], {}, '0.1.0');
    expect(flag.kind === 'chat' && reveal(flag.settings)).toBe(SECRET);
  });

  test.each([
    ['a blank', `${SECRET} `, 'U+0020'],
    ['a blank before a line end', `${SECRET} \n`, 'U+0020'],
    ['a blank in front', ` ${SECRET}`, 'U+0020'],
    ['a line end in front', `\n${SECRET}`, 'U+000A'],
    ['a no-break space', `${SECRET}\u00a0`, 'U+00A0'],
    ['a zero-width space', `\u200b${SECRET}`, 'U+200B'],
    ['a byte order mark at the end', `${SECRET}\ufeff`, 'U+FEFF'],
    ['a tab', `${SECRET}\t`, 'U+0009'],
    ['a half of an emoji, or bytes that are no text', `${SECRET}\ufffd`, 'is not text in UTF-8'],
  ])('is refused with %s, with the reason, from file, variable and option', async (_what, text, why) => {
    const file = secretFile(text);
    for (const [label, error] of [
      ['--shared-secret-file', await refusal(['--shared-secret-file', file])],
      ['SLIM_SHARED_SECRET_FILE', await refusal('', { SLIM_SHARED_SECRET_FILE: file })],
      ['SLIM_SHARED_SECRET', await refusal('', { SLIM_SHARED_SECRET: text })],
      ['--shared-secret', await refusal(['--shared-secret', text])],
    ] as const) {
      expect(error.message).toContain(`The shared secret of ${label} `);
      expect(error.message).toContain(why);
      expect(error.exitCode).toBe(2);
    }
  });

  test.each([
    ['random bytes', Buffer.from('f3c1a07e9b55ff00'.repeat(4), 'hex')],
    ['UTF-16', Buffer.from(`\ufeff${SECRET}`, 'utf16le')],
    ['UTF-16 without a mark', Buffer.from(`${SECRET}\n`, 'utf16le')],
  ])('is refused when its file holds %s', async (_what, bytes) => {
    expect((await refusal(['--shared-secret-file', secretFile(bytes)])).message).toContain('The shared secret of');
  });

  test('may end with an emoji, and have blanks inside', async () => {
    for (const secret of [`${SECRET}\u2764\ufe0f`, `${SECRET} \u{1f469}\u200d\u{1f680}`]) {
      expect((await settings('', { SLIM_SHARED_SECRET: secret })).secret.reveal()).toBe(secret);
    }
  });

  test('comes from one source, a flag before a variable', async () => {
    const file = secretFile('another secret that is long enough');
    const error = await refusal(['--shared-secret', SECRET, '--shared-secret-file', file]);
    expect(error.message).toContain('not both');
    const { secret } = await settings(`--shared-secret-file ${file}`, { SLIM_SHARED_SECRET: SECRET });
    expect(secret.reveal()).toBe('another secret that is long enough');
    const other = await settings(`--shared-secret ${'x'.repeat(32)}`, { SLIM_SHARED_SECRET_FILE: file });
    expect(other.secret.reveal()).toBe('x'.repeat(32));
  });

  test('is refused with its length when it is too short, and never shown', async () => {
    const short = 'very-long-shared-secret-value';
    const error = await refusal(`--shared-secret ${short}`);
    expect(error.message).toContain('29');
    expect(error.message).not.toContain(short);
    const { secret } = await settings('', { SLIM_SHARED_SECRET: SECRET });
    const { inspect } = await import('node:util');
    expect(inspect(secret, { showHidden: true, depth: 9 }) + JSON.stringify(secret)).not.toContain(SECRET);
  });
});

describe('the rest', () => {
  test('repeats invitations unless told otherwise', async () => {
    expect((await settings('')).waitInvites).toBe(true);
    expect((await settings('--no-wait-invites')).waitInvites).toBe(false);
  });

  test('prints the version and the help', async () => {
    expect(await parseCommandLine(['--version'], {}, '9.9.9')).toEqual({ kind: 'print', text: '9.9.9' });
    const help = await parseCommandLine(['--help', '--local', 'a/b/c'], {}, '0.1.0');
    expect(help).toEqual({ kind: 'print', text: await chatHelp() });
  });

  test('has every option in the help, and no line beyond 100 columns', async () => {
    const text = await chatHelp();
    for (const { name } of CHAT_OPTIONS) expect(text).toContain(`--${name}`);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toContain('slim-chat --local agntcy/ns/alice --invites agntcy/ns/bob');
  });

  test('knows the node command', async () => {
    expect(await parseCommandLine(['node'], {}, '0.1.0')).toEqual({
      kind: 'node',
      settings: { listen: { host: '127.0.0.1', port: 46357 }, isJson: false, logFile: undefined },
    });
    const any = await parseCommandLine(['node', '--listen', '0.0.0.0:0', '--json'], {}, '0.1.0');
    expect(any).toMatchObject({ settings: { listen: { host: '0.0.0.0', port: 0 }, isJson: true } });
    expect((await refusal('node --listen nowhere')).message).toContain('HOST:PORT');
    expect((await refusal('node --local a/b/c')).message).toContain('Unknown option --local');
    expect(await parseCommandLine(['node', '--help'], {}, '0.1.0')).toMatchObject({ kind: 'print' });
  });
});
