/**
 * One thing that came from the keyboard side of a terminal.
 *
 * `key` is a chord in one spelling: `ctrl+`, `alt+`, `shift+` in this order, then the name of the key (`a`, `enter`, `left`, `delete`),
 * so that a key map can be plain data.
 */
export type InputEvent =
  /** Printable text; never holds a control character. A long text may come in several events. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key'; readonly key: string }
  /** Text that was pasted, newlines as LF. `truncated`: it was too long, or its end never came. */
  | { readonly kind: 'paste'; readonly text: string; readonly truncated: boolean }
  /** The terminal window got or lost the focus. */
  | { readonly kind: 'focus'; readonly focused: boolean };

/** Modifier keys of a chord. */
export interface Modifiers {
  readonly ctrl?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
}

/**
 * Spells a chord the one way {@link InputEvent} uses.
 *
 * @param name - the key without its modifiers
 * @param modifiers - what was held down with it
 */
export function chord(name: string, modifiers: Modifiers = {}): string {
  const { ctrl = false, alt = false, shift = false } = modifiers;
  return `${ctrl ? 'ctrl+' : ''}${alt ? 'alt+' : ''}${shift ? 'shift+' : ''}${name}`;
}
