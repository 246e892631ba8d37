import type { AppEvent, Invitation, Protection, PublishOptions, Role, SessionEvent } from '../client/index.js';
import type { Name } from '../name/index.js';

/*
 * What the chat needs of the client library, and no more: tests put simple fakes in its place. `SlimApp` and `Session` fit as
 * they are.
 */

/** A published message. */
export interface HandlePort {
  readonly messageId: number | undefined;
}

/** What happens in a session. */
export type SessionPortEvent =
  | Exclude<SessionEvent, { kind: 'delivery' }>
  | (Omit<Extract<SessionEvent, { kind: 'delivery' }>, 'handle'> & { readonly handle: HandlePort });

/** A session. */
export interface SessionPort {
  readonly id: number;
  readonly role: Role;
  readonly channel: Name;
  readonly local: Name;
  readonly moderator: Name;
  readonly members: readonly Name[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** Absent where there is no MLS at all. */
  readonly protection?: Protection;
  /** Whether `publish` takes a message without a long queue before it. */
  readonly isWritable: boolean;
  onEvent(listener: (event: SessionPortEvent) => void): () => void;
  invite(name: Name, options?: { readonly ref?: string }): Promise<Name>;
  remove(name: Name, options?: { readonly ref?: string }): Promise<void>;
  publish(payload: Uint8Array | string, options?: PublishOptions): HandlePort;
  publishTo(member: Name, payload: Uint8Array | string, options?: PublishOptions): HandlePort;
  /** Takes back a message that has not been sent yet. */
  cancel(handle: HandlePort): void;
  writable(): Promise<void>;
  /** Leaves payloads to the retransmission of their senders until `resumeReceiving`. */
  pauseReceiving(): void;
  resumeReceiving(): void;
}

/** What happens outside the sessions. */
export type AppPortEvent =
  Exclude<AppEvent, { kind: 'session' }> | { readonly kind: 'session'; readonly session: SessionPort };

/** How to create a group. */
export interface GroupOptions {
  readonly channel: Name;
  readonly timeoutMs?: number;
  readonly maxRetries?: number;
  readonly mls?: boolean;
  readonly keepAliveGroup?: boolean;
}

/** A connected app. */
export interface AppPort {
  readonly name: Name;
  readonly endpoint: string;
  createSession(options: GroupOptions): Promise<SessionPort>;
  deleteSession(session: SessionPort, options: { readonly timeoutMs: number }): Promise<void>;
  close(options: { readonly timeoutMs: number }): Promise<void>;
}

/** What the chat does for the app that is connected. */
export interface ConnectHandlers {
  readonly onEvent: (event: AppPortEvent) => void;
  /** Decides on an invitation; nothing is answered before. */
  readonly acceptInvitation: (invitation: InvitationPort) => boolean | Promise<boolean>;
}

/** An invitation by somebody else. */
export type InvitationPort = Pick<
  Invitation,
  'sessionId' | 'from' | 'channel' | 'mls' | 'timeoutMs' | 'maxRetries' | 'lapsed'
>;

/** Connects the app; messages must come as events. Rejects as `SlimApp.connect` does. */
export type Connect = (handlers: ConnectHandlers, signal: AbortSignal) => Promise<AppPort>;
