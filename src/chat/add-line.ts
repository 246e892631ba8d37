import { widthOf } from './columns.js';
import { shortName } from './display-name.js';
import type { LineKind } from './line-log.js';
import type { ChatOptions, ChatState, SessionView } from './state.js';
import { labelIn } from './words.js';

const MAX_NAME_WIDTH = 12;

/** A line before it has a place in the log. `text` must be safe for a terminal. */
export interface Draft {
  readonly kind: LineKind;
  readonly text: string;
  readonly from?: string;
  readonly fromName?: string;
  /**
   * The session that it is about. The name of its channel stands in front, unless it is the one on the screen: before the author,
   * because whoever writes a message can begin it with any words.
   */
  readonly about?: SessionView | undefined;
}

/** The state with one more line, and a line for the day before it where a new day begins. */
export function addLine(state: ChatState, draft: Draft, at: string, { clock, keepsLines }: ChatOptions): ChatState {
  if (!keepsLines) return state;
  const day = clock.day(at);
  const { about, text, ...rest } = draft;
  const base = { from: '', fromName: '' };
  let lines = state.lines;
  if (state.day !== '' && state.day !== day) lines = lines.append({ ...base, kind: 'info', time: '', text: day });
  const prefix = about === undefined || about.id === state.activeSession ? '' : `[${shortName(about.channel)}] `;
  const { from } = draft;
  const marked = from === undefined ? { text: `${prefix}${text}` } : { text, from: `${prefix}${from}` };
  lines = lines.append({ ...base, ...rest, ...marked, time: clock.time(at) });
  return withNames({ ...state, lines, day }, [draft.from ?? '']);
}

/** The session on the screen. */
export function activeSession(state: ChatState): SessionView | undefined {
  return sessionOf(state, state.activeSession);
}

/** The session of this id. */
export function sessionOf(state: ChatState, id: number | null): SessionView | undefined {
  return state.sessions.find((session) => session.id === id);
}

/** What to call this app itself. */
export function ownLabel(state: ChatState): string {
  return state.local === '' ? 'you' : labelIn(activeSession(state), state.local);
}

/** The state with a name column that has room for these labels. */
export function withNames(state: ChatState, labels: readonly string[]): ChatState {
  const longest = Math.max(state.nameWidth, ...labels.map(widthOf));
  const nameWidth = Math.min(MAX_NAME_WIDTH, longest);
  return nameWidth === state.nameWidth ? state : { ...state, nameWidth };
}

/** The state with bare lines added. */
export function addNotes(state: ChatState, texts: readonly string[], { keepsLines }: ChatOptions): ChatState {
  if (!keepsLines) return state;
  let lines = state.lines;
  for (const text of texts) lines = lines.append({ kind: 'note', time: '', from: '', fromName: '', text });
  return { ...state, lines };
}
