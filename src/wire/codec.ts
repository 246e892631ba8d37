import protobuf, { type Reader, type Writer } from 'protobufjs/minimal.js';

import { decodeCommand, writeCommand } from './command-codec.js';
import { asBuffer, enter, leave, readBytes, readString, readU64, skipField, writeString, writeU64 } from './fields.js';
import { readSessionHeader, readSlimHeader, writeSessionHeader, writeSlimHeader } from './header-codec.js';
import type {
  Content,
  DecodedMessage,
  LinkMessage,
  Metadata,
  PublishMessage,
  SessionHeader,
  SlimMessage,
  SubscriptionAckMessage,
  SubscriptionMessage,
} from './messages.js';
import {
  APPLICATION_PAYLOAD,
  CONTENT,
  LINK,
  LINK_NEGOTIATION,
  MESSAGE,
  METADATA_ENTRY,
  PUBLISH,
  SUBSCRIPTION,
  SUBSCRIPTION_ACK,
} from './tags.js';

type Malformed = Extract<DecodedMessage, { kind: 'malformed' }>;
/** The member of `message_type`; the metadata lies beside it. */
type Body = Omit<PublishMessage, 'metadata'> | Exclude<DecodedMessage, PublishMessage>;

const NO_METADATA: Metadata = Object.freeze(emptyMap());

/**
 * Bytes of one `Message` to an object. Never throws, whatever the bytes. Unknown fields are skipped, of a field that comes
 * twice the last one counts, and what comes back shares no memory with the input.
 *
 * What upstream only checks later is checked here: both halves of the names (`encoder.rs:From<&ProtoName>` panics without),
 * and the headers (`utils.rs:validate`).
 */
export function decodeMessage(bytes: Uint8Array): DecodedMessage {
  try {
    return readMessage(protobuf.Reader.create(asBuffer(bytes)));
  } catch {
    // Every throw on this way is one of protobufjs or of fields.ts about the bytes; their texts would say where, not more.
    return malformed('undecodable', 'protobuf');
  }
}

function malformed(problem: Malformed['problem'], detail: string): Malformed {
  return { kind: 'malformed', problem, detail };
}

/** No prototype, so that a key that a peer chose never finds or hits anything inherited. */
function emptyMap(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

function readMessage(reader: Reader): DecodedMessage {
  let body: Body | undefined;
  let metadata: Record<string, string> | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case MESSAGE.subscribe:
        body = readSubscription(reader, 'subscribe');
        break;
      case MESSAGE.unsubscribe:
        body = readSubscription(reader, 'unsubscribe');
        break;
      case MESSAGE.publish:
        body = readPublish(reader);
        break;
      case MESSAGE.metadata:
        readMetadataEntry(reader, (metadata ??= emptyMap()));
        break;
      case MESSAGE.link:
        body = readLink(reader);
        break;
      case MESSAGE.subscriptionAck:
        body = readSubscriptionAck(reader);
        break;
      default:
        skipField(reader, tag);
    }
  }
  if (body === undefined) return malformed('unknown-type', 'message type');
  if (body.kind !== 'publish') return body;
  const { kind, header, session, content } = body;
  return { kind, header, session, content, metadata: metadata ?? NO_METADATA };
}

function readMetadataEntry(reader: Reader, metadata: Record<string, string>): void {
  let key = '';
  let value = '';
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === METADATA_ENTRY.key) key = readString(reader);
    else if (tag === METADATA_ENTRY.value) value = readString(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  metadata[key] = value;
}

function readSubscription(reader: Reader, kind: SubscriptionMessage['kind']): SubscriptionMessage | Malformed {
  let header: ReturnType<typeof readSlimHeader> | undefined;
  let subscriptionId = 0n;
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === SUBSCRIPTION.header) header = readSlimHeader(reader);
    else if (tag === SUBSCRIPTION.subscriptionId) subscriptionId = readU64(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  if (header === undefined) return malformed('incomplete', 'header');
  if (typeof header === 'string') return malformed('incomplete', header);
  return { kind, header, subscriptionId };
}

function readPublish(reader: Reader): Omit<PublishMessage, 'metadata'> | Malformed {
  let header: ReturnType<typeof readSlimHeader> | undefined;
  let session: SessionHeader | undefined;
  let content: Content = { kind: 'unknown' };
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === PUBLISH.header) header = readSlimHeader(reader);
    else if (tag === PUBLISH.session) session = readSessionHeader(reader);
    else if (tag === PUBLISH.content) content = readContent(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  if (header === undefined) return malformed('incomplete', 'header');
  if (typeof header === 'string') return malformed('incomplete', header);
  if (session === undefined) return malformed('incomplete', 'session');
  return { kind: 'publish', header, session, content };
}

function readContent(reader: Reader): Content {
  let content: Content = { kind: 'unknown' };
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === CONTENT.application) content = readApplicationPayload(reader);
    else if (tag === CONTENT.command) content = decodeCommand(reader.bytes());
    else skipField(reader, tag);
  }
  leave(reader, limit);
  return content;
}

