import { SessionError } from '../util/index.js';
import type { Effect, Input } from './machine.js';

/** What is answered when a session ends, or has ended. */
export function closedError(): SessionError {
  return new SessionError('closed', 'the session is closed');
}

/** A command that comes after the end still gets its answer; nothing else does. */
export function endedReply(input: Input): Effect[] {
  if (input.kind !== 'command') return [];
  const { id, command } = input;
  // What it was about has failed already.
  if (command.kind === 'cancel') return [];
  const error = closedError();
  if (command.kind === 'publish') {
    const progress = { messageId: undefined, acked: [], missing: [] };
    return [{ kind: 'delivery', id, state: 'failed', progress, error }];
  }
  if (command.kind === 'close' || command.kind === 'abandon') return [{ kind: 'settle', id }];
  return [{ kind: 'settle', id, error }];
}
