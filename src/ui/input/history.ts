/** What was sent before, and where in it the user is looking. */
export interface History {
  /** Oldest first. */
  readonly entries: readonly string[];
  /** Index of the entry on show; the number of entries while the user writes something new. */
  readonly position: number;
  /** What the user was writing before looking back. */
  readonly draft: string;
}

/** How many entries are kept. */
export const HISTORY_LIMIT = 500;

/** A history without entries. */
export const emptyHistory: History = { entries: [], position: 0, draft: '' };

/** Adds a line that was sent. The same line twice in a row counts once; looking back ends. */
export function remember(history: History, line: string): History {
  const { entries } = history;
  const next = entries.at(-1) === line ? entries : [...entries, line].slice(-HISTORY_LIMIT);
  return { entries: next, position: next.length, draft: '' };
}

/**
 * Goes one entry back.
 *
 * @param current - what stands in the composer, kept as the draft when looking back begins
 * @returns the text to show, or `undefined` at the oldest entry
 */
export function older(history: History, current: string): { history: History; text: string } | undefined {
  const position = history.position - 1;
  const text = history.entries[position];
  if (text === undefined) return undefined;
  const draft = history.position === history.entries.length ? current : history.draft;
  return { history: { ...history, position, draft }, text };
}

/**
 * Goes one entry forward, at the end to what the user was writing.
 *
 * @returns the text to show, or `undefined` when not looking back
 */
export function newer(history: History): { history: History; text: string } | undefined {
  if (history.position >= history.entries.length) return undefined;
  const position = history.position + 1;
  return { history: { ...history, position }, text: history.entries[position] ?? history.draft };
}
