import { render } from 'ink-testing-library';
import { describe, expect, test } from 'vitest';

import { LineLog } from '../../src/chat/line-log.js';
import { History } from '../../src/ui/history.js';
import { LiveRegion } from '../../src/ui/live-region.js';
import { makePaint } from '../../src/ui/theme.js';

const paint = makePaint(false);
const layout = { nameWidth: 5, columns: 100 };

function log(...texts: readonly string[]): LineLog {
  return texts.reduce(
    (lines, text) => lines.append({ kind: 'chat', time: '12:00', from: 'alice', fromName: 'a/b/alice/1', text }),
    LineLog.empty(),
  );
}

function history(lines: LineLog, onPrinted: (before: number) => void = () => {}) {
  return <History log={lines} layout={layout} paint={paint} onPrinted={onPrinted} />;
}

describe('History', () => {
  test('prints each line once, below the others', () => {
    const printed: number[] = [];
    const onPrinted = (before: number): void => void printed.push(before);
    const { rerender, lastFrame } = render(history(log('one'), onPrinted));
    rerender(history(log('one', 'two\nlines', 'three'), onPrinted));
    expect(lastFrame()?.split('\n').slice(0, 4)).toEqual([
      '12:00  alice  one',
      '12:00  alice  two',
      '              lines',
      '12:00  alice  three',
    ]);
    expect(printed).toEqual([1, 3]);
  });

  test('goes on after the log has forgotten what was printed', () => {
    const { rerender, lastFrame } = render(history(log('one', 'two')));
    const forgotten = log('one', 'two').dropBefore(2);
    rerender(history(forgotten));
    rerender(history(forgotten.append({ kind: 'note', time: '', from: '', fromName: '', text: 'three' })));
    expect(lastFrame()?.trimEnd()).toBe('12:00  alice  one\n12:00  alice  two\nthree');
  });

  test('breaks what is wider than the screen as it is laid out, and no further', () => {
    const rows = render(history(log('x'.repeat(200))))
      .lastFrame()
      ?.split('\n');
    expect(rows?.slice(0, 3)).toEqual([
      `12:00  alice  ${'x'.repeat(85)}`,
      `              ${'x'.repeat(85)}`,
      `              ${'x'.repeat(30)}`,
    ]);
  });

  test('keeps characters of several code points whole', () => {
    const text = '日本語 👩‍👩‍👧 e\u0301 مرحبا 🇩🇪';
    expect(
      render(history(log(text)))
        .lastFrame()
        ?.split('\n')[0],
    ).toBe(`12:00  alice  ${text}`);
  });
});

describe('LiveRegion', () => {
  test('gives each row a row, also one without text', () => {
    const { lastFrame } = render(
      <LiveRegion
        rows={[
          { kind: 'notice', text: '' },
          { kind: 'composer', text: '> hi' },
          { kind: 'status', text: 'status' },
        ]}
        paint={paint}
      />,
    );
    expect(lastFrame()).toBe('\n> hi\nstatus');
  });

  test('is empty without rows', () => {
    expect(render(<LiveRegion rows={[]} paint={paint} />).lastFrame()).toBe('');
  });
});
