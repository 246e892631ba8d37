import { UsageError } from '../util/index.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a duration: a number of milliseconds, or a number with `ms`, `s`, `m` or `h`.
 *
 * @returns whole milliseconds
 * @throws UsageError `invalid-option`, naming the option
 */
export function parseDuration(text: string, option: string): number {
  const match = /^(?<number>\d{1,9}(?:\.\d{1,3})?)(?<unit>ms|s|m|h|)$/.exec(text.trim());
  const factor = UNITS[match?.groups?.['unit'] ?? 'none'];
  if (match === null || factor === undefined) {
    throw new UsageError(
      'invalid-option',
      `${option} takes a duration such as 5s, 500ms or 2m, got ${JSON.stringify(text)}.`,
    );
  }
  return Math.round(Number(match.groups?.['number']) * factor);
}
