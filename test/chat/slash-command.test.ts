import { describe, expect, test } from 'vitest';

import { COMMANDS, helpLines, type InputContext, type ParsedInput, parseInput } from '../../src/chat/index.js';

const moderator: InputContext = {
  local: 'agntcy/ns/alice/9f3c',
  members: [
    { name: 'agntcy/ns/alice/9f3c', label: 'alice' },
    { name: 'agntcy/ns/bob/41d0', label: 'bob#41d0' },
  ],
  invited: [{ name: 'agntcy/other/dave', label: 'dave' }],
  session: 7,
  maySendAhead: false,
  isModerator: true,
  sessions: [{ id: 7, label: 'chat', channel: 'agntcy/ns/chat' }],
  asked: [],
  unsent: '',
  isConfirmed: false,
};
const participant: InputContext = { ...moderator, isModerator: false };
const waiting: InputContext = { ...participant, members: [], invited: [], session: null, sessions: [] };

function hintOf(parsed: ParsedInput): string {
  if (parsed.ok) throw new Error('expected a hint');
  return parsed.hint;
}

describe('parseInput', () => {
  test('takes a line as a message, as it was typed', () => {
    expect(parseInput('  hello there', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '  hello there', session: 7 }],
    });
    expect(parseInput('two\nlines', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: 'two\nlines', session: 7 }],
    });
  });

  test('sends a path: no command has a slash in its name', () => {
    for (const line of ['/usr/bin/foo failed', '/etc/passwd', '/a/']) {
      expect(parseInput(line, moderator)).toEqual({
        ok: true,
        commands: [{ type: 'publish', text: line, session: 7 }],
      });
    }
  });

  test.each(['    // set a', ' /quit', '\t/quit', '\u00a0/invite bob', ' exit', 'ends in blanks   ', ' /who  '])(
    'takes %j as text to the letter: a blank in front is no command',
    (line) => {
      expect(parseInput(line, moderator)).toEqual({
        ok: true,
        commands: [{ type: 'publish', text: line, session: 7 }],
      });
    },
  );

  test.each(['// set a\na = 1;', '/quit\nlater', '/invite bob\n carol', '  /who\n/quit'])(
    'takes %j as text to the letter: a command has one line',
    (text) => {
      expect(parseInput(text, moderator)).toEqual({ ok: true, commands: [{ type: 'publish', text, session: 7 }] });
    },
  );

  test('does not mind blanks and newlines behind a command, and keeps those behind an escaped slash', () => {
    expect(parseInput('/who  \n', moderator)).toMatchObject({ commands: [{ type: 'who' }] });
    expect(parseInput('//  a  ', moderator)).toMatchObject({ commands: [{ type: 'publish', text: '/  a  ' }] });
  });

  test('gives what is for a group the session that it was typed for', () => {
    for (const line of ['hi', '/me waves', '/who', '/status', '/drop', '/leave', '/invite bob', '/remove bob#41d0']) {
      expect(parseInput(line, moderator)).toMatchObject({ commands: [{ session: 7 }] });
    }
  });

  test('switches by name, by full channel, or by number, and lists', () => {
    const sessions = [
      { id: 7, label: 'chat', channel: 'agntcy/ns/chat' },
      { id: 8, label: 'other', channel: 'agntcy/ns/other' },
      { id: 9, label: 'other', channel: 'x/y/other' },
    ];
    const context = { ...moderator, sessions };
    expect(parseInput('/switch chat', context)).toEqual({ ok: true, commands: [{ type: 'switch', session: 7 }] });
    expect(parseInput('/switch x/y/other', context)).toEqual({ ok: true, commands: [{ type: 'switch', session: 9 }] });
    expect(parseInput('/switch 2', context)).toEqual({ ok: true, commands: [{ type: 'switch', session: 8 }] });
    expect(hintOf(parseInput('/switch other', context))).toContain('several groups');
    expect(hintOf(parseInput('/switch 4', context))).toContain('there is no group "4"');
    expect(parseInput('/switch', context)).toEqual({ ok: true, commands: [{ type: 'groups' }] });
  });

  test('has no group to write to when the one on the screen has ended, although there are others', () => {
    const parsed = parseInput('secret', { ...moderator, session: null });
    expect(parsed).toMatchObject({ ok: false, isMessage: true });
    expect(hintOf(parsed)).toBe('choose the group that this is for: /switch chat');
  });

  test('answers the invitation that is meant', () => {
    const carol = { session: 8, label: 'carol', from: 'agntcy/ns/carol', channel: 'agntcy/ns/other' };
    const one = { ...moderator, asked: [carol] };
    const two = { ...moderator, asked: [carol, { ...carol, session: 9, channel: 'agntcy/ns/third' }] };
    expect(parseInput('/accept', one)).toEqual({ ok: true, commands: [{ type: 'accept', session: 8 }] });
    expect(parseInput('/decline carol', one)).toEqual({ ok: true, commands: [{ type: 'decline', session: 8 }] });
    expect(parseInput('/accept agntcy/ns/third', two)).toEqual({
      ok: true,
      commands: [{ type: 'accept', session: 9 }],
    });
    expect(parseInput('/decline third', two)).toEqual({ ok: true, commands: [{ type: 'decline', session: 9 }] });
    expect(hintOf(parseInput('/accept', two))).toContain('several invitations');
    expect(hintOf(parseInput('/accept dave', two))).toContain('no invitation of "dave"');
    expect(hintOf(parseInput('/accept', moderator))).toBe('nobody invites you now');
  });

  test('asks before it leaves what is not sent yet', () => {
    const unsent = { ...moderator, unsent: 'Not sent yet: "hi".' };
    expect(hintOf(parseInput('/quit', unsent))).toBe('Not sent yet: "hi". Enter again leaves all the same.');
    expect(parseInput('/quit', { ...unsent, isConfirmed: true })).toEqual({ ok: true, commands: [{ type: 'exit' }] });
  });

  test('sends nothing for a blank line', () => {
    expect(parseInput(' \n', moderator)).toEqual({ ok: true, commands: [] });
  });

  test('sends a line that starts with a slash after //', () => {
    expect(parseInput('//etc/passwd', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '/etc/passwd', session: 7 }],
    });
  });

  test.each(['help', 'who', 'status', 'retry', 'drop', 'clear'] as const)('knows /%s', (word) => {
    expect(parseInput(`/${word}`, moderator)).toMatchObject({ ok: true, commands: [{ type: word }] });
    expect(hintOf(parseInput(`/${word} x`, moderator))).toBe(`/${word} takes no argument`);
  });

  test('knows /quit and /leave', () => {
    expect(parseInput('/quit', waiting)).toEqual({ ok: true, commands: [{ type: 'exit' }] });
    expect(parseInput('/QUIT', waiting)).toEqual({ ok: true, commands: [{ type: 'exit' }] });
    expect(parseInput('/leave', participant)).toEqual({ ok: true, commands: [{ type: 'leave', session: 7 }] });
    expect(hintOf(parseInput('/leave', waiting))).toContain('/quit');
  });

  test('says what one does with /me, so that other programs can read it', () => {
    expect(parseInput('/me waves', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '* alice waves', session: 7 }],
    });
  });

  test('invites several, short names in the own namespace', () => {
    expect(parseInput('/invite bob x/y/carol,dave', moderator)).toEqual({
      ok: true,
      commands: [
        { type: 'invite', name: 'agntcy/ns/bob', session: 7 },
        { type: 'invite', name: 'x/y/carol', session: 7 },
        { type: 'invite', name: 'agntcy/ns/dave', session: 7 },
      ],
    });
    expect(hintOf(parseInput('/invite a//b', moderator))).toBe('a name is org/ns/app, got "a//b"');
    expect(hintOf(parseInput('/invite', moderator))).toContain('usage');
  });

  test('removes by label, by name, and by name without id', () => {
    const removed = { ok: true, commands: [{ type: 'remove', name: 'agntcy/ns/bob/41d0', session: 7 }] };
    expect(parseInput('/remove bob#41d0', moderator)).toEqual(removed);
    expect(parseInput('/remove agntcy/ns/bob', moderator)).toEqual(removed);
    expect(parseInput('/remove agntcy/ns/bob/41d0', moderator)).toEqual(removed);
    expect(hintOf(parseInput('/remove carol', moderator))).toContain('there is no member "carol"');
  });

  test('removes who is only being invited by the short name that the chat shows', () => {
    const removed = { ok: true, commands: [{ type: 'remove', name: 'agntcy/other/dave', session: 7 }] };
    expect(parseInput('/remove dave', moderator)).toEqual(removed);
    expect(parseInput('/remove agntcy/other/dave', moderator)).toEqual(removed);
  });

  test('lets only the moderator invite and remove', () => {
    expect(hintOf(parseInput('/invite bob', participant))).toBe('only the moderator can invite');
    expect(hintOf(parseInput('/remove bob', participant))).toBe('only the moderator can remove');
    expect(hintOf(parseInput('/invite bob', waiting))).toBe('you are in no group, so you cannot invite');
  });

  test('sends nothing into a group that is not there', () => {
    expect(hintOf(parseInput('hello', waiting))).toContain('nobody is listening yet');
    expect(hintOf(parseInput('//hello', waiting))).toContain('nobody is listening yet');
    expect(hintOf(parseInput('/me waves', waiting))).toContain('nobody is listening yet');
  });

  test('asks before it sends the words that end other programs', () => {
    expect(hintOf(parseInput('exit', moderator))).toContain('/quit');
    expect(parseInput('exit', { ...moderator, isConfirmed: true })).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: 'exit', session: 7 }],
    });
    expect(parseInput('exit now', moderator)).toMatchObject({ ok: true });
  });

  test('guesses what an unknown command meant', () => {
    expect(hintOf(parseInput('/hepl', moderator))).toContain('did you mean /help?');
    expect(hintOf(parseInput('/inviet bob', moderator))).toContain('did you mean /invite?');
    expect(parseInput('/nonsense', moderator)).toMatchObject({ ok: false, isMessage: true });
  });
});

describe('helpLines', () => {
  test('has a line for each command', () => {
    const text = helpLines().join('\n');
    for (const { name } of COMMANDS) expect(text).toContain(`/${name}`);
  });

  test('lists only commands that the parser knows', () => {
    for (const { name } of COMMANDS) {
      const parsed = parseInput(`/${name}`, moderator);
      expect(parsed.ok ? '' : parsed.hint).not.toContain('there is no command');
    }
  });
});
