import type { Name } from '../name/index.js';

/** `SessionType` of the schema. An unknown number stays a number. */
export const SessionType = { unspecified: 0, pointToPoint: 1, multicast: 2 } as const;

/** Kinds of session messages, by their schema names in camel case. */
export const MessageType = {
  unspecified: 0,
  msg: 1,
  msgAck: 2,
  rtxRequest: 3,
  rtxReply: 4,
  discoveryRequest: 5,
  discoveryReply: 6,
  joinRequest: 7,
  joinReply: 8,
  leaveRequest: 9,
  leaveReply: 10,
  groupAdd: 11,
  groupRemove: 12,
  groupWelcome: 13,
  groupClose: 14,
  groupProposal: 15,
  groupAck: 16,
  groupNack: 17,
  ping: 18,
} as const;

/** `SLIMHeader`. Optional fields are absent when `undefined`; absent and zero differ. */
export interface SlimHeader {
  readonly source: Name;
  readonly destination: Name;
  /** 1 = one connection; anything else, 0 too, = all. */
  readonly fanout: number;
  readonly identity: string;
  /** Process-local upstream; never set on a message that leaves. */
  readonly recvFrom?: bigint;
  /** Process-local upstream; never set on a message that leaves. */
  readonly forwardTo?: bigint;
  /** Set by each node; noise for a client. */
  readonly incomingConn?: bigint;
  /** Present and true on a negative RTX reply; presence counts. */
  readonly error?: boolean;
}

/** `SessionHeader`. */
export interface SessionHeader {
  /** A value of {@link SessionType}, or an unknown number. */
  readonly sessionType: number;
  /** A value of {@link MessageType}, or an unknown number. */
  readonly messageType: number;
  /** u32. */
  readonly sessionId: number;
  /** u32. */
  readonly messageId: number;
}

/** `TimerSettings`. */
export interface TimerSettings {
  readonly timeoutMs: number;
  readonly maxRetries: number;
}

/** `MlsPayload`: a commit or a welcome. */
export interface MlsPayload {
  readonly commitId: number;
  readonly content: Uint8Array;
}

/**
 * `Content`: what a Publish carries. `unknown` stands for none, for one of a newer peer, and for a command without a name that it
 * must have; it is written as none.
 */
export type Content =
  | { readonly kind: 'app'; readonly payloadType: string; readonly blob: Uint8Array }
  | { readonly kind: 'discoveryRequest'; readonly destination?: Name }
  | { readonly kind: 'discoveryReply' }
  | {
      readonly kind: 'joinRequest';
      readonly enableMls: boolean;
      readonly timerSettings?: TimerSettings;
      readonly channel?: Name;
    }
  | { readonly kind: 'joinReply'; readonly keyPackage?: Uint8Array }
  | { readonly kind: 'leaveRequest'; readonly destination?: Name }
  | { readonly kind: 'leaveReply' }
  | {
      readonly kind: 'groupAdd';
      readonly newParticipant: Name;
      readonly participants: readonly Name[];
      readonly mls?: MlsPayload;
    }
  | {
      readonly kind: 'groupRemove';
      readonly removedParticipant: Name;
      readonly participants: readonly Name[];
      readonly mls?: MlsPayload;
    }
  | { readonly kind: 'groupWelcome'; readonly participants: readonly Name[]; readonly mls?: MlsPayload }
  | { readonly kind: 'groupClose'; readonly participants: readonly Name[] }
  | { readonly kind: 'groupProposal'; readonly source?: Name; readonly mlsProposal: Uint8Array }
  | { readonly kind: 'groupAck' }
  | { readonly kind: 'groupNack' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'unknown' };

/** App or trace metadata of a message. What decoding gives has no prototype: a key of a peer finds nothing inherited. */
export type Metadata = Readonly<Record<string, string>>;

/** `Publish` with the metadata of its `Message`: every session message. */
export interface PublishMessage {
  readonly kind: 'publish';
  readonly header: SlimHeader;
  readonly session: SessionHeader;
  readonly content: Content;
  readonly metadata: Metadata;
}

/** `Subscribe` or `Unsubscribe`. */
export interface SubscriptionMessage {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly header: SlimHeader;
  /** 0 = no acknowledgement wanted. */
  readonly subscriptionId: bigint;
}

/** `Link` (1.3+). */
export interface LinkMessage {
  readonly kind: 'link';
  readonly linkId: string;
  readonly slimVersion: string;
  readonly isReply: boolean;
}

/** `SubscriptionAck` (1.3+). */
export interface SubscriptionAckMessage {
  readonly kind: 'subscriptionAck';
  readonly subscriptionId: bigint;
  readonly success: boolean;
  readonly error: string;
}

/** One `Message` of the data plane. */
export type SlimMessage = PublishMessage | SubscriptionMessage | LinkMessage | SubscriptionAckMessage;

/**
 * What decoding gives: a message, or why it is none. `unknown-type` is a sound message of a type this package does not know
 * (a newer peer); `incomplete` lacks a field that every such message has; `undecodable` is not protobuf.
 */
export type DecodedMessage =
  | SlimMessage
  | {
      readonly kind: 'malformed';
      readonly problem: 'unknown-type' | 'incomplete' | 'undecodable';
      /** What is missing or wrong; fixed words, nothing that the peer sent. */
      readonly detail: string;
    };