function readApplicationPayload(reader: Reader): Content {
  let payloadType = '';
  let blob: Uint8Array = new Uint8Array();
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === APPLICATION_PAYLOAD.payloadType) payloadType = readString(reader);
    else if (tag === APPLICATION_PAYLOAD.blob) blob = readBytes(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  return { kind: 'app', payloadType, blob };
}

function readLink(reader: Reader): LinkMessage | Malformed {
  let link: LinkMessage | undefined;
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === LINK.negotiation) link = readLinkNegotiation(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  return link ?? malformed('unknown-type', 'link type');
}

function readLinkNegotiation(reader: Reader): LinkMessage {
  let linkId = '';
  let slimVersion = '';
  let isReply = false;
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === LINK_NEGOTIATION.linkId) linkId = readString(reader);
    else if (tag === LINK_NEGOTIATION.slimVersion) slimVersion = readString(reader);
    else if (tag === LINK_NEGOTIATION.isReply) isReply = reader.bool();
    else skipField(reader, tag);
  }
  leave(reader, limit);
  return { kind: 'link', linkId, slimVersion, isReply };
}

function readSubscriptionAck(reader: Reader): SubscriptionAckMessage {
  let subscriptionId = 0n;
  let success = false;
  let error = '';
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === SUBSCRIPTION_ACK.subscriptionId) subscriptionId = readU64(reader);
    else if (tag === SUBSCRIPTION_ACK.success) success = reader.bool();
    else if (tag === SUBSCRIPTION_ACK.error) error = readString(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
  return { kind: 'subscriptionAck', subscriptionId, success, error };
}

/**
 * One `Message` to bytes: fields in ascending order, defaults left out, as the reference encoder does. An `unknown` content is
 * written as none.
 *
 * @throws RangeError when a bigint is not from 0 to 2^64-1
 */
export function encodeMessage(message: SlimMessage): Uint8Array {
  return writeMessage(protobuf.Writer.create(), message).finish();
}

function writeMessage(writer: Writer, message: SlimMessage): Writer {
  switch (message.kind) {
    case 'publish':
      return writePublish(writer, message);
    case 'subscribe':
      return writeSubscription(writer, MESSAGE.subscribe, message);
    case 'unsubscribe':
      return writeSubscription(writer, MESSAGE.unsubscribe, message);
    case 'link':
      return writeLink(writer, message);
    case 'subscriptionAck':
      return writeSubscriptionAck(writer, message);
  }
}

function writeSubscription(writer: Writer, tag: number, message: SubscriptionMessage): Writer {
  writer.uint32(tag).fork();
  writeSlimHeader(writer, SUBSCRIPTION.header, message.header);
  if (message.subscriptionId !== 0n) writeU64(writer, SUBSCRIPTION.subscriptionId, message.subscriptionId);
  return writer.ldelim();
}

function writePublish(writer: Writer, message: PublishMessage): Writer {
  writer.uint32(MESSAGE.publish).fork();
  writeSlimHeader(writer, PUBLISH.header, message.header);
  writeSessionHeader(writer, PUBLISH.session, message.session);
  writeContent(writer, message.content);
  writer.ldelim();
  for (const key of Object.keys(message.metadata)) {
    writer.uint32(MESSAGE.metadata).fork();
    writeString(writer, METADATA_ENTRY.key, key);
    writeString(writer, METADATA_ENTRY.value, message.metadata[key] ?? '');
    writer.ldelim();
  }
  return writer;
}

function writeContent(writer: Writer, content: Content): void {
  if (content.kind === 'unknown') return;
  writer.uint32(PUBLISH.content).fork();
  if (content.kind === 'app') {
    writer.uint32(CONTENT.application).fork();
    writeString(writer, APPLICATION_PAYLOAD.payloadType, content.payloadType);
    if (content.blob.length > 0) writer.uint32(APPLICATION_PAYLOAD.blob).bytes(content.blob);
    writer.ldelim();
  } else {
    writeCommand(writer, CONTENT.command, content);
  }
  writer.ldelim();
}

function writeLink(writer: Writer, message: LinkMessage): Writer {
  writer.uint32(MESSAGE.link).fork().uint32(LINK.negotiation).fork();
  writeString(writer, LINK_NEGOTIATION.linkId, message.linkId);
  writeString(writer, LINK_NEGOTIATION.slimVersion, message.slimVersion);
  if (message.isReply) writer.uint32(LINK_NEGOTIATION.isReply).bool(true);
  return writer.ldelim().ldelim();
}

function writeSubscriptionAck(writer: Writer, message: SubscriptionAckMessage): Writer {
  writer.uint32(MESSAGE.subscriptionAck).fork();
  if (message.subscriptionId !== 0n) writeU64(writer, SUBSCRIPTION_ACK.subscriptionId, message.subscriptionId);
  if (message.success) writer.uint32(SUBSCRIPTION_ACK.success).bool(true);
  writeString(writer, SUBSCRIPTION_ACK.error, message.error);
  return writer.ldelim();
}
