import { describe, expect, test } from 'vitest';

import { ALICE, AT, BOB, CAROL, group, message } from './chat-events.js';
import { startUi } from './harness.js';

/** A finished message; how wide the column for names is, is no matter of these tests. */
function said(who: string, text: string): RegExp {
  return new RegExp(`^12:00 +${who}  ${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

const STATUS = 'chat-7q2k | 3 members | MLS off';

describe('a chat on the screen', () => {
  test('shows finished lines above the composer and the status line', async () => {
    const ui = await startUi();
    ui.dispatch(...group(), message('hello! 日本語 and 👩‍👩‍👧 work'), message('two lines\nin one message', CAROL));
    await ui.see('in one message');
    // Finished lines and what is below them may come in two writes.
    await ui.until('the status line at the end', () => ui.screen().at(-1) === STATUS);
    expect(ui.screen().slice(-7)).toEqual(
      [
        '12:00 -- bob joined (2 members)',
        '12:00 -- carol joined (3 members)',
        '12:00    bob  hello! 日本語 and 👩‍👩‍👧 work',
        '12:00  carol  two lines',
        '              in one message',
        '> ',
        STATUS,
      ].map((line) => line.trimEnd()),
    );
  });

  test('puts the real cursor where the text goes, also behind wide characters', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see(STATUS);
    ui.type('日本e\u0301👍');
    await ui.until('the cursor behind the text', () => ui.cursor().x === 2 + 4 + 1 + 2);
    expect(ui.screen()[ui.cursor().y]).toBe('> 日本e\u0301👍');
    ui.type('\u001b[D');
    await ui.until('the cursor before the emoji', () => ui.cursor().x === 2 + 4 + 1);
    // A new line of the chat must not lose it.
    ui.dispatch(message('meanwhile'));
    await ui.see('meanwhile');
    await ui.until('the cursor in the composer', () => ui.screen()[ui.cursor().y]?.startsWith('> 日本') === true);
    expect(ui.cursor().x).toBe(7);
  });

  test('keeps an own message in the live region until it is acknowledged', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see(STATUS);
    ui.type('sending this\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'sending this', session: 1 }]);
    ui.dispatch({ type: 'own', at: AT, key: 1, content: { payload: 'sending this' }, session: 1 });
    await ui.see('sending this ... queued');
    ui.dispatch({ type: 'delivery', at: AT, key: 1, session: 1, id: 1, state: 'sent', acked: [BOB], missing: [CAROL] });
    await ui.see('sending this ... 1/2');
    ui.dispatch({
      type: 'delivery',
      at: AT,
      key: 1,
      session: 1,
      id: 1,
      state: 'acked',
      acked: [BOB, CAROL],
      missing: [],
    });
    await ui.see('12:00  alice  sending this');
    expect(ui.transcript().filter((line) => line.includes('sending this'))).toEqual(['12:00  alice  sending this']);
  });

  test('says in a line of its own when a message did not get through', async () => {
    const ui = await startUi();
    ui.dispatch(
      ...group(),
      { type: 'own', at: AT, key: 1, content: { payload: 'the build?' }, session: 1 },
      {
        type: 'delivery',
        at: AT,
        key: 1,
        session: 1,
        id: 1,
        state: 'failed',
        reason: 'unacked',
        acked: [BOB],
        missing: [CAROL],
      },
    );
    await ui.see('12:00 !! not delivered to carol: "the build?"');
    await ui.see('1 undelivered');
  });

  test('breaks long lines below their text, for the width that the screen has by then', async () => {
    const ui = await startUi({ columns: 60 });
    const words = 'words that are more than a row of this screen can hold, and end';
    ui.dispatch(...group(), message(words));
    await ui.see('end');
    expect(ui.screen().join('\n')).toMatch(
      /bob {2}words that are more than a row of this screen\n {14}can hold, and end/,
    );
    ui.resize(100, 24);
    ui.dispatch(message(`again: ${words}`));
    await ui.see('again');
    ui.type('x');
    await ui.see('> x');
    ui.dispatch(message(`now: ${words}`));
    await ui.see(`bob  now: ${words}`);
  });

  test('clears the screen without losing anything', async () => {
    const ui = await startUi({ rows: 10 });
    ui.dispatch(...group(), ...Array.from({ length: 5 }, (_, index) => message(`line ${index}`)));
    await ui.see('line 4');
    ui.type('\u000c');
    await ui.until('an empty screen', () => ui.screen().length === 2);
    expect(ui.screen()).toEqual(['>', STATUS]);
    const lines = ui.transcript();
    for (let index = 0; index < 5; index += 1) {
      expect(lines).toContainEqual(expect.stringMatching(said('bob', `line ${index}`)));
    }
  });

  test('shows a participant that it waits, and the prompt with the first key', async () => {
    const ui = await startUi();
    ui.dispatch({
      type: 'ready',
      at: AT,
      local: ALICE,
      node: { endpoint: '127.0.0.1:46357', embedded: false },
      role: 'participant',
      channel: null,
      version: '0.1.0',
    });
    await ui.see('waiting for an invitation, 0:');
    expect(ui.screen().some((line) => line.startsWith('>'))).toBe(false);
    ui.type('hi');
    await ui.see('> hi');
    ui.type('\r');
    await ui.see('nobody is listening yet');
    expect(ui.executed).toEqual([]);
  });

  test('draws no colours when NO_COLOR asks for none, and some otherwise', async () => {
    const sgr = /\u001b\[[\d;]*[1-9][\d;]*m/;
    const plain = await startUi({ env: { NO_COLOR: '1' } });
    plain.dispatch(...group(), message('hello'));
    await plain.see('hello');
    expect(plain.output()).not.toMatch(sgr);
    const colored = await startUi();
    colored.dispatch(...group(), message('hello'));
    await colored.see('hello');
    expect(colored.output()).toMatch(sgr);
  });
});

describe('a small screen', () => {
  test('works at 20 columns and 6 rows', async () => {
    const ui = await startUi({ columns: 20, rows: 6 });
    ui.dispatch(...group(), message('hello'));
    await ui.see('hello');
    ui.type('a text that is far longer than the screen is wide and high, so that it is clipped');
    await ui.see('clipped');
    const rows = ui.screen();
    expect(rows.at(-1)).toMatch(/^chat-7q2k/);
    expect(rows.at(-2)).toMatch(/clipped$/);
    expect(ui.output()).not.toContain('\u001b[3J');
    expect(ui.output()).not.toContain('\u001b[2J');
  });

  test('leaves no debris when it goes from 200 to 20 to 80 columns', async () => {
    const ui = await startUi({ columns: 200 });
    ui.dispatch(...group(), ...Array.from({ length: 30 }, (_, index) => message(`line ${index}.`)));
    ui.type('typing');
    ui.dispatch(
      { type: 'own', at: AT, key: 1, content: { payload: 'y'.repeat(300) }, session: 1 },
      { type: 'delivery', at: AT, key: 1, session: 1, id: 1, state: 'queued', acked: [], missing: [BOB, CAROL] },
    );
    await ui.see('yyy... ... queued\n> typing\nchat-7q2k | 3 members');
    ui.resize(20, 24);
    await ui.see('yyyyyyyy ... queued\n> typing\nchat-7q2k | 3 me...');
    ui.resize(80, 24);
    await ui.see(`yyy... ... queued\n> typing\n${STATUS}`);
    const lines = ui.transcript();
    expect(lines.filter((line) => line.includes('yyy'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('typing'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('chat-7q2k |'))).toHaveLength(1);
    const numbers = lines.flatMap((line) => /line (\d+)\.$/.exec(line)?.[1] ?? []);
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => String(index)));
    expect(ui.output()).not.toContain('\u001b[3J');
  });

  test('never wipes the scrollback when the terminal becomes lower than the live region', async () => {
    const ui = await startUi({ rows: 24 });
    ui.dispatch(...group(), ...Array.from({ length: 30 }, (_, index) => message(`line ${index}`)));
    await ui.see('line 29');
    ui.type('one\\\rtwo\\\rthree\\\rfour\\\rfive\\\rsix');
    await ui.see('six');
    ui.resize(80, 4);
    ui.type('!');
    await ui.see('six!');
    ui.resize(80, 24);
    ui.type('?');
    await ui.see('six!?');
    expect(ui.output()).not.toContain('\u001b[3J');
    expect(ui.output()).not.toContain('\u001b[2J');
    expect(ui.transcript().filter((line) => line.endsWith('line 3'))).toHaveLength(1);
  });
});

describe('a lot at once', () => {
  test('prints a burst of 2 000 messages once each, in order, and answers to keys afterwards', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see(STATUS);
    for (let block = 0; block < 20; block += 1) {
      ui.dispatch(...Array.from({ length: 100 }, (_, index) => message(`m ${block * 100 + index}.`)));
    }
    ui.type('still here');
    await ui.see('m 1999.');
    await ui.see('> still here');
    const numbers = ui.transcript().flatMap((line) => /m (\d+)\.$/.exec(line)?.[1] ?? []);
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, index) => String(index)));
    expect(ui.output()).not.toContain('\u001b[3J');
  });
});
