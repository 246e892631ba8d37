import type { Reader, Writer } from 'protobufjs/minimal.js';

import type { Name } from '../name/index.js';
import { enter, leave, readString, readU64, skipField, writeString, writeU32, writeU64 } from './fields.js';
import type { SessionHeader, SlimHeader } from './messages.js';
import { decodeName, encodeName } from './name-codec.js';

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
      case 10:
        source = decodeName(reader.bytes());
        break;
      case 18:
        destination = decodeName(reader.bytes());
        break;
      case 24:
        fanout = reader.uint32();
        break;
      case 34:
        identity = readString(reader);
        break;
      case 40:
        recvFrom = readU64(reader);
        break;
      case 48:
        forwardTo = readU64(reader);
        break;
      case 56:
        incomingConn = readU64(reader);
        break;
      case 64:
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

/** Writes a `SLIMHeader` as field 1, its place in all messages that have one. */
export function writeSlimHeader(writer: Writer, header: SlimHeader): void {
  writer.uint32(10).fork();
  writer.uint32(10).bytes(encodeName(header.source));
  writer.uint32(18).bytes(encodeName(header.destination));
  writeU32(writer, 24, header.fanout);
  writeString(writer, 34, header.identity);
  if (header.recvFrom !== undefined) writeU64(writer, 40, header.recvFrom);
  if (header.forwardTo !== undefined) writeU64(writer, 48, header.forwardTo);
  if (header.incomingConn !== undefined) writeU64(writer, 56, header.incomingConn);
  if (header.error !== undefined) writer.uint32(64).bool(header.error);
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
      case 8:
        sessionType = reader.int32();
        break;
      case 16:
        messageType = reader.int32();
        break;
      case 24:
        sessionId = reader.uint32();
        break;
      case 32:
        messageId = reader.uint32();
        break;
      default:
        skipField(reader, tag);
    }
  }
  leave(reader, limit);
  return { sessionType, messageType, sessionId, messageId };
}

/** Writes a `SessionHeader` as field 2 of a `Publish`. */
export function writeSessionHeader(writer: Writer, session: SessionHeader): void {
  writer.uint32(18).fork();
  // Enums are signed on the wire; an unknown number may be negative.
  if (session.sessionType !== 0) writer.uint32(8).int32(session.sessionType);
  if (session.messageType !== 0) writer.uint32(16).int32(session.messageType);
  writeU32(writer, 24, session.sessionId);
  writeU32(writer, 32, session.messageId);
  writer.ldelim();
}
