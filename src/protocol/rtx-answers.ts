import type { Name } from '../name/index.js';
import { RecentSet } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import type { OutboundMessage } from './machine.js';
import type { MessageBuilder } from './message-builder.js';
import { type PayloadProtection, UNREADABLE_NOTE } from './payload-protection.js';
import type { StoredMessage } from './producer-buffer.js';

/** What is known of a message that a member asks for. */
export interface AskedFor {
  /** Undefined when it is not kept any more, or never was sent. */
  readonly stored: StoredMessage | undefined;
  /** Whether a message to everybody had that number. */
  readonly wasSent: boolean;
  /** Whether the acknowledgement of this member is still waited for. */
  readonly isMissing: boolean;
}

/** An answer, and whether asking counts as the acknowledgement (`session_sender.rs:on_rtx_message`). */
export interface RtxAnswer {
  readonly message: OutboundMessage;
  readonly isAck: boolean;
}

/**
 * Answers to members that miss a message: what they can read of it.
 *
 * Ciphertext never goes into an RTX reply: 1.x gives that to its application without decrypting it (session.md 8.3). The message
 * itself comes again, by name, until it is acknowledged. After that a negative reply makes 1.x ask no more; it has the message by then.
 */
export class RtxAnswers {
  readonly #build: MessageBuilder;
  readonly #protection: PayloadProtection | undefined;
  /** Ciphertext that was given again. */
  readonly #given = new RecentSet<string>();

  constructor(build: MessageBuilder, protection: PayloadProtection | undefined) {
    this.#build = build;
    this.#protection = protection;
  }

  answer(request: PublishMessage, { stored, wasSent, isMissing }: AskedFor): RtxAnswer {
    const { source } = request.header;
    const { messageId } = request.session;
    const copy = this.#protection?.copyFor(source) ?? 'sealed';
    if (stored === undefined) {
      // What is lost ends `group.py` of 0.7.0; it could not have read this one anyway.
      return copy === 'none' && wasSent ? this.#note(request) : this.#negative(request);
    }
    if (!stored.isSealed)
      return { message: this.#build.buildAgain(MessageType.rtxReply, source, messageId, stored), isAck: true };
    if (copy === 'sealed') {
      const isFirst = this.#given.add(`${source.key}:${String(messageId)}`);
      if (!isFirst && !isMissing) return this.#negative(request);
      return { message: this.#build.buildAgain(MessageType.msg, source, messageId, stored), isAck: false };
    }
    const { clear } = stored;
    if (clear === undefined || !isReader(clear.readers, source)) return this.#note(request, stored);
    const plain = { ...stored, blob: clear.payload };
    return { message: this.#build.buildAgain(MessageType.rtxReply, source, messageId, plain), isAck: true };
  }

  #negative(request: PublishMessage): RtxAnswer {
    return { message: this.#build.buildNegativeRtxReply(request), isAck: true };
  }

  #note(
    { header, session }: PublishMessage,
    { payloadType, metadata }: Pick<StoredMessage, 'payloadType' | 'metadata'> = NOTE,
  ): RtxAnswer {
    const { blob } = UNREADABLE_NOTE;
    const message = this.#build.buildAgain(MessageType.rtxReply, header.source, session.messageId, {
      payloadType,
      metadata,
      blob,
    });
    return { message, isAck: true };
  }
}

const NOTE = { payloadType: UNREADABLE_NOTE.payloadType, metadata: {} };

function isReader(readers: readonly Name[], name: Name): boolean {
  return readers.some((reader) => reader.equals(name));
}
