/**
 * The chat without a face: connects the app, carries out commands, tells what happens. It owns the one state of the chat, in every
 * mode; whatever can be read from that state (who is active, what is undelivered, the exit code) is kept nowhere else.
 *
 * Invariants: commands never throw, what does not work is an event; a message goes to the session that it was written for or nowhere;
 * whatever is not sent or not delivered is in the state until the end.
 *
 * It does not know terminals, streams, signals, the command line, or how the client library is connected.
 *
 * @packageDocumentation
 */
export { ChatRuntime } from './chat-runtime.js';
export { type AcceptPolicy } from './invitation-desk.js';
export type { Connect } from './ports.js';
