import { describe, expect, test } from 'vitest';

import { inputContext, parseInput, parseText } from '../../src/chat/index.js';
import { initialState } from '../../src/chat/state.js';
import {
  compose,
  type ComposerContext,
  type ComposerEffect,
  type ComposerState,
  emptyComposer,
  PASTE_LENGTH,
  PASTE_LINES,
} from '../../src/ui/composer.js';
import { type InputEvent } from '../../src/ui/input/index.js';

const inGroup: ComposerContext = {
  parse: (line, isConfirmed) =>
    parseInput(line, { ...inputContext(initialState(), { isConfirmed }), session: 7, isModerator: true }),
  parseText: (line) => parseText(line, { ...inputContext(initialState(), { isConfirmed: false }), session: 7 }),
  vocabulary: () => ({ commands: ['/help', '/who'], names: ['bob', 'bobby'] }),
  leaveWarning: 'Press Ctrl+C again to leave.',
  isLeaving: false,
  sessions: [7, 8],
  activeSession: 7,
};

const key = (name: string): InputEvent => ({ kind: 'key', key: name });
const text = (value: string): InputEvent => ({ kind: 'text', text: value });
const paste = (value: string, truncated = false): InputEvent => ({ kind: 'paste', text: value, truncated });
const ENTER = key('enter');
const INTERRUPT = key('ctrl+c');
const LEAVE: ComposerEffect = { kind: 'run', command: { type: 'exit' } };
const publish = (value: string): ComposerEffect => ({
  kind: 'run',
  command: { type: 'publish', text: value, session: 7 },
});

class Typist {
  state: ComposerState = emptyComposer;
  effects: ComposerEffect[] = [];

  #context = inGroup;

