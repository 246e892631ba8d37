import type { Writer } from 'protobufjs/minimal.js';

import type { Name } from '../name/index.js';
import { copyBytes } from './fields.js';
import { dataplane } from './generated/command-payload.js';
import type { Content, MlsPayload, TimerSettings } from './messages.js';
import { decodeName, encodeName } from './name-codec.js';

/** The contents that travel as a `CommandPayload`. */
export type CommandContent = Exclude<Content, { kind: 'app' | 'unknown' }>;

// In the generated code a Name is its bytes (see scripts/generate-proto.mjs). A zero or empty field without presence must be
// left out here: the code writes whatever is set.
const { CommandPayload } = dataplane.proto.v1;
type Fields = dataplane.proto.v1.CommandPayload.$Properties;
type MlsFields = dataplane.proto.v1.MlsPayload.$Properties;
type TimerFields = dataplane.proto.v1.TimerSettings.$Properties;
type Absent = null | undefined;

/**
 * Reads a `CommandPayload`. It is `unknown` when the command is one of a newer peer, or lacks a name that it must have. A name
 * without one of its halves counts as missing.
 *
 * @throws RangeError, TypeError or Error when the bytes are not protobuf
 */
export function decodeCommand(bytes: Uint8Array): Content {
  const payload: dataplane.proto.v1.CommandPayload.$Shape = CommandPayload.decode(bytes);
  switch (payload.commandPayloadType) {
    case undefined:
      return { kind: 'unknown' };
    case 'discoveryRequest':
      return { kind: 'discoveryRequest', ...optional('destination', toName(payload.discoveryRequest.destination)) };
    case 'joinRequest': {
      const { enableMls, timerSettings, channel } = payload.joinRequest;
      return {
        kind: 'joinRequest',
        enableMls: enableMls ?? false,
        ...optional('timerSettings', toTimerSettings(timerSettings)),
        ...optional('channel', toName(channel)),
      };
    }
    case 'joinReply':
      return { kind: 'joinReply', ...optional('keyPackage', toBytes(payload.joinReply.keyPackage)) };
    case 'leaveRequest':
      return { kind: 'leaveRequest', ...optional('destination', toName(payload.leaveRequest.destination)) };
    case 'groupAdd': {
      const newParticipant = toName(payload.groupAdd.newParticipant);
      const participants = toNames(payload.groupAdd.participants);
      if (newParticipant === undefined || participants === undefined) return { kind: 'unknown' };
      return { kind: 'groupAdd', newParticipant, participants, ...optional('mls', toMls(payload.groupAdd.mls)) };
    }
    case 'groupRemove': {
      const removedParticipant = toName(payload.groupRemove.removedParticipant);
      const participants = toNames(payload.groupRemove.participants);
      if (removedParticipant === undefined || participants === undefined) return { kind: 'unknown' };
      return {
        kind: 'groupRemove',
        removedParticipant,
        participants,
        ...optional('mls', toMls(payload.groupRemove.mls)),
      };
    }
    case 'groupWelcome': {
      const participants = toNames(payload.groupWelcome.participants);
      if (participants === undefined) return { kind: 'unknown' };
      return { kind: 'groupWelcome', participants, ...optional('mls', toMls(payload.groupWelcome.mls)) };
    }
    case 'groupClose': {
      const participants = toNames(payload.groupClose.participants);
      return participants === undefined ? { kind: 'unknown' } : { kind: 'groupClose', participants };
    }
    case 'groupProposal': {
      const { source, mlsProposal } = payload.groupProposal;
      return {
        kind: 'groupProposal',
        ...optional('source', toName(source)),
        mlsProposal: toBytes(mlsProposal) ?? new Uint8Array(),
      };
    }
    case 'discoveryReply':
    case 'leaveReply':
    case 'groupAck':
    case 'groupNack':
    case 'ping':
      return { kind: payload.commandPayloadType };
  }
}

/** Writes a `CommandPayload` as the field of that tag. */
export function writeCommand(writer: Writer, tag: number, content: CommandContent): void {
  CommandPayload.encode(toFields(content), writer.uint32(tag).fork()).ldelim();
}

function toFields(content: CommandContent): Fields {
  switch (content.kind) {
    case 'discoveryRequest':
      return { discoveryRequest: optional('destination', fromName(content.destination)) };
    case 'joinRequest':
      return {
        joinRequest: {
          ...optional('enableMls', content.enableMls || undefined),
          ...optional('timerSettings', fromTimerSettings(content.timerSettings)),
          ...optional('channel', fromName(content.channel)),
        },
      };
    case 'joinReply':
      return { joinReply: optional('keyPackage', content.keyPackage) };
    case 'leaveRequest':
      return { leaveRequest: optional('destination', fromName(content.destination)) };
    case 'groupAdd':
      return {
        groupAdd: {
          newParticipant: encodeName(content.newParticipant),
          participants: content.participants.map(encodeName),
          ...optional('mls', fromMls(content.mls)),
        },
      };
    case 'groupRemove':
      return {
        groupRemove: {
          removedParticipant: encodeName(content.removedParticipant),
          participants: content.participants.map(encodeName),
          ...optional('mls', fromMls(content.mls)),
        },
      };
    case 'groupWelcome':
      return {
        groupWelcome: {
          participants: content.participants.map(encodeName),
          ...optional('mls', fromMls(content.mls)),
        },
      };
    case 'groupClose':
      return { groupClose: { participants: content.participants.map(encodeName) } };
    case 'groupProposal':
      return {
        groupProposal: {
          ...optional('source', fromName(content.source)),
          ...optional('mlsProposal', nonEmpty(content.mlsProposal)),
        },
      };
    case 'discoveryReply':
      return { discoveryReply: {} };
    case 'leaveReply':
      return { leaveReply: {} };
    case 'groupAck':
      return { groupAck: {} };
    case 'groupNack':
      return { groupNack: {} };
    case 'ping':
      return { ping: {} };
  }
}

/** One property, or none when the value is `undefined`: with exact optional properties these differ. */
function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

function toName(bytes: Uint8Array | Absent): Name | undefined {
  return bytes ? decodeName(bytes) : undefined;
}

function fromName(name: Name | undefined): Uint8Array | undefined {
  return name && encodeName(name);
}

function toNames(list: readonly Uint8Array[] | Absent): Name[] | undefined {
  const names: Name[] = [];
  for (const bytes of list ?? []) {
    const name = decodeName(bytes);
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
}

function toBytes(bytes: Uint8Array | Absent): Uint8Array | undefined {
  return bytes ? copyBytes(bytes) : undefined;
}

function nonEmpty(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length > 0 ? bytes : undefined;
}

function toMls(fields: MlsFields | Absent): MlsPayload | undefined {
  return fields
    ? { commitId: fields.commitId ?? 0, content: toBytes(fields.mlsContent) ?? new Uint8Array() }
    : undefined;
}

function fromMls(mls: MlsPayload | undefined): MlsFields | undefined {
  return (
    mls && {
      ...optional('commitId', mls.commitId || undefined),
      ...optional('mlsContent', nonEmpty(mls.content)),
    }
  );
}

function toTimerSettings(fields: TimerFields | Absent): TimerSettings | undefined {
  return fields ? { timeoutMs: fields.timeout ?? 0, maxRetries: fields.maxRetries ?? 0 } : undefined;
}

function fromTimerSettings(settings: TimerSettings | undefined): TimerFields | undefined {
  return (
    settings && {
      ...optional('timeout', settings.timeoutMs || undefined),
      ...optional('maxRetries', settings.maxRetries || undefined),
    }
  );
}
