/**
 * The chat as people see it: events in, an immutable state and lines of text out. Pure.
 *
 * Invariants: a finished line never changes; everything that a peer wrote is sanitised before it becomes a line or a label, so
 * `lines`, labels and own texts of the state are safe for a terminal, while names, channels and `content` are as they arrived.
 *
 * Must not know React, sockets, timers, clocks or the process.
 *
 * @packageDocumentation
 */
export { type BreakOptions, breakText, graphemesOf, mostWidthOf, widthOf } from './columns.js';
export { activeSession, sessionOf } from './add-line.js';
export { labelsOf, nameWithoutId, nameWithShortId, shortName } from './display-name.js';
export { editDistance } from './edit-distance.js';
export type {
  ChatCommand,
  ChatEvent,
  ChatEventBody,
  ChatStatus,
  FailureReason,
  MemberInfo,
  MlsStatus,
} from './events.js';
export { formatLine, type LineLayout, type LineParts, lineParts, lineRows } from './format-line.js';
export type { ChatLine, LineKind, LineLog } from './line-log.js';
export { sanitiseLine, sanitiseName, sanitiseText } from './sanitise.js';
export {
  deliveryWords,
  exitCodeOf,
  groupLines,
  inputContext,
  invitationLines,
  isAlone,
  isHolding,
  leaveWarning,
  memberInfos,
  needsTick,
  promptText,
  selectLines,
  selectLive,
  selectStatus,
  statusLine,
  unsettledCount,
} from './selectors.js';
export {
  type CommandInfo,
  COMMANDS,
  type FaceCommand,
  helpLines,
  type InputContext,
  type ParsedInput,
  parseInput,
  parseText,
} from './slash-command.js';
export { headerLine, type StartInfo, startLines } from './start-lines.js';
export type {
  AskedInvitation,
  ChatAction,
  ChatClock,
  ChatOptions,
  ChatState,
  InvitationView,
  LocalAction,
  MemberView,
  OwnContent,
  OwnMessage,
  SessionView,
} from './state.js';
export { type ChatStore, createChatStore } from './store.js';
export type { OpenTui, Tui, TuiDeps, TuiExit, TuiStreams } from './ui-contract.js';
