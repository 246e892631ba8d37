/**
 * The program around the chat: command line, run modes, signals, exit codes. The one place where the parts are put together.
 *
 * Invariants: a secret is never printed or logged; stdout carries nothing but the chosen mode's output; every way out leaves
 * groups properly within five seconds, unless the user will not wait.
 *
 * It knows everything except how the terminal UI draws and what goes over the wire.
 *
 * @packageDocumentation
 */
export { main } from './main.js';
export { CHAT_OPTIONS, NODE_OPTIONS, type OptionInfo } from './option-table.js';
