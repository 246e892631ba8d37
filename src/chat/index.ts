/**
 * The chat as people see it: events in, an immutable state and lines of text out. Pure.
 *
 * Invariants: a finished line never changes; everything that a peer wrote is sanitised before it becomes a line or a label, so
 * `lines`, labels and own texts of the state are safe for a terminal, while names, channels and `rawText` are as they arrived.
 *
 * Must not know React, sockets, timers, clocks or the process.
 *
 * @packageDocumentation
 */
export { currentSession } from './add-line.js';
export { labelsOf, nameWithoutId, nameWithShortId, shortName } from './display-name.js';
export { editDistance } from './edit-distance.js';
export type { ChatCommand, ChatEvent, ChatEventBody, ChatStatus, MemberInfo, MlsStatus } from './events.js';
export { formatLine, type LineLayout, type LineParts, lineParts } from './format-line.js';
export type { ChatLine, LineKind, LineLog } from './line-log.js';
export { sanitiseLine, sanitiseName, sanitiseText } from './sanitise.js';
export {
  deliveryWords,
  inputContext,
  invitationLines,
  leaveWarning,
  needsTick,
  selectLines,
  selectLive,
  statusLine,
} from './selectors.js';
export {
  type CommandInfo,
  COMMANDS,
  type FaceCommand,
  helpLines,
  type InputContext,
  type ParsedInput,
  parseInput,
} from './slash-command.js';
export { headerLine, type StartInfo, startLines } from './start-lines.js';
export type {
  ChatAction,
  ChatClock,
  ChatOptions,
  ChatState,
  InvitationView,
  LocalAction,
  MemberView,
  OwnMessage,
  SessionView,
} from './state.js';
export { type ChatStore, createChatStore } from './store.js';
export type { RunTui, TuiDeps, TuiExit } from './ui-contract.js';
