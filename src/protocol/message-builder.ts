import type { Name } from '../name/index.js';
import { type Content, MessageType, type Metadata, type PublishMessage, SessionType } from '../wire/index.js';
import type { OutboundMessage, SessionConfig } from './machine.js';

/** Reaches every connection that subscribes the name (`utils.rs:SlimHeaderFlags`). */
export const FANOUT_ALL = 256;
/** Reaches one connection. */
export const FANOUT_ONE = 1;

/** Metadata keys with a meaning to SLIM; their value is `TRUE`. An application must not set them. */
export const RESERVED_METADATA = {
  isModerator: 'IS_MODERATOR',
  deleteGroup: 'DELETE_GROUP',
  publishTo: 'PUBLISH_TO',
  disconnectionDetected: 'DISCONNECTION_DETECTED',
  leavingSession: 'LEAVING_SESSION',
} as const;

/** Value of a reserved key. */
export const RESERVED_VALUE = 'TRUE';

/** The empty metadata map. */
export const NO_METADATA: Metadata = Object.freeze({});

const EMPTY_APP_CONTENT: Content = { kind: 'app', payloadType: '', blob: new Uint8Array(0) };

/** What an application gave, as it travels. */
interface Payload {
  readonly payloadType: string;
  readonly metadata: Metadata;
  readonly blob: Uint8Array;
}

/** Fills in what all messages of one session have in common. */
export class MessageBuilder {
  readonly #config: SessionConfig;
  readonly #sessionType: number;

  constructor(config: SessionConfig) {
    this.#config = config;
    this.#sessionType = config.type === 'group' ? SessionType.multicast : SessionType.pointToPoint;
  }

  /** Any message of this session. */
  build(
    messageType: number,
    destination: Name,
    fanout: number,
    messageId: number,
    content: Content,
    metadata: Metadata = NO_METADATA,
  ): OutboundMessage {
    return {
      source: this.#config.local,
      destination,
      fanout,
      sessionType: this.#sessionType,
      messageType,
      sessionId: this.#config.sessionId,
      messageId,
      content,
      metadata,
    };
  }

  /** A reply to `request`: same id, to its source. */
  buildReply(request: PublishMessage, messageType: number, content: Content): OutboundMessage {
    return this.build(messageType, request.header.source, FANOUT_ONE, request.session.messageId, content);
  }

  /** Acknowledges a payload; one sent to a single member keeps its mark (`session_receiver.rs:send_ack`). */
  buildMsgAck(message: PublishMessage): OutboundMessage {
    const metadata = hasFlag(message.metadata, 'publishTo') ? flagged('publishTo') : NO_METADATA;
    return this.build(
      MessageType.msgAck,
      message.header.source,
      FANOUT_ONE,
      message.session.messageId,
      EMPTY_APP_CONTENT,
      metadata,
    );
  }

  /** Asks `source` for its message again (`session_receiver.rs:handle_recv_and_rtx_vectors`). */
  buildRtxRequest(source: Name, messageId: number): OutboundMessage {
    return this.build(MessageType.rtxRequest, source, FANOUT_ONE, messageId, EMPTY_APP_CONTENT);
  }

  /** A payload message once more for one member: the message itself, or the reply to its request for it. */
  buildAgain(
    messageType: typeof MessageType.msg | typeof MessageType.rtxReply,
    destination: Name,
    messageId: number,
    { payloadType, metadata, blob }: Payload,
  ): OutboundMessage {
    const fanout = this.#config.type === 'group' ? FANOUT_ALL : FANOUT_ONE;
    return this.build(messageType, destination, fanout, messageId, { kind: 'app', payloadType, blob }, metadata);
  }

  /** Says that a message is not to be had any more (`session_sender.rs:on_rtx_message`). */
  buildNegativeRtxReply(request: PublishMessage): OutboundMessage {
    return { ...this.buildReply(request, MessageType.rtxReply, EMPTY_APP_CONTENT), error: true };
  }
}

/** Whether a reserved key is set on a message. */
export function hasFlag(metadata: Metadata, key: keyof typeof RESERVED_METADATA): boolean {
  return metadata[RESERVED_METADATA[key]] === RESERVED_VALUE;
}

/** A metadata map with one reserved key set. */
export function flagged(key: keyof typeof RESERVED_METADATA): Metadata {
  return { [RESERVED_METADATA[key]]: RESERVED_VALUE };
}

/** Whether it brings a payload; such a message comes again as long as nobody acknowledges or takes it. */
export function isPayloadMessage({ session: { messageType } }: PublishMessage): boolean {
  return messageType === MessageType.msg || messageType === MessageType.rtxReply;
}
