import type { Reader, Writer } from 'protobufjs/minimal.js';

import type { Name } from '../name/index.js';
import { enter, leave, readString, readU64, skipField, writeString, writeU32, writeU64 } from './fields.js';
import type { SessionHeader, SlimHeader } from './messages.js';
import { decodeName, encodeName } from './name-codec.js';
import { SESSION_HEADER, SLIM_HEADER } from './tags.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a `SLIMHeader`, or says which of its names is missing (or lacks one of its halves). */
export function readSlimHeader(reader: Reader): SlimHeader | 'source' | 'destination' {
  let source: Name | undefined;
  let destination: Name | undefined;
  let fanout = 0;
  let identity = '';
  let recvFrom: bigint | undefined;
  let forwardTo: bigint | undefined;
  let incomingConn: bigint | undefined;
  let error: boolean | undefined;
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case SLIM_HEADER.source:
        source = decodeName(reader.bytes());
        break;
      case SLIM_HEADER.destination:
        destination = decodeName(reader.bytes());
        break;
      case SLIM_HEADER.fanout:
        fanout = reader.uint32();
        break;
      case SLIM_HEADER.identity:
        identity = readString(reader);
        break;
      case SLIM_HEADER.recvFrom:
        recvFrom = readU64(reader);
        break;
      case SLIM_HEADER.forwardTo:
        forwardTo = readU64(reader);
        break;
      case SLIM_HEADER.incomingConn:
        incomingConn = readU64(reader);
        break;
      case SLIM_HEADER.error:
        error = reader.bool();
        break;
      default:
        skipField(reader, tag);
    }
  }
  leave(reader, limit);
  if (source === undefined) return 'source';
  if (destination === undefined) return 'destination';
  const header: Mutable<SlimHeader> = { source, destination, fanout, identity };
  if (recvFrom !== undefined) header.recvFrom = recvFrom;
  if (forwardTo !== undefined) header.forwardTo = forwardTo;
  if (incomingConn !== undefined) header.incomingConn = incomingConn;
  if (error !== undefined) header.error = error;
  return header;
}

/** Writes a `SLIMHeader` as the field of that tag. */
export function writeSlimHeader(writer: Writer, tag: number, header: SlimHeader): void {
  writer.uint32(tag).fork();
  writer.uint32(SLIM_HEADER.source).bytes(encodeName(header.source));
  writer.uint32(SLIM_HEADER.destination).bytes(encodeName(header.destination));
  writeU32(writer, SLIM_HEADER.fanout, header.fanout);
  writeString(writer, SLIM_HEADER.identity, header.identity);
  if (header.recvFrom !== undefined) writeU64(writer, SLIM_HEADER.recvFrom, header.recvFrom);
  if (header.forwardTo !== undefined) writeU64(writer, SLIM_HEADER.forwardTo, header.forwardTo);
  if (header.incomingConn !== undefined) writeU64(writer, SLIM_HEADER.incomingConn, header.incomingConn);
  if (header.error !== undefined) writer.uint32(SLIM_HEADER.error).bool(header.error);
  writer.ldelim();
}

/** Reads a `SessionHeader`. */
export function readSessionHeader(reader: Reader): SessionHeader {
  let sessionType = 0;
  let messageType = 0;
  let sessionId = 0;
  let messageId = 0;
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case SESSION_HEADER.sessionType:
        sessionType = reader.int32();
        break;
      case SESSION_HEADER.messageType:
        messageType = reader.int32();
        break;
      case SESSION_HEADER.sessionId:
        sessionId = reader.uint32();
        break;
      case SESSION_HEADER.messageId:
        messageId = reader.uint32();
        break;
      default:
        skipField(reader, tag);
    }
  }
  leave(reader, limit);
  return { sessionType, messageType, sessionId, messageId };
}

/** Writes a `SessionHeader` as the field of that tag. */
export function writeSessionHeader(writer: Writer, tag: number, session: SessionHeader): void {
  writer.uint32(tag).fork();
  // Enums are signed on the wire; an unknown number may be negative.
  if (session.sessionType !== 0) writer.uint32(SESSION_HEADER.sessionType).int32(session.sessionType);
  if (session.messageType !== 0) writer.uint32(SESSION_HEADER.messageType).int32(session.messageType);
  writeU32(writer, SESSION_HEADER.sessionId, session.sessionId);
  writeU32(writer, SESSION_HEADER.messageId, session.messageId);
  writer.ldelim();
}
