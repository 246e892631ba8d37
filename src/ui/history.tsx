import { Static, Text, Transform } from 'ink';
import { type ReactElement, useEffect, useMemo } from 'react';

import type { ChatLine, LineLayout, LineLog } from '../chat/index.js';
import { historyRows } from './history-rows.js';
import type { Paint } from './theme.js';

/** Props of {@link HistoryLine}. */
export interface HistoryLineProps {
  readonly line: ChatLine;
  readonly layout: LineLayout;
  readonly paint: Paint;
}

/** Props of {@link History}. */
export interface HistoryProps {
  /** Only ever grows at its end. */
  readonly log: LineLog;
  readonly layout: LineLayout;
  readonly paint: Paint;
  /** Told when the lines before a key are printed. */
  readonly onPrinted: (before: number) => void;
}

/** The finished lines: each is printed once, into the scrollback of the terminal, and then belongs to the user. */
export function History({ log, layout, paint, onPrinted }: HistoryProps): ReactElement {
  const items = useMemo(() => new LinesFrom(log) as unknown as ChatLine[], [log]);
  useEffect(() => {
    onPrinted(log.end);
  }, [log, onPrinted]);
  return (
    <Static items={items}>{(line) => <HistoryLine key={line.key} line={line} layout={layout} paint={paint} />}</Static>
  );
}

/**
 * One finished line, printed without wrapping.
 *
 * Ink breaks what is wider than the terminal into lines of its own. So it gets one blank for each row to lay out, and the row itself
 * in the last step, when the output is already cut into rows.
 */
export function HistoryLine({ line, layout, paint }: HistoryLineProps): ReactElement {
  const rows = historyRows(line, layout, paint);
  return (
    <Transform transform={(_blank, index) => rows[index] ?? ''}>
      <Text>{rows.map(() => ' ').join('\n')}</Text>
    </Transform>
  );
}

/**
 * What Ink's `Static` reads of an array, over a log: its length, and what is behind a place. Arrays of all lines, made anew for each
 * line, would be most of the memory of a long chat.
 */
class LinesFrom {
  readonly length: number;
  readonly #log: LineLog;

  constructor(log: LineLog) {
    this.#log = log;
    this.length = log.end;
  }

  slice(from: number): readonly ChatLine[] {
    return this.#log.since(from);
  }
}
