const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const PART = /(\d+)(ns|us|ms|s|m|h|d)/y;

/**
 * Reads a duration as SLIM's configuration writes it: numbers with units in a row, such as `10s`, `500ms`, `1m30s`.
 *
 * @returns milliseconds, rounded up to whole ones so that nothing above zero becomes "none"; `undefined` if it is no duration
 */
export function parseDuration(text: string): number | undefined {
  let totalMs = 0;
  PART.lastIndex = 0;
  let end = 0;
  while (end < text.length) {
    const part = PART.exec(text);
    if (!part) return undefined;
    totalMs += Number(part[1]) * (UNITS_MS[part[2] ?? ''] ?? Number.NaN);
    end = PART.lastIndex;
  }
  return end > 0 && Number.isSafeInteger(Math.ceil(totalMs)) ? Math.ceil(totalMs) : undefined;
}
