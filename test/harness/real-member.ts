import path from 'node:path';

import { baseName, names, optional, text } from './json-fields.js';
import type { JsonObject } from './json-process.js';
import type { MemberDialect, MemberEvent, MemberOptions } from './member.js';
import { kitScript, peersHome, pythonOf } from './peers-kit.js';

const OPS = ['publish', 'invite', 'remove', 'leave', 'participants'] as const;

/** A real member's identity by JWTs that it signs itself. */
export interface RealJwt {
  /** As the bindings call it: `ES256`, `RS256`, `ED_DSA`. */
  readonly algorithm: string;
  /** Files in PEM. */
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
  readonly issuer: string;
  readonly audience: string;
  /** Default: the name. */
  readonly subject?: string;
  /** Folder for this member's HOME or that of members with other subjects: those before 1.1 keep MLS keys there, by subject. */
  readonly home: string;
}

/**
 * A member made of released `slim-bindings` of one version, driven through the kit's `peer.py`.
 *
 * @param jwt - its identity instead of the shared secret
 */
export function realMember(version: string, jwt?: RealJwt): MemberDialect {
  return {
    kind: version,
    start(options: MemberOptions) {
      const identity = jwt === undefined ? ['--secret', options.secret] : jwtArguments(jwt);
      const args = [kitScript('peer.py'), '--local', options.name, '--node', options.node, ...identity];
      const { group } = options;
      if (group !== undefined) {
        args.push('--remote', group.channel);
        for (const invitee of group.invite) args.push('--invite', invitee);
        if (group.mls === true) args.push('--mls');
        args.push('--interval', String(group.intervalMs / 1000), '--retries', String(group.maxRetries));
      }
      // Before 1.1 they keep MLS keys below HOME, one folder a subject; that of a secret is drawn at random.
      return { command: pythonOf(version), args, env: { HOME: jwt?.home ?? path.join(peersHome(), 'home') } };
    },
    translate,
    publish: (body, ref) => ({ op: 'publish', text: body, ref }),
    invite: (name, ref) => ({ op: 'invite', name, ref }),
    remove: (name, ref) => ({ op: 'remove', name, ref }),
    leave: (ref) => ({ op: 'leave', ref }),
    // The bindings of 0.7 have no such call.
    ...(version.startsWith('0.') ? {} : { participants: (ref: string) => ({ op: 'participants', ref }) }),
  };
}

/** The same, but it ends with exit code 1 on a payload that is no text, as the `group.py` of 0.7.0 does. */
export function strictMember(version: string): MemberDialect {
  const dialect = realMember(version);
  return {
    ...dialect,
    start(options) {
      const start = dialect.start(options);
      return { ...start, args: [...start.args, '--strict-text'] };
    },
  };
}

function opOf(line: JsonObject): (typeof OPS)[number] | undefined {
  return OPS.find((op) => op === line['op']);
}

function translate(line: JsonObject): readonly MemberEvent[] {
  const ref = optional('ref', line['ref']);
  const name = typeof line['name'] === 'string' ? { name: baseName(line['name']) } : {};
  switch (line['event']) {
    case 'ready':
      return [{ kind: 'ready' }];
    case 'session':
      return [{ kind: 'session', mls: line['mls'] === true }];
    case 'message':
      return [
        {
          kind: 'message',
          from: baseName(text(line, 'from')),
          text: optional('text', line['text']).text,
          ...optional('hex', line['hex']),
        },
      ];
    case 'acked':
      return [{ kind: 'settled', op: 'publish', ...ref }];
    case 'invited':
      return [{ kind: 'settled', op: 'invite', ...ref, ...name }];
    case 'removed':
      return [{ kind: 'settled', op: 'remove', ...ref, ...name }];
    case 'left':
      return [{ kind: 'settled', op: 'leave', ...ref, ...optional('error', line['error']) }];
    case 'closed':
      return [{ kind: 'closed', by: line['by'] === 'self' ? 'self' : 'peer', reason: text(line, 'reason') }];
    case 'failed': {
      const op = opOf(line);
      const error = text(line, 'error');
      return op === undefined ? [{ kind: 'trouble', text: error }] : [{ kind: 'settled', op, ...ref, ...name, error }];
    }
    case 'participants':
      return [{ kind: 'participants', ref: text(line, 'ref'), names: names(line['names']) }];
    case 'error':
      return [{ kind: 'trouble', text: text(line, 'error') }];
    default:
      return [];
  }
}

function jwtArguments({ algorithm, privateKeyFile, publicKeyFile, issuer, audience, subject }: RealJwt): string[] {
  const keys = ['--jwt-alg', algorithm, '--jwt-key', privateKeyFile, '--jwt-pub', publicKeyFile];
  const claims = ['--jwt-iss', issuer, '--jwt-aud', audience];
  return [...keys, ...claims, ...(subject === undefined ? [] : ['--jwt-sub', subject])];
}
