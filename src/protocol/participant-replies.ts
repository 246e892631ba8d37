import { RecentSet } from '../util/index.js';
import type { PublishMessage } from '../wire/index.js';
import type { Effect } from './machine.js';
import type { MessageBuilder } from './message-builder.js';

/**
 * A participant's answers to requests of its moderator: each request gets one (`session.md` appendix A 6), because a second one
 * would kill a moderator that no longer waits (session.md 10.1). After a reconnection it gets one more.
 */
export class ParticipantReplies {
  readonly #build: MessageBuilder;
  readonly #answered = new RecentSet<number>();

  constructor(build: MessageBuilder) {
    this.#build = build;
  }

  /** Whether a request has its answer. */
  has(request: PublishMessage): boolean {
    return this.#answered.has(request.session.messageId);
  }

  answer(request: PublishMessage, messageType: number, content: Parameters<MessageBuilder['buildReply']>[2]): Effect[] {
    if (!this.#answered.add(request.session.messageId)) return [];
    return [{ kind: 'send', message: this.#build.buildReply(request, messageType, content) }];
  }

  /** What was answered into a dying stream may not have arrived. */
  onLinkUp(): void {
    this.#answered.clear();
  }
}
