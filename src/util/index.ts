/**
 * Small helpers that know nothing of SLIM. This folder imports nothing else of this package.
 *
 * @packageDocumentation
 */
export { assertNever } from './assert-never.js';
export { AsyncQueue } from './async-queue.js';
export { withoutByteOrderMark } from './byte-order-mark.js';
export { anyOf, Characters } from './characters.js';
export { parseDuration } from './duration.js';
export { Emitter } from './emitter.js';
export {
  AuthError,
  ConfigError,
  ConnectionError,
  DeliveryError,
  type ErrorCode,
  InternalError,
  MlsError,
  type MlsErrorCode,
  OutputError,
  SessionError,
  SlimError,
  type SlimErrorOptions,
  UsageError,
} from './errors.js';
export { invisibleEnd } from './invisible-end.js';
export { LinkedQueue, type QueueEntry } from './linked-queue.js';
export { onAbort } from './on-abort.js';
export { printable, printableWord } from './printable.js';
export { RecentMap } from './recent-map.js';
export { RecentSet } from './recent-set.js';
export {
  abortError,
  pause,
  startInterval,
  startTimer,
  type Timer,
  type TimerOptions,
  type WaitOptions,
  withDeadline,
} from './time.js';
export { withinBudget } from './within-budget.js';
