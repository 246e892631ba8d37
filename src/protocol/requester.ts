import type { Name } from '../name/index.js';
import { assertNever, type SlimError } from '../util/index.js';
import { MessageType } from '../wire/index.js';
import type { CommandId, Effect, RequestOrigin, SessionCommand } from './machine.js';
import { FANOUT_ONE, type MessageBuilder } from './message-builder.js';

type MembershipCommand = Extract<SessionCommand, { kind: 'invite' | 'remove' }>;

/** Who asked for something, and with it how the answer gets there. */
export type Requester =
  /** The application, by a command. `ref`: what it wants to find in the notices about it. */
  | { readonly kind: 'app'; readonly id: CommandId; readonly ref?: string }
  /** SLIM's Controller, by a message that its node sent to this moderator (control-plane.md 1.6). */
  | { readonly kind: 'controller'; readonly source: Name; readonly messageId: number }
  /** The machine itself, for a purpose of its own: the application hears of what happens, not that it was asked for. */
  | { readonly kind: 'machine'; onOutcome(outcome: Outcome): Effect[] };

/** What a request came to: a failure with `error`; `member` is who joined. */
export interface Outcome {
  readonly error?: SlimError;
  readonly member?: Name;
}

/** An invitation or a removal that somebody waits for. */
export interface MembershipRequest {
  readonly kind: 'invite' | 'remove';
  /** As it was asked for: without an id it means any instance, or the one in the group. */
  readonly name: Name;
  readonly from: Requester;
}

/** What an `invite` or `remove` of the application asks for. */
export function requestOfApp(id: CommandId, { kind, name, ref }: MembershipCommand): MembershipRequest {
  return { kind, name, from: { kind: 'app', id, ...(ref !== undefined && { ref }) } };
}

/** Tells a requester what came of its request. */
export function answer(to: Requester, outcome: Outcome, build: MessageBuilder): Effect[] {
  switch (to.kind) {
    case 'app':
      return [{ kind: 'settle', id: to.id, ...outcome }];
    case 'controller': {
      // A failure is told by silence; nobody ever sends a GroupNack (control-plane.md 1.7).
      if (outcome.error !== undefined && !isAsWanted(outcome.error)) return [];
      const content = { kind: 'groupAck' } as const;
      return [
        { kind: 'send', message: build.build(MessageType.groupAck, to.source, FANOUT_ONE, to.messageId, content) },
      ];
    }
    case 'machine':
      return to.onOutcome(outcome);
    default:
      return assertNever(to);
  }
}

/** The application is told that a request is being carried out. */
export function begin({ kind, name, from }: MembershipRequest): Effect[] {
  const origin = originOf(from);
  return origin === undefined ? [] : [{ kind: 'notify', notice: { kind, name, state: 'started', ...origin } }];
}

/** The application is told how requests ended, and each requester gets its answer. The list is empty afterwards: each has one end. */
export function conclude(requests: MembershipRequest[], outcome: Outcome, build: MessageBuilder): Effect[] {
  return requests
    .splice(0)
    .flatMap((request) => [...toldEnd(request, outcome), ...answer(request.from, outcome, build)]);
}

/** A request that comes to nothing at once. */
export function refuse(request: MembershipRequest, error: SlimError, build: MessageBuilder): Effect[] {
  return [...begin(request), ...conclude([request], { error }, build)];
}

/** A Controller that adds who is there already has what it wants (control-plane.md 1.8, rule 8). */
function isAsWanted(error: SlimError): boolean {
  return error.code === 'already-in-group';
}

function toldEnd({ kind, name, from }: MembershipRequest, { error, member = name }: Outcome): Effect[] {
  const origin = originOf(from);
  if (origin === undefined) return [];
  if (error !== undefined) return [{ kind: 'notify', notice: { kind, name, state: 'failed', error, ...origin } }];
  switch (kind) {
    case 'invite':
      return [{ kind: 'notify', notice: { kind, name, state: 'joined', member, ...origin } }];
    case 'remove':
      return [{ kind: 'notify', notice: { kind, name, state: 'removed', ...origin } }];
    default:
      return assertNever(kind);
  }
}

function originOf(from: Requester): RequestOrigin | undefined {
  switch (from.kind) {
    case 'app':
      return { by: 'app', ...(from.ref !== undefined && { ref: from.ref }) };
    case 'controller':
      return { by: 'controller' };
    case 'machine':
      return undefined;
    default:
      return assertNever(from);
  }
}