  type(...events: InputEvent[]): this {
    for (const event of events) {
      const step = compose(this.state, event, this.#context);
      this.state = step.state;
      this.effects.push(...step.effects);
    }
    return this;
  }

  in(context: Partial<ComposerContext>): this {
    this.#context = { ...this.#context, ...context };
    return this;
  }

  get shown(): string {
    const { text: typed, cursor } = this.state.editor;
    return `${typed.slice(0, cursor)}|${typed.slice(cursor)}`;
  }
}

describe('several groups', () => {
  test('are chosen with Alt and their number; what is typed goes along', () => {
    const typist = new Typist().type(text('half'), key('alt+2'));
    expect(typist.effects).toEqual([{ kind: 'run', command: { type: 'switch', session: 8 } }]);
    expect(typist.in({ activeSession: 8 }).type(ENTER).effects).toHaveLength(2);
    expect(new Typist().type(key('alt+3')).state.notice).toContain('you have no group 3');
  });

  test('never get a line that was begun in another one, or in none, without a second Enter', () => {
    for (const before of [7, null]) {
      const typist = new Typist()
        .in({ activeSession: before })
        .type(text('secret'))
        .in({ activeSession: 8 })
        .type(ENTER);
      expect(typist.effects).toEqual([]);
      expect(typist.shown).toBe('secret|');
      expect(typist.state.notice).toContain('the group on the screen has changed');
      expect(typist.type(ENTER).effects).toHaveLength(1);
    }
  });

  test('do not matter to what is for none of them', () => {
    const typist = new Typist().type(text('/help')).in({ activeSession: 8 }).type(ENTER);
    expect(typist.effects).toEqual([{ kind: 'run', command: { type: 'help' } }]);
  });
});

describe('sending', () => {
  test('publishes a line, clears the composer and remembers it', () => {
    const typist = new Typist().type(text('hello'), ENTER);
    expect(typist.effects).toEqual([publish('hello')]);
    expect(typist.shown).toBe('|');
    expect(typist.type(key('up')).shown).toBe('hello|');
  });

  test('does nothing for a blank line', () => {
    const typist = new Typist().type(text('  '), ENTER);
    expect(typist.effects).toEqual([]);
    expect(typist.state.history.entries).toEqual([]);
  });

  test('starts a new line after a backslash, and with Alt+Enter', () => {
    const typist = new Typist().type(text('one\\'), ENTER, text('two'), key('alt+enter'), text('three'), ENTER);
    expect(typist.effects).toEqual([publish('one\ntwo\nthree')]);
  });

  test('keeps a line that was not understood and says why', () => {
    const typist = new Typist().type(text('/hepl'), ENTER);
    expect(typist.effects).toEqual([]);
    expect(typist.state.notice).toContain('/help');
    expect(typist.shown).toBe('/hepl|');
    expect(typist.type(text('x')).state.notice).toBeUndefined();
  });

  test('sends the word quit when it is meant', () => {
    const typist = new Typist().type(text('quit'), ENTER);
    expect(typist.state.notice).toContain('/quit');
    expect(typist.effects).toEqual([]);
    expect(typist.type(ENTER).effects).toEqual([publish('quit')]);
  });

  test('asks again about the word quit once something else was sent', () => {
    const typist = new Typist().type(text('quit'), ENTER, text(' it'), ENTER, text('quit'), ENTER);
    expect(typist.effects).toEqual([publish('quit it')]);
  });

  test('clears the screen itself and runs the other commands', () => {
    const typist = new Typist().type(text('/clear'), ENTER, key('ctrl+l'), text('/who'), ENTER);
    expect(typist.effects).toEqual([
      { kind: 'clear-screen' },
      { kind: 'clear-screen' },
      { kind: 'run', command: { type: 'who', session: 7 } },
    ]);
  });
});

describe('pasting', () => {
  const long = Array.from({ length: 200 }, (_, index) => `line ${index}`).join('\n');

  test('puts a few lines into the composer and sends nothing', () => {
    const typist = new Typist().type(text('see: '), paste('one\ntwo\n'));
    expect(typist.effects).toEqual([]);
    expect(typist.shown).toBe('see: one\ntwo|');
  });

  test('asks about many lines, and sends them as one message on Enter', () => {
    const typist = new Typist().type(paste(long));
    expect(typist.effects).toEqual([]);
    expect(typist.state.askedPaste?.question).toContain('200 lines');
    expect(typist.shown).toBe('|');
    expect(typist.type(ENTER).effects).toEqual([publish(long)]);
    expect(typist.state.askedPaste).toBeUndefined();
  });

  test('drops them on Escape', () => {
    const typist = new Typist().type(paste(long), key('escape'), ENTER);
    expect(typist.effects).toEqual([]);
    expect(typist.state.askedPaste).toBeUndefined();
  });

  test('takes no other key for an answer', () => {
    const typist = new Typist().type(paste(long), text('yes'), key('up'), paste('more'));
    expect(typist.state.askedPaste?.text).toBe(long);
    expect(typist.shown).toBe('|');
  });

  test('asks from the eleventh line and the length limit on', () => {
    const lines = (count: number): string => Array.from({ length: count }, () => 'x').join('\n');
    expect(new Typist().type(paste(lines(PASTE_LINES))).state.askedPaste).toBeUndefined();
    expect(new Typist().type(paste(lines(PASTE_LINES + 1))).state.askedPaste).toBeDefined();
    expect(new Typist().type(paste('x'.repeat(PASTE_LENGTH))).state.askedPaste).toBeUndefined();
    expect(new Typist().type(paste('x'.repeat(PASTE_LENGTH + 1))).state.askedPaste).toBeDefined();
  });

  test('never takes a paste for a command', () => {
    const typist = new Typist().type(paste(`/quit\n${long}`), ENTER);
    expect(typist.effects).toEqual([publish(`/quit\n${long}`)]);
    const oneLine = `/quit ${'x'.repeat(PASTE_LENGTH)}`;
    expect(new Typist().type(paste(oneLine), ENTER).effects).toEqual([publish(oneLine)]);
  });

  test.each([
    ['an indented comment', '    // set a'],
    ['a comment above code', '// set a\nset(a)'],
    ['a command in a text', '/quit\nis a command'],
    ['many lines that begin with an indented comment', `    // set a\n${long}`],
  ])('sends %s to the letter, also from the history', (_what, pasted) => {
    const typist = new Typist().type(paste(pasted), ENTER);
    expect(typist.effects).toEqual([publish(pasted)]);
    expect(typist.type(key('up'), ENTER).effects).toEqual([publish(pasted), publish(pasted)]);
  });

  test('drops a paste that nobody can get, and says why', () => {
    const typist = new Typist().in({
      parseText: (line) => parseText(line, inputContext(initialState(), { isConfirmed: false })),
    });
    typist.type(paste(long), ENTER);
    expect(typist.effects).toEqual([]);
    expect(typist.state.notice).toMatch(/^paste dropped: nobody is listening/);
    expect(typist.shown).toBe('|');
  });

  test('says when a paste was cut off', () => {
    expect(new Typist().type(paste('half', true)).state.notice).toContain('cut off');
    expect(new Typist().type(paste(long, true)).state.askedPaste?.question).toContain('Cut off');
  });
});

describe('leaving', () => {
  test('asks once, then leaves, then does not wait', () => {
    const typist = new Typist().type(INTERRUPT);
    expect(typist.effects).toEqual([]);
    expect(typist.state.notice).toBe('Press Ctrl+C again to leave.');
    expect(typist.type(INTERRUPT).effects).toEqual([LEAVE]);
    expect(typist.in({ isLeaving: true }).type(INTERRUPT).effects).toEqual([LEAVE, { kind: 'force' }]);
  });

  test('first clears what was typed', () => {
    const typist = new Typist().type(text('secret'), INTERRUPT);
    expect(typist.shown).toBe('|');
    expect(typist.effects).toEqual([]);
    expect(typist.type(INTERRUPT).effects).toEqual([LEAVE]);
  });

  test.each([
    ['Up', key('up')],
    ['Ctrl+Y', key('ctrl+y')],
  ])('a draft that Ctrl+C has cleared comes back with %s', (_what, back) => {
    const typist = new Typist().type(text('sent'), ENTER, text('a long'), key('alt+enter'), text('draft'), key('left'));
    expect(typist.type(INTERRUPT, back).shown).toBe('a long\ndraft|');
    expect(typist.type(ENTER).effects.at(-1)).toEqual(publish('a long\ndraft'));
  });

  test('a draft is not lost when Ctrl+C clears the older message that was looked at, or when that is sent again', () => {
    for (const after of [INTERRUPT, ENTER]) {
      const typist = new Typist().type(text('sent'), ENTER, text('draft'), key('up'), after);
      expect(typist.shown).toBe('|');
      expect(typist.type(key('up'), key('up')).shown).toBe('draft|');
    }
  });

  test('a draft is not lost when Ctrl+C drops the paste that is asked about', () => {
    const typist = new Typist().type(text('draft'), paste('x'.repeat(PASTE_LENGTH + 1)), INTERRUPT);
    expect(typist.shown).toBe('|');
    expect(typist.type(key('up')).shown).toBe('draft|');
  });

  test('is taken back by any other key', () => {
    const typist = new Typist().type(INTERRUPT, text('x'), INTERRUPT);
    expect(typist.effects).toEqual([]);
    expect(new Typist().type(INTERRUPT, key('left'), INTERRUPT).effects).toEqual([]);
  });

  test('does not ask when leaving means nothing to anybody', () => {
    const alone = new Typist().in({ leaveWarning: undefined });
    expect(alone.type(INTERRUPT).effects).toEqual([LEAVE]);
    const typing = new Typist().in({ leaveWarning: undefined }).type(text('x'), INTERRUPT);
    expect(typing.effects).toEqual([]);
    expect(typing.shown).toBe('|');
  });

  test('drops a paste that is asked about first', () => {
    const typist = new Typist().type(paste('x'.repeat(PASTE_LENGTH + 1)), INTERRUPT);
    expect(typist.effects).toEqual([]);
    expect(typist.state.askedPaste).toBeUndefined();
    expect(typist.type(INTERRUPT).effects).toEqual([LEAVE]);
  });

  test('asks with Ctrl+D as with Ctrl+C when nothing is typed, else it deletes', () => {
    const asked = new Typist().type(key('ctrl+d'));
    expect(asked.effects).toEqual([]);
    expect(asked.state.notice).toBe('Press Ctrl+C again to leave.');
    expect(asked.type(key('ctrl+d')).effects).toEqual([LEAVE]);
    expect(new Typist().in({ leaveWarning: undefined }).type(key('ctrl+d')).effects).toEqual([LEAVE]);
    const typist = new Typist().type(text('ab'), key('left'), key('ctrl+d'));
    expect(typist.effects).toEqual([]);
    expect(typist.shown).toBe('a|');
  });

  test('takes no more input while leaving', () => {
    const typist = new Typist().in({ isLeaving: true }).type(text('too late'), ENTER, paste('x'), key('ctrl+d'));
    expect(typist.effects).toEqual([]);
    expect(typist.shown).toBe('|');
  });
});

describe('keys', () => {
  test('moves within a text of several lines before it looks back', () => {
    const typist = new Typist().type(text('old'), ENTER, text('one'), key('alt+enter'), text('two'));
    expect(typist.type(key('up')).shown).toBe('one|\ntwo');
    expect(typist.type(key('up')).shown).toBe('old|');
    expect(typist.type(key('down')).shown).toBe('one\ntwo|');
  });

  test('suspends on Ctrl+Z, also while a paste is asked about, but not on the way out', () => {
    expect(new Typist().type(text('x'), key('ctrl+z')).effects).toEqual([{ kind: 'suspend' }]);
    const asked = new Typist().type(paste('x'.repeat(PASTE_LENGTH + 1)), key('ctrl+z'));
    expect(asked.effects).toEqual([{ kind: 'suspend' }]);
    expect(asked.state.askedPaste).toBeDefined();
    expect(new Typist().in({ isLeaving: true }).type(key('ctrl+z')).effects).toEqual([]);
  });

  test('completes, and lists what else it could be', () => {
    const typist = new Typist().type(text('/w'), key('tab'));
    expect(typist.shown).toBe('/who |');
    const names = new Typist().type(text('hi b'), key('tab'));
    expect(names.shown).toBe('hi bob|');
    expect(names.state.notice).toBe('bob  bobby');
    expect(new Typist().type(text('zzz'), key('tab')).shown).toBe('zzz|');
  });

  test('ignores keys without a meaning and the focus of the window', () => {
    const typist = new Typist().type(text('x'), key('f5'), { kind: 'focus', focused: true }, key('ctrl+q'));
    expect(typist.shown).toBe('x|');
    expect(typist.effects).toEqual([]);
  });
});
