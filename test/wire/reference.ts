import { fileURLToPath } from 'node:url';

import protobuf from 'protobufjs';

import type { Name } from '../../src/name/index.js';
import type { Content, MlsPayload, SlimHeader, SlimMessage } from '../../src/wire/index.js';

const PROTO = fileURLToPath(new URL('../../proto/data_plane.proto', import.meta.url));

/** `Message` as protobufjs makes it of the schema at run time: a second codec that shares nothing with ours. */
export const ReferenceMessage = protobuf.loadSync(PROTO).lookupType('dataplane.proto.v1.Message');

/** What the reference codec reads in the bytes: all scalars, present sub-messages, u64 and bytes as text. */
export function referenceDecode(bytes: Uint8Array): unknown {
  const message = ReferenceMessage.decode(Buffer.from(bytes));
  return ReferenceMessage.toObject(message, { defaults: true, longs: String, bytes: String });
}

/** A message of ours in the form of {@link referenceDecode}. */
export function toReference(message: SlimMessage): unknown {
  switch (message.kind) {
    case 'publish': {
      const { header, session, content, metadata } = message;
      return {
        metadata: { ...metadata },
        publish: {
          header: headerOf(header),
          session: {
            sessionType: session.sessionType,
            sessionMessageType: session.messageType,
            sessionId: session.sessionId,
            messageId: session.messageId,
          },
          ...(content.kind === 'unknown' ? { msg: null } : { msg: contentOf(content) }),
        },
      };
    }
    case 'subscribe':
    case 'unsubscribe': {
      const subscriptionId = message.subscriptionId.toString();
      return { metadata: {}, [message.kind]: { header: headerOf(message.header), subscriptionId } };
    }
    case 'link': {
      const { linkId, slimVersion, isReply } = message;
      return { metadata: {}, link: { linkNegotiation: { linkId, slimVersion, isReply } } };
    }
    case 'subscriptionAck': {
      const { success, error } = message;
      return { metadata: {}, subscriptionAck: { subscriptionId: message.subscriptionId.toString(), success, error } };
    }
  }
}

function headerOf(header: SlimHeader): unknown {
  return {
    source: nameOf(header.source),
    destination: nameOf(header.destination),
    fanout: header.fanout,
    identity: header.identity,
    ...(header.recvFrom === undefined ? {} : { recvFrom: header.recvFrom.toString() }),
    ...(header.forwardTo === undefined ? {} : { forwardTo: header.forwardTo.toString() }),
    ...(header.incomingConn === undefined ? {} : { incomingConn: header.incomingConn.toString() }),
    ...(header.error === undefined ? {} : { error: header.error }),
  };
}

function nameOf(name: Name): unknown {
  const [component_0, component_1, component_2] = name.hashes.map(String);
  const [strComponent_0, strComponent_1, strComponent_2] = name.strings;
  return {
    name: { component_0, component_1, component_2, component_3: name.id.toString() },
    strName: { strComponent_0, strComponent_1, strComponent_2 },
  };
}

function bytesOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function mlsOf(mls: MlsPayload | undefined): object {
  return mls ? { mls: { commitId: mls.commitId, mlsContent: bytesOf(mls.content) } } : {};
}

function destinationOf(destination: Name | undefined): object {
  return destination ? { destination: nameOf(destination) } : {};
}

function contentOf(content: Exclude<Content, { kind: 'unknown' }>): unknown {
  if (content.kind === 'app') {
    return { appPayload: { payloadType: content.payloadType, blob: bytesOf(content.blob) } };
  }
  return { commandPayload: { [content.kind]: commandOf(content) } };
}

function commandOf(content: Exclude<Content, { kind: 'unknown' | 'app' }>): unknown {
  switch (content.kind) {
    case 'discoveryRequest':
    case 'leaveRequest':
      return destinationOf(content.destination);
    case 'joinRequest': {
      const { enableMls, timerSettings, channel } = content;
      return {
        enableMls,
        ...(timerSettings
          ? { timerSettings: { timeout: timerSettings.timeoutMs, maxRetries: timerSettings.maxRetries } }
          : {}),
        ...(channel ? { channel: nameOf(channel) } : {}),
      };
    }
    case 'joinReply':
      return content.keyPackage ? { keyPackage: bytesOf(content.keyPackage) } : {};
    case 'groupAdd':
      return {
        newParticipant: nameOf(content.newParticipant),
        participants: content.participants.map(nameOf),
        ...mlsOf(content.mls),
      };
    case 'groupRemove':
      return {
        removedParticipant: nameOf(content.removedParticipant),
        participants: content.participants.map(nameOf),
        ...mlsOf(content.mls),
      };
    case 'groupWelcome':
      return { participants: content.participants.map(nameOf), ...mlsOf(content.mls) };
    case 'groupClose':
      return { participants: content.participants.map(nameOf) };
    case 'groupProposal':
      return {
        source: content.source ? nameOf(content.source) : null,
        mlsProposal: bytesOf(content.mlsProposal),
      };
    case 'discoveryReply':
    case 'leaveReply':
    case 'groupAck':
    case 'groupNack':
    case 'ping':
      return {};
  }
}
