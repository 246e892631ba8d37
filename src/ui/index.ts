/**
 * The terminal UI: finished lines in the scrollback of the terminal, and a small live region below them.
 *
 * Invariants: the live region is lower than the screen; the scrollback is never erased; nothing a peer wrote is drawn that the chat
 * has not sanitised; the terminal is restored on every way out. Must not know sessions, sockets or the command line.
 *
 * @packageDocumentation
 */
export { KEYMAP } from './keymap.js';
export { runTui } from './run-tui.js';
