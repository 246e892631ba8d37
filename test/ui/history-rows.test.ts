import { describe, expect, test } from 'vitest';

import { type ChatLine } from '../../src/chat/index.js';
import { historyRows } from '../../src/ui/history-rows.js';
import { makePaint, nameStyle, wantsColor } from '../../src/ui/theme.js';

const layout = { nameWidth: 6, columns: 80 };
const plain = makePaint(false);
const colored = makePaint(true);

function line(change: Partial<ChatLine>): ChatLine {
  return {
    key: 0,
    kind: 'chat',
    time: '12:01',
    from: 'bob',
    fromName: 'agntcy/ns/bob/41d0',
    text: 'hello',
    ...change,
  };
}

describe('finished lines', () => {
  test('have a column for names and an indent for the lines below', () => {
    expect(historyRows(line({ text: 'two lines\nof text' }), layout, plain)).toEqual([
      '12:01     bob  two lines',
      '               of text',
    ]);
  });

  test('have no column for names on a narrow screen', () => {
    expect(historyRows(line({}), { ...layout, columns: 40 }, plain)).toEqual(['12:01 bob: hello']);
  });

  test('mark events, alerts and bare text', () => {
    const bare = { from: '', fromName: '' };
    expect(historyRows(line({ ...bare, kind: 'info', text: 'bob joined' }), layout, plain)).toEqual([
      '12:01 -- bob joined',
    ]);
    expect(historyRows(line({ ...bare, kind: 'alert', text: 'gone' }), layout, plain)).toEqual(['12:01 !! gone']);
    expect(historyRows(line({ ...bare, kind: 'note', text: 'note' }), layout, plain)).toEqual(['note']);
  });

  test('are broken as the layout says, with colours as without', () => {
    const narrow = { nameWidth: 6, columns: 20 };
    const text = 'words that are more than a row';
    expect(historyRows(line({ text }), narrow, plain)).toEqual([
      '12:01 bob: words',
      '      that are more',
      '      than a row',
    ]);
    const name = 'a-name-that-is-longer-than-a-row';
    for (const long of [line({ text }), line({ text, from: name })]) {
      const rows = historyRows(long, narrow, colored).map((row) => row.replace(/\u001b\[[\d;]*m/g, ''));
      expect(rows).toEqual(historyRows(long, narrow, plain));
    }
  });

  test('say the same with colours as without', () => {
    for (const kind of ['chat', 'own', 'info', 'alert', 'note'] as const) {
      const rows = historyRows(line({ kind, text: 'a\nb' }), layout, colored);
      const stripped = rows.map((row) => row.replace(/\u001b\[[\d;]*m/g, ''));
      expect(stripped).toEqual(historyRows(line({ kind, text: 'a\nb' }), layout, plain));
    }
    expect(historyRows(line({}), layout, colored).join('')).toContain('\u001b[');
  });
});

describe('colours', () => {
  test('are the same for the same name, and several for several', () => {
    const names = Array.from({ length: 100 }, (_, index) => `org/ns/user${index}`);
    const colors = names.map((name) => nameStyle(name, false).color);
    expect(names.map((name) => nameStyle(name, false).color)).toEqual(colors);
    expect(new Set(colors).size).toBe(12);
  });

  test('do not depend on the id, which changes with every start', () => {
    const [first] = historyRows(line({ fromName: 'agntcy/ns/bob/1' }), layout, colored);
    const [second] = historyRows(line({ fromName: 'agntcy/ns/bob/2' }), layout, colored);
    expect(first).toBe(second);
  });

  test('show the own name bold', () => {
    expect(nameStyle('a/b/c', true).bold).toBe(true);
    expect(nameStyle('a/b/c', false).bold).toBe(false);
  });

  test('are left out where the environment says so', () => {
    expect(wantsColor({ TERM: 'xterm' })).toBe(true);
    expect(wantsColor({ NO_COLOR: '' })).toBe(true);
    expect(wantsColor({ NO_COLOR: '1' })).toBe(false);
    expect(wantsColor({ FORCE_COLOR: '0' })).toBe(false);
    expect(wantsColor({ TERM: 'dumb' })).toBe(false);
  });
});
