import type { PublishMessage } from '../wire/index.js';
import { type Answer, GivenAnswers } from './given-answers.js';
import type { Effect, Env, SessionConfig } from './machine.js';
import type { MessageBuilder } from './message-builder.js';

/** Round trips vary; one that takes longer than this many of the first is taken for a loss. */
const ROUND_TRIPS = 1.5;
/** A first round trip of more than this many T, or of half of all tries, was one with losses itself. */
const MAX_PAUSE = 5;

/**
 * A participant's answers to requests of its moderator. A request that comes again by name after a while gets its answer again:
 * who repeats it is still waiting.
 */
export class ParticipantReplies {
  readonly #build: MessageBuilder;
  readonly #config: SessionConfig;
  readonly #given = new GivenAnswers<number>();

  constructor(config: SessionConfig, build: MessageBuilder) {
    this.#config = config;
    this.#build = build;
  }

  /** Whether a request has its answer. */
  has(request: PublishMessage): boolean {
    return this.#given.has(request.session.messageId);
  }

  /** Answers a request, or a repetition of it. */
  answer(
    request: PublishMessage,
    messageType: number,
    content: Parameters<MessageBuilder['buildReply']>[2],
    env: Env,
  ): Effect[] {
    if (this.has(request)) return this.repeat(request, env);
    const answer = this.toAnswer(request, messageType, content);
    this.#given.add(request.session.messageId, answer, env.nowMs);
    return [{ kind: 'send', message: answer.message }];
  }

  /** A request that has its answer came again. */
  repeat(request: PublishMessage, env: Env): Effect[] {
    const message = this.#given.again(request.session.messageId, this.#isForUsAlone(request), env.nowMs);
    return message === undefined ? [] : [{ kind: 'send', message }];
  }

  /** By name, or a new member is told of to the channel, and nobody but us was there before: upstream repeats it there. */
  #isForUsAlone({ content, header }: PublishMessage): boolean {
    const { local, moderator } = this.#config;
    if (header.destination.prefixKey === local.prefixKey) return true;
    if (content.kind !== 'groupAdd') return false;
    const known = [local, moderator, content.newParticipant];
    return content.participants.every((name) => known.some((one) => one.equals(name)));
  }

  /** An answer that this session does not live to repeat. */
  toAnswer(request: PublishMessage, messageType: number, content: Parameters<MessageBuilder['buildReply']>[2]): Answer {
    return { message: this.#build.buildReply(request, messageType, content), pauseMs: this.#pauseMs };
  }

  /** What was answered into a dying stream may not have arrived. */
  onLinkUp(): void {
    this.#given.mayBeLost();
  }

  /**
   * Half of T tells a repetition from a copy that the line made. On a line that is slower than T a repetition also comes while
   * the answer is on its way, and a second one would kill a moderator of upstream that is idle by then.
   */
  get #pauseMs(): number {
    const { timeoutMs, maxRetries, roundTripMs = 0 } = this.#config;
    const maxPauseMs = Math.min(MAX_PAUSE, maxRetries / 2) * timeoutMs;
    return Math.max(timeoutMs / 2, Math.min(ROUND_TRIPS * roundTripMs, maxPauseMs));
  }
}
