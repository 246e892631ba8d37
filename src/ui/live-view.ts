import {
  type ChatState,
  deliveryWords,
  invitationLines,
  leaveWarning,
  type OwnMessage,
  promptText,
  selectLive,
  statusLine,
  widthOf,
} from '../chat/index.js';
import type { ComposerState } from './composer.js';
import { layoutLive, type LiveLayout, type ScreenSize } from './live-layout.js';
import { truncate } from './width.js';

/** What the UI knows besides the chat. */
export interface UiState {
  readonly composer: ComposerState;
  readonly size: ScreenSize;
  /** When the screen was last brought up to date, ms since 1970. For countdowns. */
  readonly nowMs: number;
  /** Nothing live is shown for a moment. */
  readonly isHidden: boolean;
  /** Nothing live is shown any more. */
  readonly isClosed: boolean;
}

const NOTHING: LiveLayout = { rows: [], cursor: undefined };

/** The live region for a state. Pure. */
export function liveView(chat: ChatState, ui: UiState): LiveLayout {
  if (ui.isClosed || ui.isHidden) return NOTHING;
  const { composer, size, nowMs } = ui;
  // A participant who waits has nobody to write to; the prompt comes with the first key, for commands.
  const isWaiting = chat.sessions.length === 0 && chat.waitingSinceMs !== null;
  const hidesComposer = chat.leaving !== null || (isWaiting && composer.editor.text === '');
  const notice = chat.leaving === null ? (composer.askedPaste?.question ?? composer.notice ?? '') : '';
  return layoutLive(
    {
      pending: [...selectLive(chat).map((own) => ownLine(own, size.columns)), ...invitationLines(chat, nowMs)],
      notice: notice.replaceAll('\n', ' '),
      prompt: promptText(chat),
      editor: hidesComposer ? undefined : composer.editor,
      status: statusLine(chat, nowMs),
    },
    size,
  );
}

/** An own message under way, with its state at the end, where a long text does not push it out. */
function ownLine(own: OwnMessage, columns: number): string {
  const suffix = ` ... ${deliveryWords(own)}`;
  return truncate(own.text.replaceAll('\n', ' '), Math.max(0, columns - 1 - widthOf(suffix))) + suffix;
}

/** What leaving means for others, if anything: then Ctrl+C asks. */
export function leaveQuestion(chat: ChatState): string | undefined {
  const isNothingLost = chat.intent === 'participant' && chat.sessions.length === 0 && chat.own.length === 0;
  return isNothingLost ? undefined : leaveWarning(chat);
}
