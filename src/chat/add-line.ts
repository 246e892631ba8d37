import stringWidth from 'string-width';

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
}

/** The session the screen is about: the newest. */
export function currentSession(state: ChatState): SessionView | undefined {
  return state.sessions.at(-1);
}

/** What to call this app itself. */
export function ownLabel(state: ChatState): string {
  return state.local === '' ? 'you' : labelIn(currentSession(state), state.local);
}

/** The state with one more line, and a line for the day before it where a new day begins. */
export function addLine(state: ChatState, draft: Draft, at: string, { clock }: ChatOptions): ChatState {
  const day = clock.day(at);
  const base = { from: '', fromName: '' };
  let lines = state.lines;
  if (state.day !== '' && state.day !== day) lines = lines.append({ ...base, kind: 'info', time: '', text: day });
  lines = lines.append({ ...base, ...draft, time: clock.time(at) });
  return withNames({ ...state, lines, day }, [draft.from ?? '']);
}

/** The state with a name column that has room for these labels. */
export function withNames(state: ChatState, labels: readonly string[]): ChatState {
  const longest = Math.max(state.nameWidth, ...labels.map((label) => stringWidth(label)));
  const nameWidth = Math.min(MAX_NAME_WIDTH, longest);
  return nameWidth === state.nameWidth ? state : { ...state, nameWidth };
}

/** The state with bare lines added. */
export function addNotes(state: ChatState, texts: readonly string[]): ChatState {
  let lines = state.lines;
  for (const text of texts) lines = lines.append({ kind: 'note', time: '', from: '', fromName: '', text });
  return { ...state, lines };
}

/** Which group a line is about, when the screen is about another one. */
export function groupPrefix(state: ChatState, session: SessionView | undefined): string {
  if (session === undefined || session.id === currentSession(state)?.id) return '';
  return `[${shortName(session.channel)}] `;
}
