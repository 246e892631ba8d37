import { parseDuration, UsageError } from '../util/index.js';

/**
 * Reads the duration of an option: as everywhere, or a number alone, which means milliseconds.
 *
 * @returns whole milliseconds
 * @throws UsageError `invalid-option`, naming the option
 */
export function readDuration(text: string, option: string): number {
  const trimmed = text.trim();
  const ms = parseDuration(/^\d+$/.test(trimmed) ? `${trimmed}ms` : trimmed);
  if (ms !== undefined) return ms;
  throw new UsageError(
    'invalid-option',
    `${option} takes a duration such as 5s, 500ms or 2m, got ${JSON.stringify(text)}.`,
  );
}
