import type { ChatAction } from '../../src/chat/index.js';

/** The time of every event of these tests. */
export const AT = '2026-11-23T12:00:00.000Z';
/** Printed full names. */
export const ALICE = 'agntcy/ns/alice/9f3c';
export const BOB = 'agntcy/ns/bob/41d0';
export const CAROL = 'agntcy/ns/carol/77aa';

/** Alice as the moderator of a group with Bob and Carol. */
export function group(): ChatAction[] {
  return [
    {
      type: 'ready',
      at: AT,
      local: ALICE,
      node: { endpoint: '127.0.0.1:46357', embedded: true },
      role: 'moderator',
      channel: 'agntcy/ns/chat-7q2k',
      version: '0.1.0',
    },
    {
      type: 'session',
      at: AT,
      session: 1,
      channel: 'agntcy/ns/chat-7q2k',
      moderator: ALICE,
      members: [ALICE],
      role: 'moderator',
      mls: { state: 'off' },
      timeoutMs: 1000,
      maxRetries: 29,
      metadata: {},
    },
    { type: 'joined', at: AT, session: 1, member: BOB, members: 2 },
    { type: 'joined', at: AT, session: 1, member: CAROL, members: 3 },
  ];
}

/** A message of a peer. */
export function message(text: string, from = BOB, id = 1): ChatAction {
  return {
    type: 'message',
    at: AT,
    session: 1,
    id,
    from,
    text,
    payloadType: 'msg',
    metadata: {},
    encrypted: false,
  };
}
