import { Box, Text } from 'ink';
import type { ReactElement } from 'react';

import type { LiveRow, LiveRowKind } from './live-layout.js';
import { type Paint, type Style, THEME } from './theme.js';

const STYLES: Readonly<Record<LiveRowKind, Style>> = {
  pending: THEME.pending,
  notice: THEME.notice,
  composer: {},
  status: THEME.status,
};

/** Props of {@link LiveRegion}. */
export interface LiveRegionProps {
  readonly rows: readonly LiveRow[];
  readonly paint: Paint;
}

/** The rows at the bottom that change. Each is one row of the screen, whatever Ink thinks of its width. */
export function LiveRegion({ rows, paint }: LiveRegionProps): ReactElement {
  return (
    <Box flexDirection="column">
      {rows.map(({ kind, text }, index) => (
        <Text key={index} wrap="truncate-end">
          {/* Ink gives a row without text no height. */}
          {text === '' ? ' ' : paint(text, STYLES[kind])}
        </Text>
      ))}
    </Box>
  );
}
