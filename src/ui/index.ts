/**
 * The terminal UI: finished lines in the scrollback of the terminal, and a small live region below them.
 *
 * Invariants: the live region is lower than the screen; the scrollback is never erased; nothing a peer wrote is drawn that the chat
 * has not sanitised; the terminal is restored on every way out. Must not know sessions, sockets or the command line.
 * Its index loads neither Ink nor React, so that the terminal can be taken first of all.
 *
 * @packageDocumentation
 */
export { KEYMAP } from './keymap.js';
export { openTui } from './open-tui.js';
