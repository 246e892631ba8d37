import type { Name } from '../name/index.js';
import { type Content, MessageType, type Metadata, type PublishMessage } from '../wire/index.js';
import type { Effect, Env, OutboundMessage } from './machine.js';
import { FANOUT_ONE, NO_METADATA } from './message-builder.js';
import type { Removal, Step } from './moderator-task.js';
import type { SessionCore } from './session-core.js';

/** The request of each step, and which reply settles it. */
const MESSAGES_OF = {
  discovery: { request: MessageType.discoveryRequest, reply: MessageType.discoveryReply },
  join: { request: MessageType.joinRequest, reply: MessageType.joinReply },
  welcome: { request: MessageType.groupWelcome, reply: MessageType.groupAck },
  add: { request: MessageType.groupAdd, reply: MessageType.groupAck },
  remove: { request: MessageType.groupRemove, reply: MessageType.groupAck },
  leave: { request: MessageType.leaveRequest, reply: MessageType.leaveReply },
  close: { request: MessageType.groupClose, reply: MessageType.groupAck },
} as const;

/** A request to send. */
export interface StepRequest {
  readonly destination: Name;
  readonly fanout: number;
  readonly content: Content;
  /** Who must answer. */
  readonly expected: readonly Name[];
  readonly metadata?: Metadata;
}

/** The moderator's outstanding requests, by message id: what each belongs to, and when it is answered. */
export class ModeratorSteps {
  readonly #core: SessionCore;
  readonly #steps = new Map<number, Step>();

  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** Sends the request of a step; it is repeated until everybody expected has answered. */
  send(step: Step, { destination, fanout, content, expected, metadata = NO_METADATA }: StepRequest, env: Env): Effect {
    const messageId = this.drawId(env);
    this.#steps.set(messageId, step);
    const { request } = MESSAGES_OF[step.kind];
    const message = this.#core.build.build(request, destination, fanout, messageId, content, metadata);
    return this.#core.control.send(message, expected, env);
  }

  /** Asks a member to leave, and waits for its reply. */
  sendLeaveRequest(removal: Removal, env: Env): Effect {
    const message = this.buildLeaveRequest(removal.member, env);
    this.#steps.set(message.messageId, { kind: 'leave', removal });
    return this.#core.control.send(message, [removal.member], env);
  }

  /** A leave request that nobody waits for. */
  buildLeaveRequest(member: Name, env: Env): OutboundMessage {
    const content = { kind: 'leaveRequest' } as const;
    return this.#core.build.build(MessageType.leaveRequest, member, FANOUT_ONE, this.drawId(env), content);
  }

  /** An id that no outstanding request has. */
  drawId(env: Env): number {
    let id: number;
    do id = env.randomU32();
    while (this.#steps.has(id));
    return id;
  }

  /** The step that a reply completes, if it does. Late, repeated and stray replies complete nothing. */
  onReply({ header: { source }, session: { messageId, messageType }, content }: PublishMessage): Step | undefined {
    const step = this.#steps.get(messageId);
    if (step === undefined || MESSAGES_OF[step.kind].reply !== messageType || !source.hasId) return undefined;
    if (this.#core.control.onReply(messageId, source) !== 'complete') return undefined;
    if (step.kind === 'join' && content.kind === 'joinReply') step.invitation.keyPackage = content.keyPackage;
    if (step.kind === 'discovery') step.invitation.member = source;
    return this.#take(messageId);
  }

  /** Repeats what is due; gives the steps that got no answer. */
  onTimer(env: Env): { readonly effects: Effect[]; readonly failed: readonly Step[] } {
    const { effects, failed } = this.#core.control.onTimer(env);
    return { effects, failed: this.#takeAll(failed.map(({ messageId }) => messageId)) };
  }

  /**
   * Everything again, with new ids: peers answer each id once. Not so an addition: to a participant, a second one of the same
   * member means that it was gone in between.
   */
  onLinkUp(env: Env): Effect[] {
    return this.#core.control.onLinkUp(env, (messageId) => {
      const step = this.#steps.get(messageId);
      if (step === undefined || step.kind === 'add') return messageId;
      const renewed = this.drawId(env);
      this.#steps.delete(messageId);
      this.#steps.set(renewed, step);
      return renewed;
    });
  }

  /** Expects nothing of a member any more; gives the steps that are complete by that. */
  forget(member: Name): readonly Step[] {
    return this.#takeAll(this.#core.control.forget(member));
  }

  /** Stops the requests that `isOver` says so of. */
  cancel(isOver: (step: Step) => boolean): void {
    for (const [messageId, step] of this.#steps) {
      if (!isOver(step)) continue;
      this.#steps.delete(messageId);
      this.#core.control.cancel(messageId);
    }
  }

  clear(): void {
    this.#steps.clear();
    this.#core.control.clear();
  }

  #take(messageId: number): Step | undefined {
    const step = this.#steps.get(messageId);
    this.#steps.delete(messageId);
    return step;
  }

  #takeAll(messageIds: readonly number[]): readonly Step[] {
    return messageIds.flatMap((messageId) => this.#take(messageId) ?? []);
  }
}
