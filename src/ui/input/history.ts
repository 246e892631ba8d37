/** What was sent before, and where in it the user is looking. */
export interface History {
  /** Oldest first. */
  readonly entries: readonly string[];
  /** Index of the entry on show; the number of entries while the user writes something new. */
  readonly position: number;
  /** What the user has written at a position and left there, where it is not the entry itself. */
  readonly drafts: ReadonlyMap<number, string>;
}

/** How many entries are kept. */
export const HISTORY_LIMIT = 500;

const NO_DRAFTS: ReadonlyMap<number, string> = new Map();

/** A history without entries. */
export const emptyHistory: History = { entries: [], position: 0, drafts: NO_DRAFTS };

/**
 * Adds a line that was sent, or given up. The same line twice in a row counts once; looking back ends. What the user had begun to
 * write before he looked back is kept as an entry before the line.
 */
export function remember(history: History, line: string): History {
  const { entries, position, drafts } = history;
  const begun = position < entries.length ? (drafts.get(entries.length) ?? '') : '';
  const next = withEntry(withEntry(entries, begun), line).slice(-HISTORY_LIMIT);
  return { entries: next, position: next.length, drafts: NO_DRAFTS };
}

function withEntry(entries: readonly string[], line: string): readonly string[] {
  return line.trim() === '' || entries.at(-1) === line ? entries : [...entries, line];
}

/** Goes to another position and leaves there what the composer holds. */
function moveTo(history: History, position: number, current: string): { history: History; text: string } {
  const drafts = new Map(history.drafts);
  if (current === (history.entries[history.position] ?? '')) drafts.delete(history.position);
  else drafts.set(history.position, current);
  return { history: { ...history, position, drafts }, text: drafts.get(position) ?? history.entries[position] ?? '' };
}

/**
 * Goes one entry back.
 *
 * @param current - what stands in the composer; it is found there again on the way forward
 * @returns the text to show, or `undefined` at the oldest entry
 */
export function older(history: History, current: string): { history: History; text: string } | undefined {
  return history.position === 0 ? undefined : moveTo(history, history.position - 1, current);
}

/**
 * Goes one entry forward, at the end to what the user was writing.
 *
 * @param current - what stands in the composer; it is found there again on the way back
 * @returns the text to show, or `undefined` when not looking back
 */
export function newer(history: History, current: string): { history: History; text: string } | undefined {
  return history.position >= history.entries.length ? undefined : moveTo(history, history.position + 1, current);
}
