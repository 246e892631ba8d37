import { describe, expect, it } from 'vitest';

import { COMMANDS, helpLines, type InputContext, type ParsedInput, parseInput } from '../../src/chat/index.js';

const moderator: InputContext = {
  local: 'agntcy/ns/alice/9f3c',
  members: [
    { name: 'agntcy/ns/alice/9f3c', label: 'alice' },
    { name: 'agntcy/ns/bob/41d0', label: 'bob#41d0' },
  ],
  isInGroup: true,
  isModerator: true,
  isConfirmed: false,
};
const participant: InputContext = { ...moderator, isModerator: false };
const waiting: InputContext = { ...participant, members: [], isInGroup: false };

function hintOf(parsed: ParsedInput): string {
  if (parsed.ok) throw new Error('expected a hint');
  return parsed.hint;
}

describe('parseInput', () => {
  it('takes a line as a message, as it was typed', () => {
    expect(parseInput('  hello there', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '  hello there' }],
    });
    expect(parseInput('two\nlines', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: 'two\nlines' }],
    });
  });

  it('sends nothing for a blank line', () => {
    expect(parseInput(' \n', moderator)).toEqual({ ok: true, commands: [] });
  });

  it('sends a line that starts with a slash after //', () => {
    expect(parseInput('//etc/passwd', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '/etc/passwd' }],
    });
  });

  it.each(['help', 'who', 'status', 'retry', 'drop', 'clear'] as const)('knows /%s', (word) => {
    expect(parseInput(`/${word}`, moderator)).toEqual({ ok: true, commands: [{ type: word }] });
    expect(hintOf(parseInput(`/${word} x`, moderator))).toBe(`/${word} takes no argument`);
  });

  it('knows /quit and /leave', () => {
    expect(parseInput('/quit', waiting)).toEqual({ ok: true, commands: [{ type: 'exit' }] });
    expect(parseInput('/QUIT', waiting)).toEqual({ ok: true, commands: [{ type: 'exit' }] });
    expect(parseInput('/leave', participant)).toEqual({ ok: true, commands: [{ type: 'leave' }] });
    expect(hintOf(parseInput('/leave', waiting))).toContain('/quit');
  });

  it('says what one does with /me, so that other programs can read it', () => {
    expect(parseInput('/me waves', moderator)).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: '* alice waves' }],
    });
  });

  it('invites several, short names in the own namespace', () => {
    expect(parseInput('/invite bob x/y/carol,dave', moderator)).toEqual({
      ok: true,
      commands: [
        { type: 'invite', name: 'agntcy/ns/bob' },
        { type: 'invite', name: 'x/y/carol' },
        { type: 'invite', name: 'agntcy/ns/dave' },
      ],
    });
    expect(hintOf(parseInput('/invite a//b', moderator))).toBe('a name is org/ns/app, got "a//b"');
    expect(hintOf(parseInput('/invite', moderator))).toContain('usage');
  });

  it('removes by label, by name, and by name without id', () => {
    const removed = { ok: true, commands: [{ type: 'remove', name: 'agntcy/ns/bob/41d0' }] };
    expect(parseInput('/remove bob#41d0', moderator)).toEqual(removed);
    expect(parseInput('/remove agntcy/ns/bob', moderator)).toEqual(removed);
    expect(parseInput('/remove agntcy/ns/bob/41d0', moderator)).toEqual(removed);
    expect(hintOf(parseInput('/remove carol', moderator))).toContain('there is no member "carol"');
  });

  it('lets only the moderator invite and remove', () => {
    expect(hintOf(parseInput('/invite bob', participant))).toBe('only the moderator can invite');
    expect(hintOf(parseInput('/remove bob', participant))).toBe('only the moderator can remove');
    expect(hintOf(parseInput('/invite bob', waiting))).toBe('you are in no group, so you cannot invite');
  });

  it('sends nothing into a group that is not there', () => {
    expect(hintOf(parseInput('hello', waiting))).toContain('nobody is listening yet');
    expect(hintOf(parseInput('//hello', waiting))).toContain('nobody is listening yet');
    expect(hintOf(parseInput('/me waves', waiting))).toContain('nobody is listening yet');
  });

  it('asks before it sends the words that end other programs', () => {
    expect(hintOf(parseInput('exit', moderator))).toContain('/quit');
    expect(parseInput('exit', { ...moderator, isConfirmed: true })).toEqual({
      ok: true,
      commands: [{ type: 'publish', text: 'exit' }],
    });
    expect(parseInput('exit now', moderator)).toMatchObject({ ok: true });
  });

  it('guesses what an unknown command meant', () => {
    expect(hintOf(parseInput('/hepl', moderator))).toContain('did you mean /help?');
    expect(hintOf(parseInput('/inviet bob', moderator))).toContain('did you mean /invite?');
    expect(hintOf(parseInput('/etc/passwd', moderator))).toContain('try /help');
  });
});

describe('helpLines', () => {
  it('has a line for each command', () => {
    const text = helpLines().join('\n');
    for (const { name } of COMMANDS) expect(text).toContain(`/${name}`);
  });

  it('lists only commands that the parser knows', () => {
    for (const { name } of COMMANDS) {
      const parsed = parseInput(`/${name}`, moderator);
      expect(parsed.ok ? '' : parsed.hint).not.toContain('there is no command');
    }
  });
});
