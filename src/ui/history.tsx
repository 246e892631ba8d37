import { Static, Text, Transform } from 'ink';
import type { ReactElement } from 'react';

import type { ChatLine, LineLayout } from '../chat/index.js';
import { historyRows } from './history-rows.js';
import type { Paint } from './theme.js';

/** Props of {@link HistoryLine}. */
export interface HistoryLineProps {
  readonly line: ChatLine;
  readonly layout: LineLayout;
  readonly paint: Paint;
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

/** Props of {@link History}. */
export interface HistoryProps {
  /** Only ever grows at its end. */
  readonly lines: readonly ChatLine[];
  readonly layout: LineLayout;
  readonly paint: Paint;
}

/** The finished lines: each is printed once, into the scrollback of the terminal, and then belongs to the user. */
export function History({ lines, layout, paint }: HistoryProps): ReactElement {
  return (
    <Static items={[...lines]}>
      {(line) => <HistoryLine key={line.key} line={line} layout={layout} paint={paint} />}
    </Static>
  );
}
