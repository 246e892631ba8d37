import type { FaceCommand, ParsedInput } from '../chat/index.js';
import { assertNever } from '../util/index.js';
import {
  complete,
  edit,
  type EditorAction,
  type EditorState,
  emptyEditor,
  emptyHistory,
  type History,
  type InputEvent,
  lineMove,
  newer,
  older,
  remember,
  type Vocabulary,
} from './input/index.js';
import { commandOf, type KeyCommand } from './keymap.js';

/** A paste with more lines than this is asked about. */
export const PASTE_LINES = 10;
/** A paste with more UTF-16 units than this is asked about, too. */
export const PASTE_LENGTH = 5000;

/** Everything between the keyboard and a finished line. Immutable. */
export interface ComposerState {
  readonly editor: EditorState;
  readonly history: History;
  /** A paste that is only sent if the user says so, and what he is asked. */
  readonly askedPaste: { readonly text: string; readonly question: string } | undefined;
  /** A word to the user, shown until the next key. */
  readonly notice: string | undefined;
  /** The line that was answered with a hint; the same line again is meant. */
  readonly hintedLine: string | undefined;
  /** Whether the next Ctrl+C leaves. */
  readonly isArmed: boolean;
  /** The session that was on the screen when the first character of the text was typed; null if none was. */
  readonly startedIn: number | null;
}

/** What the composer must know of the chat around it. */
export interface ComposerContext {
  /** Understands a line; `isConfirmed`: it was hinted at before. */
  readonly parse: (line: string, isConfirmed: boolean) => ParsedInput;
  /** Takes a text as a message, whatever it begins with. */
  readonly parseText: (text: string) => ParsedInput;
  readonly vocabulary: () => Vocabulary;
  /** What leaving means, to be confirmed; `undefined`: leave without asking. */
  readonly leaveWarning: string | undefined;
  /** Leaving is under way. */
  readonly isLeaving: boolean;
  /** All sessions, in the order of their numbers; and the one on the screen, which the prompt names. */
  readonly sessions: readonly number[];
  readonly activeSession: number | null;
}

/** What the composer wants done. */
export type ComposerEffect =
  | { readonly kind: 'run'; readonly command: FaceCommand }
  /** The screen, never the scrollback. */
  | { readonly kind: 'clear-screen' }
  /** Give the terminal to the shell for a while. */
  | { readonly kind: 'suspend' }
  /** End at once, without waiting for anybody. */
  | { readonly kind: 'force' };

/** A composer and what it wants done. */
export interface ComposerStep {
  readonly state: ComposerState;
  readonly effects: readonly ComposerEffect[];
}

/** A composer in which nothing has been typed. */
export const emptyComposer: ComposerState = {
  editor: emptyEditor,
  history: emptyHistory,
  askedPaste: undefined,
  notice: undefined,
  hintedLine: undefined,
  isArmed: false,
  startedIn: null,
};

/** Takes one event from the keyboard. Pure. */
export function compose(before: ComposerState, event: InputEvent, context: ComposerContext): ComposerStep {
  if (event.kind === 'focus') return stay(before);
  const command = event.kind === 'key' ? commandOf(event.key) : undefined;
  const isLeaveKey = command === 'interrupt' || command === 'delete-right-or-leave';
  if (context.isLeaving && command !== 'interrupt') return stay(before);
  const state = before.editor.text === '' ? { ...before, startedIn: context.activeSession } : before;
  // Any other key takes back what Ctrl+C began.
  const awake = { ...state, notice: undefined, isArmed: state.isArmed && isLeaveKey };
  if (awake.askedPaste !== undefined) return onAnswer(awake, awake.askedPaste.text, event, context);
  if (event.kind === 'text') return edited(awake, { kind: 'insert', text: event.text });
  if (event.kind === 'paste') return onPaste(awake, event.text, event.truncated);
  return command === undefined ? stay(state) : onCommand(awake, command, event.key, context);
}

/** Clears the composer. Nobody means to lose what he wrote: it comes back with Up, and with Ctrl+Y. */
export function setAside(state: ComposerState): ComposerState {
  const { text } = state.editor;
  return { ...state, history: remember(state.history, text), editor: edit(state.editor, { kind: 'kill-all' }) };
}

const LEAVE: ComposerEffect = { kind: 'run', command: { type: 'exit' } };

function stay(state: ComposerState, ...effects: readonly ComposerEffect[]): ComposerStep {
  return { state, effects };
}

function edited(state: ComposerState, action: EditorAction): ComposerStep {
  return stay({ ...state, editor: edit(state.editor, action) });
}

/** Whether a command means the group that is on the screen. */
function isForGroup({ type }: FaceCommand): boolean {
  return type === 'publish' || type === 'invite' || type === 'remove' || type === 'leave';
}

/** Does what a line was understood as, or says why not and keeps it. */
function submitLine(state: ComposerState, line: string, parsed: ParsedInput, context: ComposerContext): ComposerStep {
  if (parsed.ok && state.startedIn !== context.activeSession && parsed.commands.some(isForGroup)) {
    // The group was another one when this was begun; where it goes now the prompt has said for a moment only.
    const notice = 'the group on the screen has changed: Enter again sends this to it';
    return stay({ ...state, notice, startedIn: context.activeSession });
  }
  if (!parsed.ok) return stay({ ...state, notice: parsed.hint, hintedLine: line });
  const effects = parsed.commands.map((command): ComposerEffect =>
    command.type === 'clear' ? { kind: 'clear-screen' } : { kind: 'run', command },
  );
  const history = remember(state.history, line);
  const editor = edit(state.editor, { kind: 'replace', text: '' });
  return stay({ ...state, editor, history, hintedLine: undefined }, ...effects);
}

