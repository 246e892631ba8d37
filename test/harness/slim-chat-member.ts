import { baseName, names, optional, text } from './json-fields.js';
import type { JsonObject } from './json-process.js';
import type { MemberDialect, MemberEvent, MemberOptions } from './member.js';
import { programPath } from './paths.js';

/** End of an invitation or a removal; `done` is the word for success. */
function settled(op: 'invite' | 'remove', line: JsonObject, done: string): readonly MemberEvent[] {
  const base = { kind: 'settled', op, ...optional('ref', line['ref']), name: baseName(text(line, 'name')) } as const;
  if (line['state'] === done) return [base];
  return line['state'] === 'failed' ? [{ ...base, error: text(line, 'code') || 'failed' }] : [];
}

/** Whether a session event speaks of a group with MLS. */
function hasMls(line: JsonObject): boolean {
  const mls: unknown = line['mls'];
  return typeof mls === 'object' && mls !== null && 'state' in mls && mls.state !== 'off';
}

function translate(line: JsonObject): readonly MemberEvent[] {
  switch (line['type']) {
    case 'ready':
      return [{ kind: 'ready' }];
    case 'session': {
      const members = names(line['members']);
      return [{ kind: 'session', mls: hasMls(line), members }];
    }
    case 'message':
      return [
        {
          kind: 'message',
          from: baseName(text(line, 'from')),
          text: optional('text', line['text']).text,
          ...(typeof line['textBase64'] === 'string' && {
            hex: Buffer.from(line['textBase64'], 'base64').toString('hex'),
          }),
          encrypted: line['encrypted'] === true,
        },
      ];
    case 'delivery': {
      const base = { kind: 'settled', op: 'publish', ...optional('ref', line['ref']) } as const;
      if (line['state'] === 'acked') return [base];
      if (line['state'] !== 'failed') return [];
      return [{ ...base, error: `not acked by ${names(line['missing']).join(', ') || 'nobody named'}` }];
    }
    case 'invite':
      return settled('invite', line, 'joined');
    case 'remove':
      return settled('remove', line, 'removed');
    case 'joined':
      return [{ kind: 'joined', member: baseName(text(line, 'member')) }];
    case 'left':
      return [{ kind: 'left', member: baseName(text(line, 'member')), reason: text(line, 'reason') }];
    case 'closed': {
      const reason = text(line, 'reason');
      return [{ kind: 'closed', by: reason === 'left' ? 'self' : 'peer', reason }];
    }
    case 'lost':
      return [{ kind: 'trouble', text: `lost ${String(line['id'])} of ${text(line, 'from')}` }];
    case 'warning': {
      // Others may be about the machine or the peers; these are about what this program could not do or read.
      const code = text(line, 'code');
      return code.startsWith('mls-') ? [{ kind: 'trouble', text: `${code}: ${text(line, 'message')}` }] : [];
    }
    case 'error':
      return [{ kind: 'trouble', text: `${text(line, 'code')}: ${text(line, 'message')}` }];
    default:
      return [];
  }
}

/** Settings of the one who runs the tests are none of a member's business. */
const WITHOUT_SETTINGS = Object.fromEntries(
  Object.keys(process.env)
    .filter((key) => key.startsWith('SLIM_'))
    .map((key) => [key, undefined]),
);

/** Our program in its headless mode (`--json`). */
export const slimChatMember: MemberDialect = {
  kind: 'ours',
  start(options: MemberOptions) {
    const args = [programPath, '--json', '--local', options.name, '--slim', options.node, '--node', 'never'];
    args.push('--shared-secret', options.secret);
    const { group } = options;
    if (group !== undefined) {
      args.push('--remote', group.channel);
      for (const invitee of group.invite) args.push('--invites', invitee);
      if (group.mls === true) args.push('--enable-mls');
      if (group.keepAlive === true) args.push('--keep-alive-group');
      if (group.waitsForInvited !== true) args.push('--no-wait-invites');
      args.push('--timeout', `${group.intervalMs}ms`, '--max-retries', String(group.maxRetries));
    }
    return { command: process.execPath, args, env: WITHOUT_SETTINGS };
  },
  translate,
  publish: (body, ref) => ({ type: 'publish', text: body, ref }),
  invite: (name, ref) => ({ type: 'invite', name, ref }),
  remove: (name, ref) => ({ type: 'remove', name, ref }),
  leave: () => ({ type: 'leave' }),
};
