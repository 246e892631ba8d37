import { type ComposerRows, layoutComposer } from './composer-layout.js';
import type { EditorState } from './input/index.js';
import { truncate, wrap } from './width.js';

/** Most rows the composer takes. */
export const COMPOSER_ROWS = 6;
/** Most rows a notice takes. */
export const NOTICE_ROWS = 3;

/** What a row of the live region is, for colours. */
export type LiveRowKind = 'pending' | 'notice' | 'composer' | 'status';

/** One row of the live region. */
export interface LiveRow {
  readonly kind: LiveRowKind;
  readonly text: string;
}

/** What the live region shows, from top to bottom. Each text is one line and safe for a terminal. */
export interface LiveContent {
  /** Messages and invitations under way, oldest first. */
  readonly pending: readonly string[];
  /** Empty if there is none. */
  readonly notice: string;
  /** Stands before what is typed. */
  readonly prompt: string;
  /** `undefined`: there is nothing to type into. */
  readonly editor: EditorState | undefined;
  /** Empty if there is none. */
  readonly status: string;
}

/** The live region as rows, and where in it the terminal's cursor stands. */
export interface LiveLayout {
  readonly rows: readonly LiveRow[];
  readonly cursor: { readonly x: number; readonly y: number } | undefined;
}

/** Size of the screen. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Fits the live region into the screen: at most `rows - 2` rows (but at least one), each shorter than the screen is wide.
 *
 * Room is given to the composer first, because a user who does not see what he types is lost; then to the status line, the notice,
 * and the youngest of what is pending.
 */
export function layoutLive(content: LiveContent, { columns, rows }: ScreenSize): LiveLayout {
  let left = Math.max(1, rows - 2);
  const width = Math.max(1, columns - 1);
  const fit = (kind: LiveRowKind, text: string): LiveRow => ({ kind, text: truncate(text, width) });

  const wanted = content.status === '' ? 0 : 1;
  const composer: ComposerRows | undefined =
    content.editor === undefined
      ? undefined
      : layoutComposer(content.editor, columns, Math.min(COMPOSER_ROWS, Math.max(1, left - wanted)), content.prompt);
  left -= composer?.rows.length ?? 0;

  const status = content.status !== '' && left > 0 ? [fit('status', content.status)] : [];
  left -= status.length;
  const notice =
    content.notice !== '' && left > 0
      ? wrap(content.notice, width, Math.min(left, NOTICE_ROWS)).map((text) => fit('notice', text))
      : [];
  left -= notice.length;
  const pending = content.pending.slice(Math.max(0, content.pending.length - left)).map((text) => fit('pending', text));

  const above = pending.length + notice.length;
  return {
    rows: [...pending, ...notice, ...(composer?.rows ?? []).map((text) => fit('composer', text)), ...status],
    cursor: composer && { x: composer.cursor.x, y: above + composer.cursor.y },
  };
}