function submit(state: ComposerState, context: ComposerContext): ComposerStep {
  const { text, cursor } = state.editor;
  if (text.slice(0, cursor).endsWith('\\')) {
    return stay({
      ...state,
      editor: edit(edit(state.editor, { kind: 'delete-left' }), { kind: 'insert', text: '\n' }),
    });
  }
  return submitLine(state, text, context.parse(text, state.hintedLine === text), context);
}

/** A paste is content: a slash at its start is no command. */
function submitPaste(state: ComposerState, paste: string, context: ComposerContext): ComposerStep {
  const asked = { ...state, askedPaste: undefined };
  const { text } = edit(state.editor, { kind: 'insert', text: paste });
  const step = submitLine(asked, text, context.parseText(text), context);
  // Refused: a screenful of text is not put into the composer to be looked at.
  return step.state.notice === undefined ? step : stay({ ...asked, notice: `paste dropped: ${step.state.notice}` });
}

function onPaste(state: ComposerState, pasted: string, truncated: boolean): ComposerStep {
  const text = pasted.replace(/\n+$/, '');
  const notice = truncated ? 'the paste was cut off: it was too long, or its end never came' : undefined;
  const lines = text.split('\n').length;
  if (lines <= PASTE_LINES && text.length <= PASTE_LENGTH) {
    return stay({ ...state, editor: edit(state.editor, { kind: 'insert', text }), notice });
  }
  const what = `${truncated ? 'Cut off paste' : 'Paste'} of ${lines} lines, ${text.length} characters.`;
  return stay({ ...state, askedPaste: { text, question: `${what} Enter: send as one message. Esc: drop it.` } });
}

function interrupt(state: ComposerState, context: ComposerContext): ComposerStep {
  if (context.isLeaving) return stay(state, { kind: 'force' });
  const isEmpty = state.editor.text === '';
  if (state.isArmed || (isEmpty && context.leaveWarning === undefined)) {
    return stay({ ...state, isArmed: false }, LEAVE);
  }
  return stay({
    ...setAside(state),
    askedPaste: undefined,
    isArmed: true,
    notice: context.leaveWarning ?? 'Press Ctrl+C again to leave.',
  });
}

function recall(state: ComposerState, direction: 'up' | 'down'): ComposerStep {
  const { text, cursor } = state.editor;
  if (lineMove(text, cursor, direction) !== undefined) return edited(state, { kind: `line-${direction}` });
  const found = direction === 'up' ? older(state.history, text) : newer(state.history, text);
  if (found === undefined) return stay(state);
  return stay({ ...state, history: found.history, editor: edit(state.editor, { kind: 'replace', text: found.text }) });
}

function completeWord(state: ComposerState, context: ComposerContext): ComposerStep {
  const { text, cursor } = state.editor;
  const completion = complete(text, cursor, context.vocabulary());
  if (completion === undefined) return stay(state);
  const editor = edit(state.editor, { kind: 'replace', text: completion.text, cursor: completion.cursor });
  const notice = completion.choices.length === 0 ? undefined : completion.choices.join('  ');
  return stay({ ...state, editor, notice });
}

function switchTo(state: ComposerState, key: string, context: ComposerContext): ComposerStep {
  const session = context.sessions[Number(key.at(-1)) - 1];
  if (session === undefined)
    return stay({ ...state, notice: `you have no group ${key.at(-1) ?? ''} (/switch lists them)` });
  // What has been typed so far is meant for where the user goes: he sees both.
  return stay({ ...state, startedIn: session }, { kind: 'run', command: { type: 'switch', session } });
}

function onCommand(state: ComposerState, command: KeyCommand, key: string, context: ComposerContext): ComposerStep {
  switch (command) {
    case 'submit':
      return submit(state, context);
    case 'newline':
      return edited(state, { kind: 'insert', text: '\n' });
    case 'interrupt':
      return interrupt(state, context);
    case 'delete-right-or-leave':
      return state.editor.text === '' ? interrupt(state, context) : edited(state, { kind: 'delete-right' });
    case 'cancel':
      return stay(state);
    case 'complete':
      return completeWord(state, context);
    case 'up':
    case 'down':
      return recall(state, command);
    case 'clear-screen':
      return stay(state, { kind: 'clear-screen' });
    case 'suspend':
      return stay(state, { kind: 'suspend' });
    case 'switch':
      return switchTo(state, key, context);
    case 'left':
    case 'right':
    case 'word-left':
    case 'word-right':
    case 'line-start':
    case 'line-end':
    case 'delete-left':
    case 'delete-right':
    case 'kill-to-line-end':
    case 'kill-to-line-start':
    case 'kill-word-left':
    case 'kill-word-right':
    case 'kill-blank-word-left':
    case 'yank':
    case 'yank-pop':
    case 'transpose':
      return edited(state, { kind: command });
    default:
      return assertNever(command);
  }
}

/** Keys while a paste is asked about: only the answers count, so that what was typed ahead is no answer. */
function onAnswer(state: ComposerState, paste: string, event: InputEvent, context: ComposerContext): ComposerStep {
  const command = event.kind === 'key' ? commandOf(event.key) : undefined;
  if (command === 'submit') return submitPaste(state, paste, context);
  if (command === 'interrupt') return interrupt(state, context);
  if (command === 'suspend') return stay(state, { kind: 'suspend' });
  if (command === 'cancel') return stay({ ...state, askedPaste: undefined, notice: 'paste dropped' });
  return stay(state);
}
