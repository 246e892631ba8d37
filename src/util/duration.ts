/**
 * Reads a duration: numbers with units in a row, such as `10s`, `1.5s`, `500ms` or `1m30s`; the units are `ns`, `us`, `ms`, `s`,
 * `m`, `h` and `d`. A superset of what SLIM's configuration takes.
 *
 * @returns milliseconds, rounded up to whole ones so that nothing above zero becomes "none"; `undefined` if it is no duration
 */
export function parseDuration(text: string): number | undefined {
  let totalMs = 0;
  let end = 0;
  PART.lastIndex = 0;
  while (end < text.length) {
    const part = PART.exec(text);
    if (part === null) return undefined;
    totalMs += Number(part[1]) * (UNITS_MS[part[2] ?? ''] ?? Number.NaN);
    end = PART.lastIndex;
  }
  // 0.07 s are 70.00000000000001 ms in floating point, which are no 71.
  const wholeMs = Math.ceil(Number(totalMs.toFixed(6)));
  return end > 0 && Number.isSafeInteger(wholeMs) ? wholeMs : undefined;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const PART = /(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)/y;
