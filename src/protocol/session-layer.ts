import type { Name } from '../name/index.js';
import { MessageType, type PublishMessage, SessionType } from '../wire/index.js';
import type { MlsPolicy, OutboundMessage, SessionConfig } from './machine.js';
import { FANOUT_ONE, hasFlag, NO_METADATA, RESERVED_METADATA } from './message-builder.js';

/** Session ids are drawn below this (`common.rs:SESSION_RANGE`). */
export const SESSION_ID_LIMIT = 2 ** 32 - 1 - 1000;

/** T and R of a session whose JoinRequest brings none, for its control messages (`session_config.rs:get_timer_settings`). */
const DEFAULT_CONTROL_TIMER = { timeoutMs: 1000, maxRetries: 10 };

/** Longest T that a peer may set: beyond, a session could not tell a dead member from a slow one for days. */
const MAX_TIMEOUT_MS = 10 * 60 * 1000;

/** What an app does with a session message. */
export type Route =
  | { readonly kind: 'session'; readonly sessionId: number }
  | { readonly kind: 'reply'; readonly message: OutboundMessage }
  /** A new session; it then handles the message as its first. */
  | { readonly kind: 'join'; readonly config: Omit<SessionConfig, 'resumeAfter'> }
  | { readonly kind: 'refuse'; readonly code: 'protocol-violation'; readonly text: string }
  | { readonly kind: 'ignore' };

const IGNORE: Route = { kind: 'ignore' };

/**
 * Where an inbound message with a verified identity goes (`session_layer.rs:handle_message_from_slim`). Nothing is ever
 * answered for an unknown session.
 *
 * @param local - full name of the app
 * @param hasSession - whether a session of this id exists here
 * @param mlsPolicy - how payloads are protected in groups with MLS that this app is invited to
 */
export function routeInbound(
  message: PublishMessage,
  local: Name,
  hasSession: (id: number) => boolean,
  mlsPolicy: MlsPolicy = 'auto',
): Route {
  const { destination, source } = message.header;
  const { messageType, sessionId } = message.session;
  if (messageType === MessageType.discoveryRequest) {
    const isForUs = destination.prefixKey === local.prefixKey && (!destination.hasId || destination.equals(local));
    return isForUs && source.hasId ? { kind: 'reply', message: buildDiscoveryReply(message, local) } : IGNORE;
  }
  if (hasSession(sessionId)) return { kind: 'session', sessionId };
  if (messageType !== MessageType.joinRequest || destination.prefixKey !== local.prefixKey) return IGNORE;
  return routeJoinRequest(message, local, mlsPolicy);
}

function buildDiscoveryReply(request: PublishMessage, local: Name): OutboundMessage {
  return {
    source: local,
    destination: request.header.source,
    fanout: FANOUT_ONE,
    sessionType: request.session.sessionType,
    messageType: MessageType.discoveryReply,
    sessionId: request.session.sessionId,
    messageId: request.session.messageId,
    content: { kind: 'discoveryReply' },
    metadata: NO_METADATA,
  };
}

function routeJoinRequest(message: PublishMessage, local: Name, mlsPolicy: MlsPolicy): Route {
  const { content, header, metadata, session } = message;
  if (content.kind !== 'joinRequest' || !header.source.hasId) return IGNORE;
  const from = header.source.toString();
  if (hasFlag(metadata, 'isModerator')) {
    return refuse('protocol-violation', `${from} asks this app to moderate a group; that is not supported yet`);
  }
  const isGroup = session.sessionType === SessionType.multicast;
  if (!isGroup && session.sessionType !== SessionType.pointToPoint) return IGNORE;
  const { channel, timerSettings } = content;
  if (isGroup && channel === undefined) {
    return refuse('protocol-violation', `${from} invites to a group without a channel`);
  }
  if (isGroup && timerSettings === undefined) {
    return refuse('protocol-violation', `${from} invites to a group without timer settings`);
  }
  const { timeoutMs, maxRetries } = timerSettings ?? DEFAULT_CONTROL_TIMER;
  return {
    kind: 'join',
    config: {
      sessionId: session.sessionId,
      type: isGroup ? 'group' : 'pointToPoint',
      local,
      channel: channel ?? header.source,
      moderator: header.source,
      timeoutMs: Math.min(Math.max(timeoutMs, 1), MAX_TIMEOUT_MS),
      maxRetries,
      isReliable: timerSettings !== undefined,
      ...(content.enableMls && { mls: { policy: mlsPolicy } }),
      metadata: withoutReserved(metadata),
    },
  };
}

function withoutReserved(metadata: PublishMessage['metadata']): PublishMessage['metadata'] {
  const reserved: readonly string[] = Object.values(RESERVED_METADATA);
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !reserved.includes(key)));
}

function refuse(code: 'protocol-violation', text: string): Route {
  return { kind: 'refuse', code, text };
}
