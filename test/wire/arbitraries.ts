import fc from 'fast-check';

import { Name, NULL_ID } from '../../src/name/index.js';
import type { Content, PublishMessage, SlimHeader, SlimMessage } from '../../src/wire/index.js';

const u32 = fc.oneof(fc.constantFrom(0, 1, 0xffff_ffff), fc.nat({ max: 0xffff_ffff }));
const u64 = fc.oneof(fc.constantFrom(0n, 1n, 0x8000_0000n, 1n << 53n, NULL_ID), fc.bigInt({ min: 0n, max: NULL_ID }));
// Enums are signed on the wire, and numbers of newer peers must survive.
const enumValue = fc.oneof(fc.nat({ max: 20 }), fc.integer());
// Well-formed; U+FFFD, U+FEFF and NUL are good text too.
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom('', '\ufffd', '\ufeffx', 'a\0b'));
const bytes = fc.uint8Array({ maxLength: 300 });

export const name: fc.Arbitrary<Name> = fc.oneof(
  fc.tuple(text, text, text, u64).map(([org, namespace, app, id]) => Name.of(org, namespace, app, id)),
  // The hashes of a peer need not belong to its strings.
  fc
    .tuple(fc.tuple(text, text, text), fc.tuple(u64, u64, u64), u64)
    .map(([strings, hashes, id]) => Name.fromWire(strings, hashes, id)),
);

/** A content with these fields, of which some may be missing. */
function content(
  kind: Content['kind'],
  fields: Record<string, fc.Arbitrary<unknown>> = {},
  optional: readonly string[] = [],
): fc.Arbitrary<Content> {
  const model: Record<string, fc.Arbitrary<unknown>> = { kind: fc.constant(kind), ...fields };
  const requiredKeys = Object.keys(model).filter((key) => !optional.includes(key));
  return fc.record(model, { requiredKeys }) as fc.Arbitrary<Content>;
}

const names = fc.array(name, { maxLength: 4 });
const mls = fc.record({ commitId: u32, content: bytes });

/** Each kind of content, with and without its optional parts. */
export const contents: { readonly [K in Content['kind']]: fc.Arbitrary<Content> } = {
  app: content('app', { payloadType: text, blob: bytes }),
  discoveryRequest: content('discoveryRequest', { destination: name }, ['destination']),
  discoveryReply: content('discoveryReply'),
  joinRequest: content(
    'joinRequest',
    { enableMls: fc.boolean(), timerSettings: fc.record({ timeoutMs: u32, maxRetries: u32 }), channel: name },
    ['timerSettings', 'channel'],
  ),
  joinReply: content('joinReply', { keyPackage: bytes }, ['keyPackage']),
  leaveRequest: content('leaveRequest', { destination: name }, ['destination']),
  leaveReply: content('leaveReply'),
  groupAdd: content('groupAdd', { newParticipant: name, participants: names, mls }, ['mls']),
  groupRemove: content('groupRemove', { removedParticipant: name, participants: names, mls }, ['mls']),
  groupWelcome: content('groupWelcome', { participants: names, mls }, ['mls']),
  groupClose: content('groupClose', { participants: names }),
  groupProposal: content('groupProposal', { source: name, mlsProposal: bytes }, ['source']),
  groupAck: content('groupAck'),
  groupNack: content('groupNack'),
  ping: content('ping'),
  unknown: content('unknown'),
};

const header: fc.Arbitrary<SlimHeader> = fc.record(
  {
    source: name,
    destination: name,
    fanout: u32,
    identity: text,
    recvFrom: u64,
    forwardTo: u64,
    incomingConn: u64,
    error: fc.boolean(),
  },
  { requiredKeys: ['source', 'destination', 'fanout', 'identity'] },
);

/** A Publish with the given content. */
export function publish(of: fc.Arbitrary<Content>): fc.Arbitrary<PublishMessage> {
  return fc.record({
    kind: fc.constant('publish' as const),
    header,
    session: fc.record({ sessionType: enumValue, messageType: enumValue, sessionId: u32, messageId: u32 }),
    content: of,
    metadata: fc.dictionary(fc.oneof(text, fc.constantFrom('__proto__', 'constructor')), text, { maxKeys: 4 }),
  });
}

/** Every kind of message. */
export const message: fc.Arbitrary<SlimMessage> = fc.oneof(
  publish(fc.oneof(...Object.values(contents))),
  fc.record({
    kind: fc.constantFrom('subscribe' as const, 'unsubscribe' as const),
    header,
    subscriptionId: u64,
  }),
  fc.record({ kind: fc.constant('link' as const), linkId: text, slimVersion: text, isReply: fc.boolean() }),
  fc.record({
    kind: fc.constant('subscriptionAck' as const),
    subscriptionId: u64,
    success: fc.boolean(),
    error: text,
  }),
);
