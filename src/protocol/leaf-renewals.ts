import type { Name } from '../name/index.js';
import { assertNever, type SlimError } from '../util/index.js';
import type { Effect, Env } from './machine.js';
import type { ModeratorMembers } from './moderator-members.js';
import type { MembershipRequest, Outcome } from './requester.js';
import type { SessionCore } from './session-core.js';

/**
 * Where the renewal of a member stands. `settling`: what was said before must be acknowledged by all. `leaving`: it is on its way
 * out, `gone` when it is. `joining`: it is on its way back, `over` when it is, or cannot be. `pausing`: nobody's turn yet.
 */
type State =
  | { readonly kind: 'idle' | 'over' | 'pausing' }
  | { readonly kind: 'settling' | 'leaving' | 'gone' | 'joining'; readonly member: Name };

/**
 * Keeps an MLS group open for invitations and removals for longer than the hour that a leaf lives: a member whose leaf is old is
 * removed and invited again, which is the only way to renew it in generation 1 (identity-and-mls.md 4.3 c). One member at a time.
 * Own messages wait meanwhile, so that the member misses none of them; what others say in that moment it does not get.
 */
export class LeafRenewals {
  readonly #core: SessionCore;
  readonly #members: ModeratorMembers;
  readonly #waiting: Name[] = [];
  #state: State = { kind: 'idle' };

  constructor(core: SessionCore, members: ModeratorMembers) {
    this.#core = core;
    this.#members = members;
  }

  /** Renews the leaf of a member, when those before it are renewed. */
  renew(member: Name): void {
    this.#waiting.push(member);
  }

  /** Goes on as far as it can. To be called after each input: any may be the one that was waited for. */
  advance(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (;;) {
      const before = this.#state;
      effects.push(...this.#step(env));
      if (this.#state === before) return effects;
    }
  }

  /** The pause is over. */
  onTimer(): void {
    this.#state = { kind: 'idle' };
  }

  #step(env: Env): Effect[] {
    switch (this.#state.kind) {
      case 'idle':
        return this.#next();
      case 'settling':
        return this.#core.sender.isQuiet ? this.#remove(this.#state.member, env) : [];
      case 'gone':
        return this.#invite(this.#state.member, env);
      case 'over':
        return this.#pause(env);
      case 'leaving':
      case 'joining':
      case 'pausing':
        return [];
      default:
        return assertNever(this.#state);
    }
  }

  #next(): Effect[] {
    const member = this.#waiting.shift();
    if (member === undefined) return [];
    this.#core.sender.hold();
    this.#state = { kind: 'settling', member };
    return [];
  }

  #remove(member: Name, env: Env): Effect[] {
    // It may have left in the meantime.
    if (!this.#members.isStaying(member)) {
      this.#state = { kind: 'over' };
      return [];
    }
    this.#state = { kind: 'leaving', member };
    const request = this.#request('remove', member, { kind: 'gone', member });
    // It is no enemy: so that what it has said is heard by all before they forget it.
    return this.#members.remove(request, true, env);
  }

  #invite(member: Name, env: Env): Effect[] {
    this.#state = { kind: 'joining', member };
    return this.#members.invite(this.#request('invite', member, { kind: 'over' }), env);
  }

  #pause(env: Env): Effect[] {
    this.#state = { kind: 'pausing' };
    // What others said to the new one before it could read is repeated once. If the next one left with such a message under way,
    // its old session would go on repeating it beside the numbers of its new one.
    const pauseMs = 2 * this.#core.config.timeoutMs;
    return [...this.#core.sender.release(env), this.#core.setTimer('renewal', pauseMs)];
  }

  #request(kind: MembershipRequest['kind'], name: Name, next: State): MembershipRequest {
    const onOutcome = ({ error }: Outcome): Effect[] => {
      this.#state = error === undefined ? next : { kind: 'over' };
      return error === undefined ? [] : this.#failed(name, error);
    };
    return { kind, name, from: { kind: 'machine', onOutcome } };
  }

  #failed(member: Name, error: SlimError): Effect[] {
    // The session ends, and with it the group that was to be kept.
    if (error.code === 'closed') return [];
    const text = `${member.toString()} could not be removed and invited again to renew its key: ${error.message}`;
    return [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } }];
  }
}
