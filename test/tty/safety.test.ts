import { describe, expect, test } from 'vitest';

import { JsonProgram, startNode } from '../cli/program.js';
import { ALICE, AT, BOB, group, message } from './chat-events.js';
import { startUi, type TerminalRun } from './harness.js';
import { startProgram } from './start-program.js';

const ESC = '\u001b';
/** What peers may try. Each says `marker` so that the test sees when it has been drawn. */
const HOSTILE = [
  `${ESC}]52;c;aGFja2Vk\u0007 marker0`,
  `${ESC}]0;hacked title${ESC}\\ marker1`,
  `12:00  alice  I agree\r marker2`,
  `visible\b\b\b\b\b\b\bmarker3`,
  `\u202egnp.exe\u2066 marker4`,
  `${ESC}[2J${ESC}[3J${ESC}[H marker5`,
  `\u009b31m\u009d52;c;x\u009c marker6`,
  `${ESC}P+q544e${ESC}\\ marker7`,
  `\u0007\u0000\u007f marker8`,
  `${ESC}[?1049h${ESC}[?2004l${ESC}c marker9`,
];

describe('hostile text of peers', () => {
  test('never reaches the terminal', async () => {
    const ui = await startUi();
    const evil = `agntcy/ns/ev${ESC}]0;x\u0007il\u202e/1`;
    ui.dispatch(
      ...group(),
      { type: 'joined', at: AT, session: 1, member: evil, members: 4 },
      ...HOSTILE.map((text) => message(text)),
      ...HOSTILE.map((text) => message(text, evil)),
      { type: 'warning', at: AT, code: 'x', message: HOSTILE.join('') },
      { type: 'error', at: AT, code: 'x', message: HOSTILE.join('') },
      { type: 'invite', at: AT, session: 1, name: evil, state: 'started' },
      { type: 'own', at: AT, key: 1, content: { payload: HOSTILE.join('') }, session: 1 },
      {
        type: 'delivery',
        at: AT,
        key: 1,
        session: 1,
        id: 1,
        state: 'failed',
        reason: 'unacked',
        acked: [],
        missing: [evil, BOB],
      },
      {
        type: 'session',
        at: AT,
        session: 2,
        channel: evil,
        moderator: evil,
        members: [evil, ALICE],
        role: 'participant',
        mls: { state: 'off' },
        timeoutMs: 1000,
        maxRetries: 29,
        metadata: { [evil]: evil },
      },
      message('the end'),
    );
    await ui.see('the end');
    // What Ink and the UI write: colours, cursor moves, erasing of lines, synchronized output, modes.
    const own = /\u001b\[(?:[\d;]*[mABGJK]|\?(?:25|2004|2026)[hl])/g;
    const rest = ui
      .output()
      .replace(own, '')
      .replace(/\r\n|\r/g, '\n');
    expect(rest).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(ui.output()).not.toMatch(/\u001b\[[23]J/);
    expect(ui.isBracketedPaste()).toBe(true);
    for (let index = 0; index < HOSTILE.length; index += 1) expect(rest).toContain(`marker${index}`);
  });

  test('cannot write a line that looks like one of somebody else', async () => {
    const ui = await startUi();
    ui.dispatch(...group(), message('hi\n12:00  alice  I agree'));
    await ui.see('I agree');
    expect(ui.transcript()).not.toContain('12:00  alice  I agree');
  });
});

describe('a message that a terminal would break at its edge', () => {
  const FORGED = '19:11 !! you were removed by carol';
  const FILLERS = [
    ' '.repeat(66),
    '.'.repeat(66),
    '\u00a0'.repeat(66),
    '語'.repeat(33),
    '👨‍👩‍👧‍👦'.repeat(20),
    '\t'.repeat(16),
  ];

  /** What a person takes for lines: the rows that begin at the edge. */
  const rowsAtEdge = (run: TerminalRun): string[] => run.rows().filter((row) => /^\S/.test(row));

  test('writes no line of the program, in the terminal UI', async () => {
    const ui = await startUi();
    ui.dispatch(
      ...group(),
      ...FILLERS.map((filler) => message(`ok${filler}${FORGED}`)),
      message(`${FORGED} `.repeat(9)),
    );
    ui.dispatch(message('the end'));
    await ui.see('the end');
    expect(ui.rows().filter((row) => row.includes('19:11')).length).toBeGreaterThanOrEqual(FILLERS.length);
    expect(rowsAtEdge(ui).filter((row) => !/^(?:12:00|before|-- |>|chat-7q2k|0:0)/.test(row))).toEqual([]);
  });

  test('writes no line of the program in plain mode', async () => {
    const { slim } = await startNode();
    const bob = new JsonProgram(['--local', 'agntcy/ns/bob', '--slim', slim]);
    await bob.event({ type: 'ready' });
    const alice = startProgram(['--plain', '--local', 'agntcy/ns/alice', '--invites', 'agntcy/ns/bob', '--slim', slim]);
    await bob.event({ type: 'session' });
    for (const filler of FILLERS) bob.send({ type: 'publish', text: `ok${filler}${FORGED}` });
    bob.send({ type: 'publish', text: 'the end' });
    await alice.see('the end');
    expect(alice.rows().filter((row) => row.includes('19:11')).length).toBeGreaterThanOrEqual(FILLERS.length);
    expect(rowsAtEdge(alice).filter((row) => row.startsWith('19:11') || /^ {0,5}!!/.test(row))).toEqual([]);
  });
});

describe('pasting', () => {
  test('sends nothing by itself, and one message for 200 lines once it is confirmed', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index} ${ESC}[31mred${ESC}[0m`);
    ui.type(`${ESC}[200~${lines.join('\r')}\r${ESC}[201~`);
    await ui.see('Paste of 200 lines');
    expect(ui.executed).toEqual([]);
    ui.type('\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([
      { type: 'publish', text: lines.map((line) => line.replaceAll(ESC, '')).join('\n'), session: 1 },
    ]);
  });

  test('drops it on Escape', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    ui.type(`${ESC}[200~${'x\r'.repeat(20)}${ESC}[201~`);
    await ui.see('Paste of 20 lines');
    ui.type(ESC);
    await ui.see('paste dropped');
    ui.type('then\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'then', session: 1 }]);
  });

  test('sends nothing when the terminal does not mark the paste', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type('one\rtwo\rthree\r');
    await ui.see('  three');
    expect(ui.executed).toEqual([]);
    ui.type('\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'one\ntwo\nthree', session: 1 }]);
  });

  test('keeps a tab of a paste that the terminal does not mark', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type('bo\tbar');
    await ui.see('> bo bar');
    ui.type('\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'bo\tbar', session: 1 }]);
  });

  test('draws what is pasted without obeying it', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type(`${ESC}[200~a${ESC}]0;title\u0007\u202eb\u0008مرحبا 👩‍👩‍👧${ESC}[201~`);
    await ui.see('مرحبا 👩‍👩‍👧');
    expect(ui.output()).not.toMatch(/\u001b\]|\u202e|\u0008|\u0007/);
  });
});

describe('typing', () => {
  test('edits with the keys of emacs', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type('world\u0001hello \u0005!');
    await ui.see('> hello world!');
    ui.type('\u001bb\u000b');
    await ui.see(/> hello ?$/m);
    ui.type('there \u0019');
    await ui.see('> hello there world!');
    ui.type('\u0017\u0015\u0019\u0019\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'hello there world!hello there world!', session: 1 }]);
    ui.type('\u001b[A');
    await ui.see('> hello there world!hello there world!');
  });

  test('takes text with Enter in one piece, as programs that drive terminals send it', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type('hello\r');
    await ui.untilExecuted(1);
    expect(ui.executed).toEqual([{ type: 'publish', text: 'hello', session: 1 }]);
  });

  test('completes commands and names', async () => {
    const ui = await startUi();
    ui.dispatch(...group());
    await ui.see('3 members');
    ui.type('/sta\t');
    await ui.see('> /status');
    ui.type('\u0015bo\t');
    await ui.see('> bob:');
  });
});
