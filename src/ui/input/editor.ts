import { assertNever } from '../../util/index.js';
import { cleanText } from './clean-text.js';
import { GraphemeEdges } from './graphemes.js';
import { endOfLine, lineMove, startOfLine, wordEnd, wordStart } from './motions.js';

/** How many killed texts Alt+Y can go back to. */
const KILL_RING_LIMIT = 32;
/** Longest text the editor takes, in UTF-16 units; what does not fit is not inserted. */
export const TEXT_LIMIT = 1024 * 1024;

/** Where a killed text was put back, and which one it was. */
export interface Yanked {
  readonly from: number;
  readonly to: number;
  readonly ringIndex: number;
}

/** A text that is being written. `cursor` is a UTF-16 index and always stands on the edge of a grapheme. */
export interface EditorState {
  readonly text: string;
  readonly cursor: number;
  /** Killed texts, youngest last. */
  readonly kills: readonly string[];
  /** What the last action was, where the next one depends on it. */
  readonly last: 'kill' | 'other' | Yanked;
}

/** What can be done to the text; the names are those of readline. */
export type EditorAction =
  | { readonly kind: 'insert'; readonly text: string }
  /** Replaces everything, cursor at the end unless it says where. */
  | { readonly kind: 'replace'; readonly text: string; readonly cursor?: number }
  | {
      readonly kind:
        | 'left'
        | 'right'
        | 'word-left'
        | 'word-right'
        | 'line-start'
        | 'line-end'
        | 'line-up'
        | 'line-down'
        | 'delete-left'
        | 'delete-right'
        | 'kill-all'
        | 'kill-to-line-end'
        | 'kill-to-line-start'
        | 'kill-word-left'
        | 'kill-word-right'
        | 'kill-blank-word-left'
        | 'yank'
        | 'yank-pop'
        | 'transpose';
    };

/** An editor with nothing in it. */
export const emptyEditor: EditorState = { text: '', cursor: 0, kills: [], last: 'other' };

/** Puts `inserted` in place of a range. What stands around it may join with it to one grapheme, so the cursor is snapped. */
function splice(state: EditorState, from: number, to: number, inserted: string): EditorState {
  const text = state.text.slice(0, from) + inserted + state.text.slice(to);
  return { ...state, text, cursor: new GraphemeEdges(text).snap(from + inserted.length), last: 'other' };
}

function moveTo(state: EditorState, cursor: number): EditorState {
  return { ...state, cursor: new GraphemeEdges(state.text).snap(cursor), last: 'other' };
}

/** Kills one after the other in one direction are yanked as one text. */
function kill(state: EditorState, from: number, to: number): EditorState {
  if (from === to) return { ...state, last: 'other' };
  const killed = state.text.slice(from, to);
  const kills = [...state.kills];
  const previous = state.last === 'kill' ? kills.pop() : undefined;
  kills.push(to > state.cursor ? (previous ?? '') + killed : killed + (previous ?? ''));
  return { ...splice(state, from, to, ''), kills: kills.slice(-KILL_RING_LIMIT), last: 'kill' };
}

function yank(state: EditorState): EditorState {
  const ringIndex = state.kills.length - 1;
  const killed = state.kills[ringIndex];
  if (killed === undefined) return state;
  const next = insert(state, killed);
  const from = state.cursor;
  return next.text === state.text ? next : { ...next, last: { from, to: from + killed.length, ringIndex } };
}

/** Right after a yank: the killed text before that one instead. */
function yankPop(state: EditorState): EditorState {
  if (typeof state.last === 'string') return state;
  const { from, to } = state.last;
  const ringIndex = (state.last.ringIndex + state.kills.length - 1) % state.kills.length;
  const killed = state.kills[ringIndex] ?? '';
  return { ...splice(state, from, to, killed), last: { from, to: from + killed.length, ringIndex } };
}

function insert(state: EditorState, text: string): EditorState {
  const clean = cleanText(text);
  if (state.text.length + clean.length > TEXT_LIMIT) return state;
  return splice(state, state.cursor, state.cursor, clean);
}

/** Swaps the graphemes around the cursor; at the end of a line, the two before it. */
function transpose(state: EditorState): EditorState {
  const edges = new GraphemeEdges(state.text);
  const { text } = state;
  const atEnd = state.cursor === endOfLine(text, state.cursor);
  const middle = atEnd ? edges.before(state.cursor) : state.cursor;
  const from = edges.before(middle);
  const to = edges.after(middle);
  if (middle <= startOfLine(text, state.cursor) || from === middle || to === middle) return { ...state, last: 'other' };
  return splice(state, from, to, text.slice(middle, to) + text.slice(from, middle));
}

/** Ctrl+K at the end of a line takes the newline, as in Emacs. */
function killToLineEnd(state: EditorState): EditorState {
  const end = endOfLine(state.text, state.cursor);
  return kill(state, state.cursor, end === state.cursor ? Math.min(end + 1, state.text.length) : end);
}

function killToLineStart(state: EditorState): EditorState {
  const start = startOfLine(state.text, state.cursor);
  return kill(state, start === state.cursor ? Math.max(0, start - 1) : start, state.cursor);
}

/** Everything, as one text of its own in the kill ring. */
function killAll(state: EditorState): EditorState {
  return kill({ ...state, last: 'other' }, 0, state.text.length);
}

/** Applies one action. Pure. What an action cannot do, for want of text or of room, leaves the state as it is. */
export function edit(state: EditorState, action: EditorAction): EditorState {
  const { text, cursor } = state;
  switch (action.kind) {
    case 'insert':
      return insert(state, action.text);
    case 'replace': {
      const clean = cleanText(action.text);
      return moveTo({ ...state, text: clean }, action.cursor ?? clean.length);
    }
    case 'left':
      return moveTo(state, new GraphemeEdges(text).before(cursor));
    case 'right':
      return moveTo(state, new GraphemeEdges(text).after(cursor));
    case 'word-left':
      return moveTo(state, wordStart(text, cursor, 'word'));
    case 'word-right':
      return moveTo(state, wordEnd(text, cursor));
    case 'line-start':
      return moveTo(state, startOfLine(text, cursor));
    case 'line-end':
      return moveTo(state, endOfLine(text, cursor));
    case 'line-up':
      return moveTo(state, lineMove(text, cursor, 'up') ?? cursor);
    case 'line-down':
      return moveTo(state, lineMove(text, cursor, 'down') ?? cursor);
    case 'delete-left':
      return splice(state, new GraphemeEdges(text).before(cursor), cursor, '');
    case 'delete-right':
      return splice(state, cursor, new GraphemeEdges(text).after(cursor), '');
    case 'kill-all':
      return killAll(state);
    case 'kill-to-line-end':
      return killToLineEnd(state);
    case 'kill-to-line-start':
      return killToLineStart(state);
    case 'kill-word-left':
      return kill(state, wordStart(text, cursor, 'word'), cursor);
    case 'kill-blank-word-left':
      return kill(state, wordStart(text, cursor, 'blank'), cursor);
    case 'kill-word-right':
      return kill(state, cursor, wordEnd(text, cursor));
    case 'yank':
      return yank(state);
    case 'yank-pop':
      return yankPop(state);
    case 'transpose':
      return transpose(state);
    default:
      return assertNever(action);
  }
}
